import type { FaceMaps, TextureMap } from '../texture/face-maps.ts';

/**
 * File names of the texture pictures: `albedo.png` for the skin, `albedo-<surface>.png` for the others, each picture once.
 *
 * They depend on the surfaces only, so they are the same for every photo.
 */
export function nameTextures(maps: FaceMaps): Map<TextureMap, string> {
  const names = new Map<TextureMap, string>();
  const skinFirst = [...maps.surfaces].sort((a, b) => Number(b.materials.includes('skin')) - Number(a.materials.includes('skin')));
  for (const surface of skinFirst) {
    if (surface.albedo === null || names.has(surface.albedo)) continue;
    names.set(surface.albedo, surface.materials.includes('skin') ? 'albedo.png' : `albedo-${surface.name}.png`);
  }
  return names;
}
