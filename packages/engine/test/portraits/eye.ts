import { noise3, smoothstep } from './noise.ts';
import type { PersonLook } from './person.ts';
import type { Hit, Lamp } from './shader.ts';
import type { World } from './world.ts';

/** Radius of the iris over that of the eyeball: 6 mm of 15 in this model. */
const IRIS_SHARE = 0.41;

/** Pupil over iris in a lit room. */
const PUPIL_SHARE = 0.33;

/** Refractive index of the cornea. */
const CORNEA = 1.376;

/** A shader for the outer eyeball: sclera with veins, the iris seen through the cornea, the lights mirrored in the wet front. */
export function createEyeShader(look: PersonLook, world: World, lamps: readonly Lamp[]): (hit: Hit, rgb: Float64Array) => void {
  const { position, eyes } = world;
  const key = lamps[0]!;
  const fill = lamps[1]!;
  const irisTone = look.irisColor;
  // A softbox is large: its edge toward the camera is what the eye mirrors, nearer to the view than its middle.
  const windows = [key, fill].map((lamp) => {
    const length = Math.hypot(lamp.x * 0.6, lamp.y * 0.5, lamp.z);
    return { x: (lamp.x * 0.6) / length, y: (lamp.y * 0.5) / length, z: lamp.z / length };
  });

  return (hit, rgb) => {
    const { a, b, c, w0, w1, w2, nx, ny, nz, vx, vy, vz, ambientR, ambientG, ambientB } = hit;
    const px = w0 * position[a]! + w1 * position[b]! + w2 * position[c]!;
    const py = w0 * position[a + 1]! + w1 * position[b + 1]! + w2 * position[c + 1]!;
    const pz = w0 * position[a + 2]! + w1 * position[b + 2]! + w2 * position[c + 2]!;
    const right = eyes[0]!;
    const left = eyes[1]!;
    const isRight =
      (px - right.center[0]) ** 2 + (py - right.center[1]) ** 2 + (pz - right.center[2]) ** 2 <
      (px - left.center[0]) ** 2 + (py - left.center[1]) ** 2 + (pz - left.center[2]) ** 2;
    const { axis, side, up, center, radius } = isRight ? right : left;
    const dx = px - center[0];
    const dy = py - center[1];
    const dz = pz - center[2];
    const height = dx * axis[0] + dy * axis[1] + dz * axis[2];
    const along = height / Math.sqrt(dx * dx + dy * dy + dz * dz);
    const sx = (dx * side[0] + dy * side[1] + dz * side[2]) / radius;
    const sy = (dx * up[0] + dy * up[1] + dz * up[2]) / radius;
    const irisRadius = radius * IRIS_SHARE;
    const irisHeight = Math.sqrt(radius * radius - irisRadius * irisRadius) - 0.2;
    const limbusCos = irisHeight / radius;

    // Sclera: never white; pinker and veined toward the corners.
    const corner = smoothstep(0.42, 0.95, Math.abs(sx));
    const vein = veins(sx * 9, sy * 9, isRight ? 171 : 173) * (0.3 + 0.7 * corner);
    let r = 0.56 * (1 - 0.1 * corner - 0.05 * vein);
    let g = 0.49 * (1 - 0.26 * corner - 0.24 * vein);
    let bl = 0.445 * (1 - 0.28 * corner - 0.22 * vein);
    // The pink flesh of the inner corner.
    const nasal = smoothstep(0.52, 0.72, isRight ? sx : -sx);
    r += (0.5 - r) * nasal;
    g += (0.23 - g) * nasal;
    bl += (0.19 - bl) * nasal;
    let keyFacing = Math.max(0, (nx * key.x + ny * key.y + nz * key.z + 0.3) / 1.3);
    let fillFacing = Math.max(0, (nx * fill.x + ny * fill.y + nz * fill.z + 0.3) / 1.3);

    const cosIn = nx * vx + ny * vy + nz * vz;
    const limbus = smoothstep(limbusCos - 0.014, limbusCos + 0.026, along);
    if (limbus > 0) {
      // The ray bends at the cornea and meets the plane of the iris.
      const eta = 1 / CORNEA;
      const bend = eta * cosIn - Math.sqrt(Math.max(0, 1 - eta * eta * (1 - cosIn * cosIn)));
      const fx = bend * nx - eta * vx;
      const fy = bend * ny - eta * vy;
      const fz = bend * nz - eta * vz;
      const fall = Math.min(-0.05, fx * axis[0] + fy * axis[1] + fz * axis[2]);
      const s = (irisHeight - height) / fall;
      const qx = dx + fx * s;
      const qy = dy + fy * s;
      const qz = dz + fz * s;
      const ix = (qx * side[0] + qy * side[1] + qz * side[2]) / irisRadius;
      const iy = (qx * up[0] + qy * up[1] + qz * up[2]) / irisRadius;
      const radial = Math.sqrt(ix * ix + iy * iy) + 1e-6;
      const cx = ix / radial;
      const cy = iy / radial;
      const seed = isRight ? 181 : 187;
      const fibre = 0.6 * noise3(cx * 15, cy * 15, radial * 2.2, seed) + 0.4 * noise3(cx * 32, cy * 32, radial * 3.5, seed + 1);
      const crypt = Math.max(0, noise3(cx * 5, cy * 5, radial * 5, seed + 2) - 0.1);
      const ring = (radial - 0.5 - 0.05 * noise3(cx * 6, cy * 6, 0, seed + 3)) / 0.11;
      const collarette = Math.exp(-ring * ring);
      const light = (0.78 + 0.5 * fibre - 0.55 * crypt + 0.42 * collarette) * (1 - 0.82 * smoothstep(0.76, 1, radial));
      const warm = smoothstep(0.7, 0.36, radial);
      let ir = irisTone[0] * light * (1 + 0.9 * warm);
      let ig = irisTone[1] * light * (1 + 0.22 * warm);
      let ib = irisTone[2] * light * (1 - 0.35 * warm);
      const pupil = smoothstep(PUPIL_SHARE + 0.02, PUPIL_SHARE - 0.02, radial + 0.012 * fibre);
      ir += (0.003 - ir) * pupil;
      ig += (0.003 - ig) * pupil;
      ib += (0.003 - ib) * pupil;
      r += (Math.max(0, ir) - r) * limbus;
      g += (Math.max(0, ig) - g) * limbus;
      bl += (Math.max(0, ib) - bl) * limbus;
      // The cornea gathers the light on the side away from the lamp.
      const lightX = key.x * side[0] + key.y * side[1] + key.z * side[2];
      const lightY = key.x * up[0] + key.y * up[1] + key.z * up[2];
      const flat = Math.max(0, axis[0] * key.x + axis[1] * key.y + axis[2] * key.z);
      const caustic = Math.max(0.12, flat * 1.3 * (1 - 0.8 * (ix * lightX + iy * lightY)));
      keyFacing += (caustic - keyFacing) * limbus;
      fillFacing += (0.8 - fillFacing) * limbus;
    }
    // Shadow of the upper lid with its lashes, and the dark wet line under it.
    const lid = 0.5 + 0.5 * smoothstep(0.4, 0.08, sy);
    const keySeen = hit.seen[0]! * lid * keyFacing;
    const fillSeen = hit.seen[1]! * lid * fillFacing;
    const open = 0.6 + 0.4 * lid;
    rgb[0] = r * (ambientR * open + key.r * keySeen + fill.r * fillSeen);
    rgb[1] = g * (ambientG * open + key.g * keySeen + fill.g * fillSeen);
    rgb[2] = bl * (ambientB * open + key.b * keySeen + fill.b * fillSeen);

    // Mirror: crisp windows of light, and the room faintly.
    const wx = 2 * cosIn * nx - vx;
    const wy = 2 * cosIn * ny - vy;
    const wz = 2 * cosIn * nz - vz;
    const grazing = 1 - Math.max(0, cosIn);
    const fresnel = 0.03 + 0.6 * grazing ** 5;
    for (let i = 0; i < 2; i++) {
      const lamp = lamps[i]!;
      const at = windows[i]!;
      if (wx * at.x + wy * at.y + wz * at.z <= 0) continue;
      const offX = Math.abs(wx * at.z - wz * at.x);
      const offY = Math.abs(wy * at.z - wz * at.y);
      const size = Math.max(0.09, lamp.spread * 0.72);
      const window = smoothstep(size * 1.1, size * 0.9, offX) * smoothstep(size * 1.25, size * 1.02, offY);
      const power = (i === 0 ? 26 * Math.max(hit.seen[0]!, 0.45) : 2.2 * hit.seen[1]!) * fresnel * window;
      rgb[0] += power * lamp.r;
      rgb[1] += power * lamp.g;
      rgb[2] += power * lamp.b;
    }
    const sky = fresnel * (0.5 - 0.5 * wy) * 0.8;
    rgb[0] += sky * (ambientR + 0.1);
    rgb[1] += sky * (ambientG + 0.1);
    rgb[2] += sky * (ambientB + 0.1);
  };
}

/** Thin branching lines, 0..1. */
function veins(x: number, y: number, seed: number): number {
  const wx = x + 1.2 * noise3(x * 0.5, y * 0.5, 0, seed);
  const wy = y + 1.2 * noise3(x * 0.5, y * 0.5, 5, seed);
  const branch = 1 - Math.abs(noise3(wx * 0.6, wy * 1.5, 2, seed)) * 7;
  const twig = 1 - Math.abs(noise3(wx * 1.4, wy * 2.6, 3, seed)) * 7;
  return Math.max(0, branch) + 0.5 * Math.max(0, twig);
}
