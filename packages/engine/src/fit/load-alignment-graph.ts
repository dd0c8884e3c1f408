import { loadTables } from '../cache/load-tables.ts';
import type { FaceModel } from '../models/face-model.ts';
import { type AlignmentGraph, buildGraph } from './align-to-landmarks.ts';

/** Raise it with every change of what {@link loadAlignmentGraph} returns (a test compares with what the version had). */
export const GRAPH_VERSION = 1;

/**
 * The graph of a model's mesh round its landmarks, from the cache folder when it is there.
 *
 * @param modelHash - see identifyModel
 * @param cacheDir - null: nothing is kept
 */
export function loadAlignmentGraph(model: FaceModel, modelHash: string, cacheDir: string | null): Promise<AlignmentGraph> {
  const key = { thing: 'fit', hash: modelHash, version: GRAPH_VERSION, kind: 'graph' };
  return loadTables(cacheDir, key, () => buildGraph(model));
}
