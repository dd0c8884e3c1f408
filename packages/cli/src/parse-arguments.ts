import { FacewrightError } from '@facewright/protocol';
import { FORMATS, type OutputFormat } from './engine-port.ts';

/** A whole number within bounds. @throws FW_ARG_INVALID */
export function parseWhole(name: string, min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const expected = max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min} on` : `a whole number from ${min} to ${max}`;
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new FacewrightError('FW_ARG_INVALID', { name, expected, actual: text });
    return value;
  };
}

/** One of a few words. @throws FW_ARG_INVALID */
export function parseChoice<T extends string>(name: string, choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((c) => c === text);
    if (choice === undefined) throw new FacewrightError('FW_ARG_INVALID', { name, expected: `one of ${choices.join(', ')}`, actual: text });
    return choice;
  };
}

/** A path; an empty one is a shell variable that is not set, and would mean the folder one stands in. @throws FW_ARG_INVALID */
export function parsePath(name: string): (text: string) => string {
  return (text) => {
    if (text === '') throw new FacewrightError('FW_ARG_INVALID', { name, expected: 'a path', actual: text });
    return text;
  };
}

/** The same for several. @throws FW_ARG_INVALID */
export function parsePaths(name: string): (text: string, before: readonly string[] | undefined) => readonly string[] {
  const path = parsePath(name);
  return (text, before) => [...(before ?? []), path(text)];
}

/** `glb,preview` → in the order of the table, each once. @throws FW_ARG_INVALID */
export function parseFormats(text: string): readonly OutputFormat[] {
  const choice = parseChoice('--format', FORMATS);
  const wanted = new Set(text.split(',').map((part) => choice(part.trim())));
  return FORMATS.filter((format) => wanted.has(format));
}

/** `largest`, `all`, or a number from 1 on. @throws FW_ARG_INVALID */
export function parseFace(text: string): 'largest' | 'all' | number {
  if (text === 'largest' || text === 'all') return text;
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new FacewrightError('FW_ARG_INVALID', { name: '--face', expected: 'largest, all or a number from 1 on', actual: text });
}

/**
 * What lenses have, in pixels and in full-frame millimetres. The smallest photo that is taken has a face of 40 px, which a wide lens shows
 * with some 100 px of focal length; the largest, 120 million pixels through a telescope, with a million.
 */
const FOCAL_PX_RANGE = [50, 1_000_000] as const;
const FOCAL_MM_RANGE = [5, 3000] as const;

/** `3200` or `3200px` in pixels of the photo, `50mm` as a full-frame equivalent. @throws FW_ARG_INVALID */
export function parseFocal(text: string): { readonly focalPx: number } | { readonly focal35mm: number } {
  const match = /^(\d+(?:\.\d+)?)(px|mm)?$/.exec(text.trim().toLowerCase());
  const value = Number(match?.[1] ?? Number.NaN);
  const [low, high] = match?.[2] === 'mm' ? FOCAL_MM_RANGE : FOCAL_PX_RANGE;
  if (!(value >= low && value <= high)) {
    throw new FacewrightError('FW_ARG_INVALID', {
      name: '--focal',
      expected:
        'pixels (3200; usually 0.7 to 3 times the longer side of the photo) or a full-frame equivalent (50mm; usually 20mm to 200mm)',
      actual: text,
    });
  }
  return match?.[2] === 'mm' ? { focal35mm: value } : { focalPx: value };
}
