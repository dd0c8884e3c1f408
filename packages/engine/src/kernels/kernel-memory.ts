import { readFileSync } from 'node:fs';

/** The hot loops of the engine, compiled from packages/engine/kernels (see there what they do). Arguments that are places are byte offsets. */
export interface Kernels {
  setPaintTables(
    size: number,
    triangle: number,
    runs: number,
    empty: number,
    own: number,
    mirrored: number,
    channels: number,
    grain: number,
    strands: number,
    line: number,
    kinds: number,
  ): void;
  setPaintPhoto(photo: number, width: number, height: number, out: number, observed: number, grain: number, hair: number): void;
  paintEyeball(shade: number, redness: number, iris: number, fibre: number, count: number, colors: number, out: number): void;
  prepareRows(flags: number): void;
  paintRows(from: number, end: number): void;
  sampleWindow(
    rgb: number,
    width: number,
    height: number,
    originX: number,
    originY: number,
    stepX: number,
    stepY: number,
    side: number,
    scale: number,
    low: number,
    isBlack: number,
    out: number,
  ): void;
  setField(
    placeCount: number,
    texels: number,
    corners: number,
    cornerWeights: number,
    mirrorTexel: number,
    outsideMm: number,
    hairlineMm: number,
    lidRimMm: number,
    lipRimMm: number,
    openness: number,
    lining: number,
    seen: number,
    rgb: number,
    tone: number,
    beyondMm: number,
    outlineMm: number,
  ): void;
  observeTexels(
    imagePoints: number,
    depth: number,
    facing: number,
    inside: number,
    beyond: number,
    gridDepth: number,
    gridOutline: number,
    gridWidth: number,
    gridHeight: number,
    level: number,
    width: number,
    height: number,
    numbers: number,
  ): void;
  weighTexels(colors: number, tones: number, toneStep: number, notSkin: number, own: number, foreign: number): void;
  leaveForeign(own: number, foreign: number): void;
  shareWeights(own: number, out: number, cells: number): void;
  fadeShares(share: number, sums: number, side: number): void;
  shareSides(channels: number, notSkin: number, own: number, share: number, weights: number, delta: number): number;
  gatherKnown(
    channels: number,
    skin: number,
    hair: number,
    hairness: number,
    notSkin: number,
    delta: number,
    weights: number,
    hairWeight: number,
    hairnessWeight: number,
  ): void;
  computeLightGains(normals: number, count: number, numbers: number, colorShare: number, most: number, out: number): void;
  setLight(gains: number, light: number): void;
  evenLight(channels: number, skin: number, means: number, side: number, target: number): void;
  composePlan(
    channels: number,
    skin: number,
    hair: number,
    hairness: number,
    flesh: number,
    reddening: number,
    hasHair: number,
    cells: number,
  ): void;
  pullLevel(fine: number, fineWeights: number, fineSize: number, coarse: number, coarseWeights: number, channels: number): void;
  pushLevel(coarse: number, target: number, weights: number, side: number, channels: number, prior: number, priorWeight: number): void;
  multiplyRows(a: number, n: number, m: number, x: number, out: number): void;
  addRows(a: number, m: number, rows: number, amounts: number, count: number, out: number): void;
  computeGram(a: number, n: number, m: number, weight: number, weighted: number, dots: number, out: number): void;
  setMembrane(
    start: number,
    neighbour: number,
    degree: number,
    cornerStart: number,
    corner: number,
    cornerWeight: number,
    weight: number,
    residual: number,
    field: number,
  ): void;
  startMembrane(nearest: number, arrives: number, count: number): void;
  relaxMembrane(count: number, screen: number, landmarkWeight: number, relaxation: number): void;
  listFolded(
    triangles: number,
    count: number,
    vertex: number,
    projected: number,
    leastRatio: number,
    isFolded: number,
    folded: number,
  ): number;
  selectTriangles(triangles: number, count: number, isMarked: number, out: number): number;
  addField(points: number, vertices: number, count: number): void;
  sumNumbers(at: number, count: number): number;
  boundPoints(points: number, count: number, axes: number, out: number): void;
  takeVertices(
    vertices: number,
    count: number,
    source: number,
    divisor: number,
    pivotX: number,
    pivotY: number,
    pivotZ: number,
    out: number,
  ): void;
  indexPixels(pixels: number, count: number, slots: number, colors: number, indices: number): number;
  renameIndices(indices: number, count: number, table: number): void;
  takeMeans(
    from: number,
    rowBytes: number,
    stepBytes: number,
    offsets: number,
    channels: number,
    width: number,
    height: number,
    out: number,
  ): void;
  pushPlaces(
    coarse: number,
    target: number,
    weights: number,
    side: number,
    channels: number,
    prior: number,
    priorWeight: number,
    places: number,
    count: number,
  ): void;
  growMaximum(values: number, scratch: number, size: number): void;
  softenWeights(weights: number, scratch: number, triangles: number, size: number): void;
  sumSquares(values: number, scratch: number, sums: number, size: number, radius: number): void;
  softenEdges(values: number, triangles: number, size: number, first: number, second: number): void;
  addNumbers(target: number, added: number, count: number): void;
  averagePixels(from: number, stride: number, factor: number, width: number, height: number, out: number): void;
  sharpenPixels(from: number, width: number, height: number, amount: number, out: number): void;
  filterUp(from: number, stride: number, height: number, out: number): void;
  rasterizeTriangles(
    screen: number,
    depth: number,
    triangles: number,
    firstNumber: number,
    count: number,
    flags: number,
    addX: number,
    addY: number,
    width: number,
    height: number,
    outTriangle: number,
    outDepth: number,
    outWeight1: number,
    outWeight2: number,
  ): void;
  projectPoints(points: number, count: number, camera: number, screen: number, depth: number): void;
  turnVectors(vectors: number, count: number, rotation: number, out: number): void;
  addTriangleNormals(positions: number, triangles: number, count: number, normals: number): void;
  makeUnit(vectors: number, count: number, missing: number): void;
  setShading(
    surfaces: number,
    textures: number,
    triangleSurface: number,
    triangles: number,
    triangleUvs: number,
    uvs: number,
    normals: number,
    lights: number,
    lightCount: number,
    ambient: number,
    wire: number,
    linearFromSrgb: number,
    srgbFromLinear: number,
  ): void;
  setLayer(
    triangle: number,
    weight1: number,
    weight2: number,
    source: number,
    width: number,
    focalPx: number,
    centerX: number,
    centerY: number,
  ): void;
  paintInside(edge: number, rgb: number, from: number, end: number): void;
  addOutlines(pixels: number, count: number, backdrop: number, sum: number): void;
  storeOutlines(pixels: number, count: number, sum: number, share: number, rgb: number): void;
  addSheet(from: number, end: number, sum: number): void;
  blendSheet(from: number, end: number, sum: number, share: number, rgb: number): void;
  markOutlines(depth: number, edge: number, width: number, height: number, step: number): void;
  listMarked(edge: number, count: number, pixels: number): number;
  sumMarked(edge: number, width: number, height: number, sums: number): void;
  selectMarked(
    screen: number,
    triangles: number,
    first: number,
    end: number,
    showsBack: number,
    sums: number,
    width: number,
    height: number,
    selected: number,
    numbers: number,
    known: number,
  ): number;
}

