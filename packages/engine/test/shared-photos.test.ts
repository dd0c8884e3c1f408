/** @module Real photos: what shared/photos/index.csv says of each is what the engine finds. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFacewrightError } from '@facewright/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../src/create-engine.ts';
import type { Reconstruction } from '../src/reconstruction.ts';
import { requireShared } from './shared-files.ts';

interface PhotoRow {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly faces: number;
  readonly pose: string;
  readonly notes: string;
}

/** Rows of a table with a head line; a cell in quotation marks may hold commas. */
function parseRows(csv: string): PhotoRow[] {
  const [head, ...lines] = csv
    .trim()
    .split(/\r?\n/)
    .map((line) => [...line.matchAll(/("([^"]*)"|[^,]*)(,|$)/g)].map((m) => m[2] ?? m[1]!));
  return lines.map((cells) => {
    const cell = (name: string): string => cells[head!.indexOf(name)]!;
    return {
      file: cell('file'),
      width: Number(cell('width')),
      height: Number(cell('height')),
      bytes: Number(cell('bytes')),
      faces: Number(cell('faces_expected')),
      pose: cell('pose'),
      notes: cell('notes'),
    };
  });
}

/** Words of the index, and what then must hold of the face. They are what people say who look at a photo, so the bounds are wide. */
const CLAIMS: readonly { readonly column: 'pose' | 'notes'; readonly says: RegExp; readonly holds: (made: Reconstruction) => void }[] = [
  // From about 20 degrees on a face no longer looks frontal.
  { column: 'pose', says: /^frontal/, holds: ({ face }) => expect(Math.abs(face.pose.yawDeg)).toBeLessThan(20) },
  { column: 'pose', says: /^frontal$/, holds: ({ face }) => expect(Math.abs(face.pose.rollDeg)).toBeLessThan(12) },
  { column: 'pose', says: /^3\/4/, holds: ({ face }) => expect(Math.abs(face.pose.yawDeg)).toBeGreaterThan(12) },
  { column: 'pose', says: /roll ~90 deg/, holds: ({ face }) => expect(Math.abs(Math.abs(face.pose.rollDeg) - 90)).toBeLessThan(30) },
  { column: 'pose', says: /roll ~90 deg/, holds: ({ warnings }) => expect(warnings.map((w) => w.code)).toContain('FACE_TURNED_PHOTO') },
  { column: 'pose', says: /pitch up/, holds: ({ face }) => expect(face.pose.pitchDeg).toBeGreaterThan(2) },
  { column: 'notes', says: /black-and-white/, holds: ({ warnings }) => expect(warnings.map((w) => w.code)).toContain('PHOTO_GREY') },
  { column: 'notes', says: /smile|laughing/, holds: (made) => expect(pairOf(made, 'mouthSmile')).toBeGreaterThan(0.2) },
  { column: 'notes', says: /neutral/, holds: (made) => expect(pairOf(made, 'mouthSmile')).toBeLessThan(0.2) },
  // A sleeping baby's lids are unlike any of the model: 0.2 is read where open eyes give 0 to 0.1.
  { column: 'notes', says: /eyes closed/, holds: (made) => expect(pairOf(made, 'eyeBlink')).toBeGreaterThan(0.15) },
];

/** Mean weight of the left and the right one. */
function pairOf({ blendshapes }: Reconstruction, name: string): number {
  const weights = blendshapes.filter((b) => b.name === `${name}Left` || b.name === `${name}Right`).map((b) => b.weight);
  expect(weights).toHaveLength(2);
  return (weights[0]! + weights[1]!) / 2;
}

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ textureSize: 512 });
}, 60_000);
afterAll(() => engine.close());

describe('the shared photos', () => {
  it('are reconstructed or refused as the index of the photos says', { timeout: 240_000 }, async (ctx) => {
    const rows = parseRows(await readFile(requireShared(ctx, 'photos/index.csv'), 'utf8'));
    expect(rows.length).toBeGreaterThan(15);
    const used = new Set<unknown>();
    for (const row of rows) {
      const bytes = await readFile(join(requireShared(ctx, 'photos'), row.file));
      expect(bytes.length, row.file).toBe(row.bytes);
      const outcome = await engine.reconstruct(bytes, { fileName: row.file }).catch((e: unknown) => e);
      if (isFacewrightError(outcome)) {
        expect(allowedRefusals(row), row.file).toContain(outcome.code);
        continue;
      }
      const made = outcome as Reconstruction;
      expect([made.photo.width, made.photo.height], row.file).toEqual([row.width, row.height]);
      expect(made.faceCount, row.file).toBe(1);
      expect(row.faces, row.file).toBe(1);
      // Half a face is no face; what is cut is at least said.
      if (/cut/.test(row.pose)) expect(made.warnings.map((w) => w.code)).toContain('FACE_NEAR_BORDER');
      for (const claim of CLAIMS.filter((c) => c.says.test(row[c.column]))) {
        used.add(claim);
        try {
          claim.holds(made);
        } catch (cause) {
          throw new Error(`${row.file} is said to be "${row[claim.column]}"`, { cause });
        }
      }
    }
    expect(used.size, 'claims that no row makes').toBe(CLAIMS.length);
  });

  it('with several faces offer them for choice', { timeout: 120_000 }, async (ctx) => {
    const rows = parseRows(await readFile(requireShared(ctx, 'photos/index.csv'), 'utf8')).filter((row) => row.faces > 1);
    expect(rows.length).toBeGreaterThan(1);
    for (const row of rows) {
      const { faces } = await engine.findFaces(await readFile(join(requireShared(ctx, 'photos'), row.file)));
      expect(faces.length, row.file).toBeLessThanOrEqual(row.faces);
      expect(
        faces.map((f) => f.index),
        row.file,
      ).toEqual(faces.map((_, k) => k + 1));
      // Faces of the crowd hide one another and some are turned away: half of them can be measured.
      if (/tiny/.test(row.pose)) for (const face of faces) expect(face.refusal?.code, row.file).toBe('FW_FACE_TOO_SMALL');
      else expect(faces.filter((f) => f.refusal === null).length, row.file).toBeGreaterThanOrEqual(row.faces / 2);
    }
  });
});

/** Codes with which a photo may be refused, by what the index says of it; none: it must be reconstructed. */
function allowedRefusals({ faces, pose, width }: PhotoRow): string[] {
  if (faces === 0) return ['FW_FACE_NOT_FOUND', 'FW_FACE_NOT_HUMAN'];
  if (pose === 'tiny' || width < 120) return ['FW_FACE_TOO_SMALL'];
  if (faces > 1) return ['FW_FACE_SEVERAL'];
  return /cut/.test(pose) ? ['FW_FACE_CUT'] : [];
}
