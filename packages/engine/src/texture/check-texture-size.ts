import { FacewrightError } from '@facewright/protocol';

/** Side of the skin texture, texels. Below 512 eyes and lips are a few texels high; 4096 holds more than a 12 MP portrait shows. */
export const TEXTURE_SIZE_RANGE = { min: 512, max: 4096, default: 1024 } as const;

/**
 * @returns `size`
 * @throws FW_ARG_INVALID
 */
export function checkTextureSize(size: number): number {
  const { min, max } = TEXTURE_SIZE_RANGE;
  if (!Number.isInteger(size) || size < min || size > max) {
    throw new FacewrightError('FW_ARG_INVALID', { name: 'textureSize', expected: `a whole number from ${min} to ${max}`, actual: size });
  }
  return size;
}