type ArrayKind = Int8Array | Uint8Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;
type ArrayOf<T extends ArrayKind> = new (buffer: ArrayBuffer, at: number, length: number) => T;

/** As far as it is used here: the types of Node do not have it, and those of browsers are not wanted. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => CompiledModule;
  readonly Instance: new (module: CompiledModule, imports: { readonly env: { readonly memory: object } }) => { readonly exports: object };
};
interface CompiledModule {
  readonly '': 'WebAssembly.Module';
}

/** Memory that kernels and JavaScript share: typed arrays in it are handed to a kernel by their place. */
export interface KernelMemory {
  readonly kernels: Kernels;
  /**
   * An array in this memory, all zero, for as long as the memory lives.
   *
   * @throws RangeError where the memory is full
   */
  allocate<T extends ArrayKind>(kind: ArrayOf<T>, length: number): T;
  /** The array itself where it lies in this memory already, else a copy of it here. */
  place<T extends ArrayKind>(array: T): T;
  /** Numbers, words, lists and objects as they are, and every typed array among them as a copy in this memory. */
  adopt<T>(value: T): T;
}

/** Arrays begin at multiples of so many bytes: those of the widest load. */
const ALIGNMENT = 16;
const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
const PAGE_BYTES = 65536;
/** Before it lie the kernels' own constants. */
const FIRST_BYTE = PAGE_BYTES;
/** Kernels load whole vectors: so many bytes after the last array may be read. */
const SPARE_BYTES = 64;

