/** What the name of an object's file says of it. */
export interface ObjectFileName {
  /** Last segment of the key. */
  readonly segment: string;
  /** Orders the versions of an object as text: time of writing, then chance. */
  readonly version: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly contentType: string;
}

/** Digits of a version's time: Unix ms in base 36 has 9 until the year 5188. */
const TIME_DIGITS = 9;
const NAME = /^([A-Za-z0-9._-]{1,100})@([0-9a-z]{9}-[0-9a-z]{6})\.(\d{1,15})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9%._+-]{1,96})$/;

/**
 * Name of the file of an object: `segment@version.bytes.sha256.type`. One rename makes content and description appear
 * together, so that neither can be there without the other; keys cannot contain `@`. At most 100 + 1 + 16 + 16 + 44 + 78 = 255 bytes.
 */
export function formatObjectFileName(name: ObjectFileName): string {
  const sha256 = Buffer.from(name.sha256, 'hex').toString('base64url');
  return `${name.segment}@${name.version}.${name.bytes}.${sha256}.${encodeURIComponent(name.contentType)}`;
}

/** Null for what is not the file of an object. */
export function parseObjectFileName(file: string): ObjectFileName | null {
  const match = NAME.exec(file);
  if (match === null) return null;
  const [, segment, version, bytes, sha256, type] = match as unknown as [string, string, string, string, string, string];
  return {
    segment,
    version,
    bytes: Number(bytes),
    sha256: Buffer.from(sha256, 'base64url').toString('hex'),
    contentType: decodeType(type),
  };
}

const decodeType = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return 'application/octet-stream';
  }
};

/** A version later than `after` (where given), whatever the clocks of several machines say. */
export function createVersion(nowMs: number, after: string | null, chance: string): string {
  const time = Math.max(nowMs, after === null ? 0 : timeOfVersion(after) + 1);
  return `${time.toString(36).padStart(TIME_DIGITS, '0')}-${chance}`;
}

/** Unix ms. */
export const timeOfVersion = (version: string): number => Number.parseInt(version.slice(0, TIME_DIGITS), 36);

/** Folder of a key's segment: capitals are marked, so that `A` and `a` differ on file systems where they do not. */
export const folderFromSegment = (segment: string): string => segment.replace(/[A-Z]/g, (c) => `^${c.toLowerCase()}`);
export const segmentFromFolder = (folder: string): string => folder.replace(/\^([a-z])/g, (_, c: string) => c.toUpperCase());
