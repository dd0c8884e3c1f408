import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Job } from './job.ts';

/** A job of which most is packed: what lists, limits and clocks need of every one. */
export type JobIndex = Pick<
  Job,
  'tenant' | 'id' | 'state' | 'createdAt' | 'deadlineAt' | 'ttlMs' | 'startedAt' | 'finishedAt' | 'expiresAt' | 'attempt'
>;

/** Names of ARKit, as every result has them. A name that is not here costs some bytes. */
const BLENDSHAPES =
  'browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight tongueOut'.split(
    ' ',
  );
const FILES = ['face.obj', 'face.mtl', 'albedo.png', 'preview.png', 'report.json', 'face.glb'];

/** Text that packed jobs are likely to repeat. It never leaves the process, so it may change with every version. */
const DICTIONARY = Buffer.from(
  [
    '{"code":"FW_FACE_NOT_FOUND","params":{"candidates":0,"bestScore":0.,"minScore":0.5}}',
    '"type":"image/png","type":"image/jpeg","type":"application/json","type":"application/octet-stream"',
    '{"options":{"model":"head","textureSize":1024,"formats":["glb","preview","json"],"compact":false,"face":"only","keepPhoto":false},',
    '"photo":{"key":"/jobs/r/in-/photo","bytes":,"sha256":""},"fingerprint":"","requestId":"","traceparent":null,"batchId":null,',
    '"webhookUrl":null,"error":null,"outcome":{"model":{"id":"head","version":"1.0.0"},"provider":"cpu","face":{"index":1,"count":1},',
    '"photo":{"widthPx":3024,"heightPx":4032,"format":"jpeg"},"pose":{"yawDeg":-,"pitchDeg":-,"rollDeg":-},',
    '"quality":{"confidence":0.9,"residualRatio":0.0,"eyeDistancePx":,"observedRatio":0.},"blendshapes":[',
    ...BLENDSHAPES.map((name) => `{"name":"${name}","weight":0},`),
    '],"timingsMs":{"decode":,"detect":,"landmarks":,"fit":,"texture":,"export":},"warnings":[],"files":[',
    ...FILES.map((name) => `{"name":"${name}","key":"/jobs/r//${name}","bytes":,"contentType":"model/gltf-binary","sha256":""},`),
  ].join(''),
);

/**
 * A job as it is kept for days after its end: what an index needs as it is, all else deflated, without landmarks. 6.5 kB
 * become one and a half, an index and its places in tables included.
 *
 * @returns a string of one byte per character: it costs less than a buffer of that size
 */
export function packJob(job: Job): { readonly index: JobIndex; readonly packed: string } {
  const { landmarks: _, ...all } = job;
  const { tenant, id, state, createdAt, deadlineAt, ttlMs, startedAt, finishedAt, expiresAt, attempt, ...rest } = all;
  // Written out: an object that is made of entries takes three times the memory.
  const index: JobIndex = { tenant, id, state, createdAt, deadlineAt, ttlMs, startedAt, finishedAt, expiresAt, attempt };
  return { index, packed: deflateRawSync(JSON.stringify(rest), { dictionary: DICTIONARY }).toString('latin1') };
}

/** The job of which {@link packJob} made this. */
export function unpackJob(index: JobIndex, packed: string): Job {
  const rest = inflateRawSync(Buffer.from(packed, 'latin1'), { dictionary: DICTIONARY }).toString();
  return { ...(JSON.parse(rest) as Job), landmarks: null, ...index };
}
