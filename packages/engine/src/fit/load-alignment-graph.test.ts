import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTables, type TableValue } from '../cache/table-file.ts';
import type { FaceModel } from '../models/face-model.ts';
import { identifyModel } from '../models/identify-model.ts';
import { loadFaceModel } from '../models/load-face-model.ts';
import { type AlignmentGraph, buildGraph } from './align-to-landmarks.ts';
import { GRAPH_VERSION, loadAlignmentGraph } from './load-alignment-graph.ts';

let head: FaceModel;
let dir: string;
beforeAll(async () => {
  head = await loadFaceModel('head');
  dir = await mkdtemp(join(tmpdir(), 'facewright-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const format = (graph: AlignmentGraph): Uint8Array => formatTables(graph as unknown as TableValue);

describe('loadAlignmentGraph', () => {
  it('makes the graph once and reads the same one afterwards', async () => {
    const expected = format(buildGraph(head));
    const hash = identifyModel(head);
    const made = await loadAlignmentGraph(head, hash, dir);
    expect(await readdir(dir)).toEqual([`fit-${hash}-v${GRAPH_VERSION}-graph.tables`]);
    const read = await loadAlignmentGraph(head, hash, dir);
    for (const graph of [made, read, await loadAlignmentGraph(head, hash, null)]) {
      expect(Buffer.compare(format(graph), expected)).toBe(0);
    }
    // Read, not made anew: all arrays lie in the one file.
    expect(read.vertex.buffer).toBe(read.neighbour.buffer);
    expect(made.vertex.buffer).not.toBe(made.neighbour.buffer);
  });
});

describe('GRAPH_VERSION', () => {
  /**
   * Whole numbers, and fractions that are the model's own or powers of e: the latter are left out of the hash, as their last digit may differ between
   * versions of V8. If this fails because the graph was changed on purpose, or the head model was: raise the version, and take the hash that is printed.
   */
  it('belongs to this graph', () => {
    expect(GRAPH_VERSION).toBe(1);
    const { arrives, ...exact } = buildGraph(head);
    const hash = createHash('sha256')
      .update(format({ ...exact, arrives: new Float64Array(0) }))
      .digest('hex');
    expect(hash.slice(0, 16)).toBe('ed6fdf8dc32fd283');
    expect(Math.min(...arrives)).toBeCloseTo(Math.exp(-12 / 5), 12);
  });
});
