import type { JobOptionsInput } from '@facewright/protocol';
import { createStore } from '../ui/create-store.ts';

/**
 * What the next photo is made into. Everything by default: the page offers all of it for download, and measurements are needed to lay
 * the mesh over the photo.
 */
export const DEFAULT_OPTIONS = {
  model: 'head',
  textureSize: 1024,
  formats: ['glb', 'obj', 'maps', 'preview', 'json'],
  compact: false,
  face: 'only',
  keepPhoto: false,
} satisfies JobOptionsInput;

export const uploadOptions = createStore<JobOptionsInput>(DEFAULT_OPTIONS);
