import { type ObjMesh, parseObj, parseObjPositions } from './parse-obj.ts';
import { readArchive } from './read-archive.ts';

/** What is taken from the archive, as it is there: centimetres, upstream's origin. */
export interface Upstream {
  readonly neutral: ObjMesh;
  /** Per mode the displacement from the neutral head at one standard deviation, shape (V,3). */
  readonly identities: readonly Float64Array[];
  readonly expressions: readonly { readonly name: string; readonly delta: Float64Array }[];
  readonly licenceText: string;
}

const IDENTITY_COUNT = 100;

/** Reads the neutral head, 100 identity modes and the 53 expressions that upstream's own list names. */
export async function readUpstream(archivePath: string): Promise<Upstream> {
  const positions = new Map<string, Float64Array>();
  let neutral: ObjMesh | null = null;
  let names: string[] = [];
  let licenceText = '';
  await readArchive(
    archivePath,
    (name) => /\/FaceXModel\/[^/]*\.(obj|json)$|^[^/]+\/LICENSE$/.test(name),
    (name, bytes) => {
      const base = name.slice(name.lastIndexOf('/') + 1);
      if (base === 'generic_neutral_mesh.obj') neutral = parseObj(bytes);
      else if (base === 'vertex_indices.json') names = (JSON.parse(bytes.toString('utf8')) as { expressions: string[] }).expressions;
      else if (base === 'LICENSE') licenceText = bytes.toString('utf8');
      else if (!SKIPPED.test(base)) positions.set(base.replace(/\.obj$/, ''), parseObjPositions(bytes));
    },
  );
  if (!neutral || names.length === 0) throw new Error(`${archivePath} does not hold the ICT-FaceKit light model`);
  const base = (neutral as ObjMesh).positions;
  const deltaOf = (name: string): Float64Array => {
    const shape = positions.get(name);
    if (!shape || shape.length !== base.length) throw new Error(`${archivePath} lacks the shape ${name}`);
    return shape.map((x, i) => x - base[i]!);
  };
  return {
    neutral,
    identities: Array.from({ length: IDENTITY_COUNT }, (_, k) => deltaOf(`identity${String(k).padStart(3, '0')}`)),
    expressions: names.map((name) => ({ name, delta: deltaOf(name) })),
    licenceText,
  };
}

/** Shapes in the archive that upstream's list of expressions leaves out. */
const SKIPPED = /^(PupilDilate|cheekRaiser)_[LR]\.obj$/;
