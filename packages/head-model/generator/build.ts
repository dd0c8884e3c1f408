/**
 * Makes model/head.bin from the archive of ICT-FaceKit's light model.
 *
 *     npm run build:model -w packages/head-model -- [archive.tar.gz] [out.bin]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCanonicalMesh } from '../../engine/src/nets/read-canonical-mesh.ts';
import { headModelPath } from '../src/head-model-path.ts';
import { buildHeadModel } from './build-head-model.ts';
import { readUpstream } from './read-upstream.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const shared = process.env.FACEWRIGHT_SHARED ?? join(root, '..', 'shared');
const archive = process.argv[2] ?? join(shared, 'ict-facekit', 'ICT-FaceKit-da5f95a6.tar.gz');
const out = process.argv[3] ?? headModelPath();

const started = performance.now();
const upstream = await readUpstream(archive);
process.stdout.write(`read ${archive} in ${Math.round(performance.now() - started)} ms\n`);
const { bytes, report } = buildHeadModel(upstream, await readCanonicalMesh());
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, bytes);
process.stdout.write(`${report.join('\n')}\nwrote ${out}: ${bytes.length} bytes in ${Math.round(performance.now() - started)} ms\n`);
