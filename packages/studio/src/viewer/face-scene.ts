import type { CameraOutput } from '@facewright/protocol';
import {
  Box3,
  Color,
  DirectionalLight,
  Group,
  HemisphereLight,
  Matrix4,
  type Mesh,
  PerspectiveCamera,
  Scene,
  Vector3,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';
import { canvasToBlob } from '../ui/canvas-to-blob.ts';
import { createViewMaterials, type ViewMaterials } from './create-view-materials.ts';
import type { FaceView } from './face-views.ts';
import { DEFAULT_LIGHT, type LightState } from './light-state.ts';
import type { FaceModel } from './load-face.ts';
import type { PhotoWindow } from './photo-window.ts';

/** Where the camera of the viewer is; two viewers that share it turn together. */
export interface OrbitState {
  readonly azimuthRad: number;
  readonly polarRad: number;
  readonly distance: number;
}

/** A face on a canvas. Draws only when something changed. */
export interface FaceScene {
  setFace(face: FaceModel): void;
  setView(view: FaceView): void;
  setLight(light: LightState): void;
  /** ARKit weights by name; names that are missing are 0. */
  setWeights(weights: Readonly<Record<string, number>>): void;
  /** Lays the face over the photo through the camera that took it; null goes back to free turning. */
  setPhotoCamera(camera: { readonly output: CameraOutput; readonly window: PhotoWindow } | null): void;
  /** Turns by so many degrees, and comes closer by a factor. */
  turn(azimuthDeg: number, polarDeg: number, zoom?: number): void;
  lookFromFront(): void;
  getOrbit(): OrbitState;
  setOrbit(orbit: OrbitState): void;
  /** Sways the head a little, degrees; for the talking demo. */
  setSway(yawDeg: number, pitchDeg: number): void;
  resize(): void;
  /** Looks from there and draws at once, so that the canvas can be read. */
  drawNow(orbit: OrbitState): void;
  /** A PNG as it is seen, the background transparent. */
  takeScreenshot(): Blob;
  /** Calls `draw` for each turn of a full circle, 0..1; resolves when done. */
  spin(durationMs: number, signal: AbortSignal, onProgress: (ratio: number) => void): Promise<void>;
  /** Fills the background, which a video needs; null makes it transparent. */
  setBackdrop(color: string | null): void;
  dispose(): void;
}

export interface FaceSceneOptions {
  readonly canvas: HTMLCanvasElement;
  /** The reader has turned it. */
  readonly onOrbit?: (orbit: OrbitState) => void;
  readonly onContextLost?: () => void;
}

const FOV_DEG = 24;
/** How much room is left around the head. */
const MARGIN = 1.05;
/** How far below the eyes the picture reaches, in heights of the forehead: the chin and some neck. */
const CHIN_ROOM = 1.32;
/** In half heights of the picture. */
const LOOK_LOWER = 0.1;
/** Light that comes from everywhere; most of the light is in the texture already. */
const AMBIENT = 1.6;
const KEY = 1.45;
/** From behind and level with the eyes: from above it would lie on the crown as a bald patch. */
const RIM = 0.35;
const FILL = 0.55;
const FRONT: OrbitState = { azimuthRad: 0, polarRad: Math.PI / 2, distance: 0 };

/** @throws Error where there is no WebGL */
export function createFaceScene({ canvas, onOrbit, onContextLost }: FaceSceneOptions): FaceScene {
  const renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true, powerPreference: 'high-performance' });
  renderer.setClearColor(new Color(0), 0);
  const scene = new Scene();
  const key = new DirectionalLight(0xfff4e8, KEY);
  const rim = new DirectionalLight(0xe6ecf5, RIM);
  const fill = new DirectionalLight(0xffffff, FILL);
  // Brighter from above than from the floor. Not an environment map: filtering one takes the better part of a minute without a graphics card.
  const ambient = new HemisphereLight(0xffffff, 0xb8aa9e, AMBIENT);
  scene.add(key, fill, rim, ambient, key.target, fill.target, rim.target);
  const pivot = new Group();
  scene.add(pivot);

  const orbitCamera = new PerspectiveCamera(FOV_DEG, 1, 0.01, 10);
  const photoCamera = new PerspectiveCamera();
  photoCamera.matrixAutoUpdate = false;
  let photo: { readonly output: CameraOutput; readonly window: PhotoWindow } | null = null;

  const controls = new OrbitControls(orbitCamera, canvas);
  controls.enablePan = false;
  controls.enableDamping = false;
  controls.rotateSpeed = 0.9;
  controls.zoomSpeed = 0.8;
  controls.minPolarAngle = 0.25;
  controls.maxPolarAngle = Math.PI - 0.45;

  let face: FaceModel | null = null;
  let materials: ViewMaterials | null = null;
  let view: FaceView = 'textured';
  let light = DEFAULT_LIGHT;
  let frame = 0;
  let silent = false;
  const center = new Vector3();
  let fitRadius = 0.15;

  const draw = () => {
    frame = 0;
    placeLight();
    renderer.render(scene, photo === null ? orbitCamera : photoCamera);
  };
  const invalidate = () => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };
  const placeLight = () => {
    // The light stays with the picture while the face is turned, as in a photographer's studio the head turns on the chair.
    const camera = photo === null ? orbitCamera : photoCamera;
    camera.updateMatrixWorld();
    const turn = (light.turnDeg * Math.PI) / 180;
    const height = (light.heightDeg * Math.PI) / 180;
    const at = (t: number, h: number) =>
      new Vector3(Math.sin(t) * Math.cos(h), Math.sin(h), Math.cos(t) * Math.cos(h)).transformDirection(camera.matrixWorld).add(center);
    key.position.copy(at(turn, height));
    fill.position.copy(at(-turn, 0.1));
    rim.position.copy(at(turn + Math.PI * 0.85, 0.1));
    key.target.position.copy(center);
    fill.target.position.copy(center);
    rim.target.position.copy(center);
    // The even light gives way, so that the picture keeps its brightness.
    key.intensity = KEY * light.strength;
    ambient.intensity = AMBIENT * (1.35 - 0.35 * light.strength);
  };
  const getOrbit = (): OrbitState => ({
    azimuthRad: controls.getAzimuthalAngle(),
    polarRad: controls.getPolarAngle(),
    distance: controls.getDistance() / fitDistance(),
  });
  const setOrbit = ({ azimuthRad, polarRad, distance }: OrbitState) => {
    const length = fitDistance() * (distance === 0 ? 1 : distance);
    const sin = Math.sin(polarRad);
    orbitCamera.position
      .set(Math.sin(azimuthRad) * sin, Math.cos(polarRad), Math.cos(azimuthRad) * sin)
      .multiplyScalar(length)
      .add(controls.target);
    silent = true;
    controls.update();
    silent = false;
    invalidate();
  };
  /** Distance from which the whole head is seen in the narrower direction of the canvas. */
  const fitDistance = () => {
    const half = (FOV_DEG * Math.PI) / 360;
    const narrow = Math.min(1, orbitCamera.aspect * 1.12);
    return (fitRadius * MARGIN) / Math.sin(Math.atan(Math.tan(half) * narrow));
  };
  const projectPhoto = () => {
    if (photo === null) return;
    const { output, window } = photo;
    const { focalPx, centerXPx, centerYPx } = output.intrinsics;
    const width = canvas.clientWidth || 1;
    const height = canvas.clientHeight || 1;
    const scale = Math.min(width / window.width, height / window.height);
    const f = focalPx * scale;
    const cx = (centerXPx - window.x) * scale + (width - window.width * scale) / 2;
    const cy = (centerYPx - window.y) * scale + (height - window.height * scale) / 2;
    const near = 0.02;
    const far = 20;
    // A pinhole camera with its principal point anywhere, as OpenGL wants it: y up, looking along -z.
    photoCamera.projectionMatrix.set(
      (2 * f) / width,
      0,
      1 - (2 * cx) / width,
      0,
      0,
      (2 * f) / height,
      (2 * cy) / height - 1,
      0,
      0,
      0,
      -(far + near) / (far - near),
      (-2 * far * near) / (far - near),
      0,
      0,
      -1,
      0,
    );
    photoCamera.projectionMatrixInverse.copy(photoCamera.projectionMatrix).invert();
    photoCamera.matrix.copy(new Matrix4().fromArray(output.gltf.nodeMatrix));
    photoCamera.matrixWorldNeedsUpdate = true;
  };
  const resize = () => {
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (width === 0 || height === 0) return;
    const orbit = face === null ? null : getOrbit();
    renderer.setPixelRatio(Math.min(2, devicePixelRatio));
    renderer.setSize(width, height, false);
    orbitCamera.aspect = width / height;
    orbitCamera.updateProjectionMatrix();
    controls.minDistance = fitDistance() * 0.35;
    controls.maxDistance = fitDistance() * 2.2;
    if (orbit !== null) setOrbit(orbit);
    projectPhoto();
    invalidate();
  };
  const disposeFace = () => {
    materials?.dispose();
    materials = null;
    if (face === null) return;
    pivot.remove(face.root);
    face.dispose();
    face = null;
  };

  controls.addEventListener('change', () => {
    invalidate();
    if (!silent) onOrbit?.(getOrbit());
  });
  const onLost = (e: Event) => {
    e.preventDefault();
    onContextLost?.();
  };
  canvas.addEventListener('webglcontextlost', onLost);

  return {
    setFace(next) {
      disposeFace();
      face = next;
      pivot.add(next.root);
      materials = createViewMaterials(next.meshes);
      materials.show(view);
      const box = new Box3().setFromObject(next.root);
      // The origin lies between the eyes, about halfway between crown and chin. Shoulders are cut by the edge of the picture on
      // purpose: the face is what is looked at.
      const top = box.max.y;
      const bottom = Math.max(box.min.y, -CHIN_ROOM * top);
      center.set((box.min.x + box.max.x) / 2, (top + bottom) / 2, (box.min.z + box.max.z) / 2);
      fitRadius = (top - bottom) / 2;
      // The crown lies behind the plane that was fitted, so it is drawn lower: the camera looks lower too.
      center.y -= LOOK_LOWER * fitRadius;
      controls.target.copy(center);
      resize();
      setOrbit(FRONT);
    },
    setView(next) {
      view = next;
      materials?.show(next);
      invalidate();
    },
    setLight(next) {
      light = next;
      invalidate();
    },
    setWeights(weights) {
      for (const mesh of face?.meshes ?? []) applyWeights(mesh, weights);
      invalidate();
    },
    setPhotoCamera(next) {
      photo = next;
      controls.enabled = next === null;
      projectPhoto();
      invalidate();
    },
    turn(azimuthDeg, polarDeg, zoom = 1) {
      const orbit = getOrbit();
      setOrbit({
        azimuthRad: orbit.azimuthRad + (azimuthDeg * Math.PI) / 180,
        polarRad: Math.min(controls.maxPolarAngle, Math.max(controls.minPolarAngle, orbit.polarRad + (polarDeg * Math.PI) / 180)),
        distance: Math.min(2.2, Math.max(0.35, orbit.distance / zoom)),
      });
      onOrbit?.(getOrbit());
    },
    lookFromFront() {
      setOrbit(FRONT);
      onOrbit?.(getOrbit());
    },
    getOrbit,
    setOrbit,
    setSway(yawDeg, pitchDeg) {
      pivot.rotation.set((-pitchDeg * Math.PI) / 180, (yawDeg * Math.PI) / 180, 0);
      invalidate();
    },
    resize,
    drawNow(orbit) {
      setOrbit(orbit);
      cancelAnimationFrame(frame);
      draw();
    },
    takeScreenshot() {
      draw();
      return canvasToBlob(canvas, 'image/png');
    },
    spin(durationMs, signal, onProgress) {
      const start = getOrbit();
      return new Promise((resolve) => {
        let begin: number | null = null;
        const step = (now: number) => {
          begin ??= now;
          const ratio = signal.aborted ? 1 : Math.min(1, (now - begin) / durationMs);
          setOrbit({ ...start, azimuthRad: start.azimuthRad + 2 * Math.PI * ratio });
          onProgress(ratio);
          if (ratio < 1) requestAnimationFrame(step);
          else resolve();
        };
        requestAnimationFrame(step);
      });
    },
    setBackdrop(color) {
      scene.background = color === null ? null : new Color(color);
      invalidate();
    },
    dispose() {
      cancelAnimationFrame(frame);
      canvas.removeEventListener('webglcontextlost', onLost);
      controls.dispose();
      disposeFace();
      renderer.dispose();
    },
  };
}

function applyWeights(mesh: Mesh, weights: Readonly<Record<string, number>>): void {
  const { morphTargetDictionary, morphTargetInfluences } = mesh;
  if (morphTargetDictionary === undefined || morphTargetInfluences === undefined) return;
  for (const [name, index] of Object.entries(morphTargetDictionary)) morphTargetInfluences[index] = weights[name] ?? 0;
}