/** Numbers, words, lists and objects as they are, and every typed array among them as a copy in memory of its own. */
export function copyArrays<T>(value: T): T {
  const copy = (part: unknown): unknown => {
    if (ArrayBuffer.isView(part)) return (part as ArrayKind).slice();
    if (Array.isArray(part)) return part.map(copy);
    if (part === null || typeof part !== 'object') return part;
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, copy(inner)]));
  };
  return copy(value) as T;
}

/** Bytes that an array, or all typed arrays in a value, take in a {@link KernelMemory}. */
export function countKernelBytes(value: unknown): number {
  if (ArrayBuffer.isView(value)) return align(value.byteLength);
  if (value === null || typeof value !== 'object') return 0;
  return Object.values(value).reduce<number>((sum, part) => sum + countKernelBytes(part), 0);
}

/**
 * Starts the kernels with memory of their own, which never grows or moves. What is not used of it costs nothing.
 *
 * @param bytes - for all arrays together (each rounded up to 16)
 */
export function createKernelMemory(bytes: number): KernelMemory {
  return startKernels(bytes).memory;
}

/**
 * Memory for kernels that do their work within one call: the same for everybody, so that it is not made and cleared anew each time. It belongs to
 * the caller until it returns or awaits; arrays in it hold what the last user left.
 *
 * @param bytes - as for {@link createKernelMemory}
 */
export function useScratchMemory(bytes: number): KernelMemory {
  if (bytes > KEPT_SCRATCH_BYTES) return createKernelMemory(bytes);
  if (scratch === null || scratch.bytes < bytes) scratch = { ...startKernels(bytes), bytes };
  scratch.clear();
  return scratch.memory;
}

/** What is larger (pictures of 4096 texels) is not kept until the next time. */
const KEPT_SCRATCH_BYTES = 24 << 20;

/** Holds nothing that anybody reads: what a caller did not write there itself it must not look at. */
let scratch: { readonly memory: KernelMemory; readonly bytes: number; readonly clear: () => void } | null = null;

function startKernels(bytes: number): { readonly memory: KernelMemory; readonly clear: () => void } {
  const memory = new WebAssembly.Memory({ initial: Math.ceil((FIRST_BYTE + bytes + SPARE_BYTES) / PAGE_BYTES) });
  const { buffer } = memory;
  const { exports } = new WebAssembly.Instance(compileKernels(), { env: { memory } });
  let next = FIRST_BYTE;
  const allocate = <T extends ArrayKind>(kind: ArrayOf<T>, length: number): T => {
    const array = new kind(buffer, next, length);
    next = align(next + array.byteLength);
    return array;
  };
  const place = <T extends ArrayKind>(array: T): T => {
    if (array.buffer === buffer) return array;
    const copy = allocate(array.constructor as ArrayOf<T>, array.length);
    copy.set(array);
    return copy;
  };
  const adopt = (value: unknown): unknown => {
    if (ArrayBuffer.isView(value)) return place(value as ArrayKind);
    if (Array.isArray(value)) return value.map(adopt);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, adopt(part)]));
  };
  return {
    memory: { kernels: exports as Kernels, allocate, place, adopt: adopt as <T>(value: T) => T },
    clear: () => {
      next = FIRST_BYTE;
    },
  };
}

let compiled: CompiledModule | null = null;

/** Compiled once for the process: code only, no state. */
function compileKernels(): CompiledModule {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('../../kernels/kernels.wasm', import.meta.url)));
  return compiled;
}
