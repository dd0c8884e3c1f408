import { BackSide, BoxGeometry, Color, Mesh, MeshBasicMaterial, PMREMGenerator, Scene, type Texture, type WebGLRenderer } from 'three';

/**
 * A photographer's room as light from all around: a soft box above and at each side, dark behind. Made here, so that no picture of a
 * room has to be loaded. The eyes mirror it.
 */
export function createEnvironment(renderer: WebGLRenderer): Texture {
  const room = new Scene();
  const box = new BoxGeometry();
  const add = (brightness: number, position: readonly [number, number, number], size: readonly [number, number, number]) => {
    const mesh = new Mesh(box, new MeshBasicMaterial({ color: new Color(brightness, brightness, brightness), side: BackSide }));
    mesh.position.set(...position);
    mesh.scale.set(...size);
    room.add(mesh);
  };
  add(0.35, [0, 0, 0], [12, 8, 12]);
  add(9, [0, 3.7, 1], [4, 0.3, 3]);
  add(5, [5.6, 1.4, 2], [0.3, 2.6, 3]);
  add(4, [-5.6, 1.4, 2], [0.3, 2.6, 3]);
  add(3, [0, 1.8, 5.7], [4.5, 1.6, 0.3]);
  const generator = new PMREMGenerator(renderer);
  const { texture } = generator.fromScene(room, 0.03);
  generator.dispose();
  box.dispose();
  return texture;
}
