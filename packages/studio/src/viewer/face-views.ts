/** How a face may be shown. */
export const FACE_VIEWS = ['textured', 'clay', 'wireframe', 'uv', 'albedo', 'normals'] as const;
export type FaceView = (typeof FACE_VIEWS)[number];
