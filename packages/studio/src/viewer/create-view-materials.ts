import {
  CanvasTexture,
  FrontSide,
  LinearMipmapLinearFilter,
  type Material,
  type Mesh,
  MeshBasicMaterial,
  MeshNormalMaterial,
  MeshStandardMaterial,
  RepeatWrapping,
  SRGBColorSpace,
} from 'three';
import type { FaceView } from './face-views.ts';

export interface ViewMaterials {
  show(view: FaceView): void;
  dispose(): void;
}

/** Surfaces that only shade or overlay the eyes: without their texture they would cover them. */
const HIDDEN_WITHOUT_TEXTURE = /lash|blend|occlusion|brow/i;

/** Gives the meshes of a face other materials, and their own back. */
export function createViewMaterials(meshes: readonly Mesh[]): ViewMaterials {
  const own = new Map(meshes.map((mesh) => [mesh, mesh.material as MeshStandardMaterial]));
  const clay = new MeshStandardMaterial({ color: 0xb9a99a, roughness: 0.72, metalness: 0 });
  const lines = new MeshBasicMaterial({ color: 0xc4653a, wireframe: true, transparent: true, opacity: 0.55 });
  const under = new MeshStandardMaterial({
    color: 0xe9e4dc,
    roughness: 0.9,
    polygonOffset: true,
    polygonOffsetFactor: 1,
    polygonOffsetUnits: 1,
  });
  const normals = new MeshNormalMaterial();
  const flat = new Map<Mesh, MeshBasicMaterial>();
  let checker: MeshStandardMaterial | null = null;
  let wires: Mesh[] = [];

  const flatOf = (mesh: Mesh): MeshBasicMaterial => {
    let material = flat.get(mesh);
    if (material === undefined) {
      const { map, color, transparent, alphaTest, opacity, side, depthWrite } = own.get(mesh)!;
      material = new MeshBasicMaterial({ map, color, transparent, alphaTest, opacity, side, depthWrite });
      flat.set(mesh, material);
    }
    return material;
  };
  const choose = (mesh: Mesh, view: FaceView): Material => {
    switch (view) {
      case 'textured':
        return own.get(mesh)!;
      case 'albedo':
        return flatOf(mesh);
      case 'clay':
        return clay;
      case 'wireframe':
        return under;
      case 'uv':
        return (checker ??= new MeshStandardMaterial({ map: createCheckerTexture(), roughness: 0.85 }));
      case 'normals':
        return normals;
    }
  };

  return {
    show(view) {
      for (const wire of wires) wire.removeFromParent();
      wires = [];
      for (const mesh of meshes) {
        const shades = own.get(mesh)!.transparent || HIDDEN_WITHOUT_TEXTURE.test(own.get(mesh)!.name);
        mesh.visible = view === 'textured' || view === 'albedo' || !shades;
        mesh.material = choose(mesh, view);
        mesh.material.side = view === 'textured' ? mesh.material.side : FrontSide;
        if (view === 'wireframe' && mesh.visible) {
          const wire = mesh.clone(false);
          wire.material = lines;
          // The same array, so that the lines move with the surface.
          if (mesh.morphTargetInfluences !== undefined) wire.morphTargetInfluences = mesh.morphTargetInfluences;
          wire.position.set(0, 0, 0);
          wire.quaternion.identity();
          wire.scale.set(1, 1, 1);
          mesh.add(wire);
          wires.push(wire);
        }
      }
    },
    dispose() {
      for (const wire of wires) wire.removeFromParent();
      checker?.map?.dispose();
      for (const material of [clay, lines, under, normals, checker, ...flat.values()]) material?.dispose();
    },
  };
}

const CELLS = 16;
const CELL_PX = 64;

/** Squares with the hue of u and the brightness of v, lettered, so that stretching and seams are seen. */
function createCheckerTexture(): CanvasTexture {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = CELLS * CELL_PX;
  const context = canvas.getContext('2d')!;
  context.font = `600 ${CELL_PX * 0.34}px sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (let row = 0; row < CELLS; row++) {
    for (let column = 0; column < CELLS; column++) {
      const hue = 15 + (column / CELLS) * 320;
      const lightness = 46 + (row / CELLS) * 34 + ((row + column) % 2 ? 7 : -7);
      context.fillStyle = `hsl(${hue} 42% ${lightness}%)`;
      context.fillRect(column * CELL_PX, row * CELL_PX, CELL_PX, CELL_PX);
      context.fillStyle = 'rgb(20 18 15 / 0.55)';
      context.fillText(`${String.fromCharCode(65 + column)}${row + 1}`, (column + 0.5) * CELL_PX, (row + 0.5) * CELL_PX);
    }
  }
  const texture = new CanvasTexture(canvas);
  texture.colorSpace = SRGBColorSpace;
  texture.wrapS = texture.wrapT = RepeatWrapping;
  texture.flipY = false;
  texture.minFilter = LinearMipmapLinearFilter;
  texture.anisotropy = 8;
  return texture;
}
