import type { GlbExtras } from '@facewright/protocol';
import { type Group, Mesh, type MeshStandardMaterial, Texture } from 'three';
import { type GLTF, GLTFLoader, type GLTFLoaderPlugin, type GLTFParser } from 'three/examples/jsm/loaders/GLTFLoader.js';

/** A face as the viewer holds it. */
export interface FaceModel {
  readonly root: Group;
  readonly meshes: readonly Mesh[];
  /** Names of the morph targets, in the file's order; empty where the model has none. */
  readonly expressions: readonly string[];
  /** The photo's own expression. */
  readonly photoExpression: Readonly<Record<string, number>>;
  readonly facts: MeshFacts;
  dispose(): void;
}

/** What a technical artist asks first. */
export interface MeshFacts {
  readonly meshes: number;
  readonly triangles: number;
  readonly vertices: number;
  readonly morphTargets: number;
  readonly materials: number;
  /** Sides of the textures in pixels, largest first, each picture once. */
  readonly textures: readonly { readonly widthPx: number; readonly heightPx: number }[];
}

/**
 * Reads a GLB.
 *
 * @throws Error where the bytes are no GLB that the viewer knows
 */
export async function loadFace(glb: ArrayBuffer): Promise<FaceModel> {
  const loader = new GLTFLoader();
  loader.register((parser) => new BitmapTextures(parser));
  if (needsMeshopt(glb)) {
    const { MeshoptDecoder } = await import('three/examples/jsm/libs/meshopt_decoder.module.js');
    loader.setMeshoptDecoder(MeshoptDecoder);
  }
  const gltf: GLTF = await loader.parseAsync(glb, '');
  const meshes: Mesh[] = [];
  gltf.scene.traverse((node) => {
    if (node instanceof Mesh) meshes.push(node);
  });
  const names = new Set<string>();
  let triangles = 0;
  let vertices = 0;
  const materials = new Set<unknown>();
  const pictures = new Map<unknown, { readonly widthPx: number; readonly heightPx: number }>();
  for (const mesh of meshes) {
    // Morphing moves the surface out of the box that was computed from the rest pose.
    mesh.frustumCulled = false;
    for (const name of Object.keys(mesh.morphTargetDictionary ?? {})) names.add(name);
    triangles += (mesh.geometry.index?.count ?? 0) / 3;
    vertices += mesh.geometry.getAttribute('position').count;
    const material = mesh.material as MeshStandardMaterial;
    materials.add(material.name || material);
    for (const { image } of picturesOf(mesh)) {
      const { width: widthPx, height: heightPx } = image as ImageBitmap;
      pictures.set(image, { widthPx, heightPx });
    }
    if (material.map !== null) material.map.anisotropy = 8;
  }
  const extras = (gltf.asset.extras as { facewright?: GlbExtras } | undefined)?.facewright;
  return {
    root: gltf.scene,
    meshes,
    expressions: [...names],
    photoExpression: extras?.expression ?? {},
    facts: {
      meshes: meshes.length,
      triangles,
      vertices,
      morphTargets: names.size,
      materials: materials.size,
      textures: [...pictures.values()].sort((a, b) => b.widthPx * b.heightPx - a.widthPx * a.heightPx),
    },
    dispose() {
      for (const mesh of meshes) {
        mesh.geometry.dispose();
        for (const picture of picturesOf(mesh)) {
          picture.dispose();
          (picture.image as ImageBitmap | undefined)?.close?.();
        }
      }
    },
  };
}

function picturesOf(mesh: Mesh): Texture[] {
  const { map, normalMap, roughnessMap, metalnessMap, aoMap, emissiveMap } = mesh.material as MeshStandardMaterial;
  return [map, normalMap, roughnessMap, metalnessMap, aoMap, emissiveMap].filter((picture) => picture !== null);
}

/** Whether the JSON of a GLB names the compression; its decoder is loaded only then. */
function needsMeshopt(glb: ArrayBuffer): boolean {
  const view = new DataView(glb);
  if (glb.byteLength < 20) return false;
  const json = new TextDecoder().decode(new Uint8Array(glb, 20, Math.min(view.getUint32(12, true), glb.byteLength - 20)));
  return json.includes('EXT_meshopt_compression');
}

/**
 * Textures straight from the bytes in the file. The loader's own way goes through `blob:` addresses that are fetched, which would
 * have to be allowed by the page's Content-Security-Policy.
 */
class BitmapTextures implements GLTFLoaderPlugin {
  readonly name = 'facewright_bitmap_textures';
  private readonly parser: GLTFParser;

  constructor(parser: GLTFParser) {
    this.parser = parser;
  }

  async loadTexture(index: number): Promise<Texture> {
    const { json } = this.parser as { json: GltfJson };
    const texture = json.textures[index]!;
    const source = texture.extensions?.EXT_texture_webp?.source ?? texture.source!;
    const image = json.images[source]!;
    const bytes = (await this.parser.getDependency('bufferView', image.bufferView)) as ArrayBuffer;
    const bitmap = await createImageBitmap(new Blob([bytes], { type: image.mimeType }), {
      colorSpaceConversion: 'none',
      premultiplyAlpha: 'none',
    });
    const made = new Texture(bitmap);
    // The loader gives colours their colour space; normals have none.
    made.flipY = false;
    made.needsUpdate = true;
    return made;
  }
}

interface GltfJson {
  readonly textures: readonly {
    readonly source?: number;
    readonly extensions?: { readonly EXT_texture_webp?: { readonly source: number } };
  }[];
  readonly images: readonly { readonly bufferView: number; readonly mimeType: string }[];
}
