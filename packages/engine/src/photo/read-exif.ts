/** The few EXIF fields that a reconstruction needs; null where the photo does not tell or tells nonsense. */
export interface ExifFields {
  /** Focal length of the lens, millimetres (0x920A). */
  readonly focalLengthMm: number | null;
  /** Focal length in a 35 mm film camera with the same angle of view, millimetres (0xA405). */
  readonly focalLength35Mm: number | null;
  /** Pixels per millimetre on the sensor along the width (0xA20E with the unit 0xA210). */
  readonly focalPlanePxPerMm: number | null;
  /** Size that the camera or the last program wrote, pixels of the stored picture (0xA002, 0xA003). */
  readonly declaredWidth: number | null;
  readonly declaredHeight: number | null;
  /** Ratio of digital zoom (0xA404), 1 where absent. */
  readonly digitalZoom: number;
}

const NO_EXIF: ExifFields = {
  focalLengthMm: null,
  focalLength35Mm: null,
  focalPlanePxPerMm: null,
  declaredWidth: null,
  declaredHeight: null,
  digitalZoom: 1,
};

const TAG_EXIF_FOLDER = 0x8769;
const TAG_FOCAL_LENGTH = 0x920a;
const TAG_PIXEL_X = 0xa002;
const TAG_PIXEL_Y = 0xa003;
const TAG_FOCAL_PLANE_X_RESOLUTION = 0xa20e;
const TAG_FOCAL_PLANE_UNIT = 0xa210;
const TAG_DIGITAL_ZOOM = 0xa404;
const TAG_FOCAL_LENGTH_35 = 0xa405;

/** Entries beyond this in one folder are ignored: real folders have under 100, hostile ones may claim 65535. */
const MAX_ENTRIES = 512;

/**
 * Reads the fields from an EXIF block: a TIFF structure, with or without the 'Exif\0\0' mark before it, or a whole TIFF file.
 *
 * Damaged or hostile blocks give fewer fields, never an error: a photo with broken EXIF is still a photo.
 *
 * Source: CIPA DC-008-2019 (Exif 2.32) §4.6.
 */
export function readExif(block: Uint8Array): ExifFields {
  let start = 0;
  if (block[0] === 0x45 && block[1] === 0x78 && block[2] === 0x69 && block[3] === 0x66) start = 6;
  if (block.length < start + 8) return NO_EXIF;
  const view = new DataView(block.buffer, block.byteOffset + start, block.length - start);
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return NO_EXIF;
  const little = order === 0x4949;
  if (view.getUint16(2, little) !== 42) return NO_EXIF;

  const main = readFolder(view, view.getUint32(4, little), little);
  const exifOffset = main.get(TAG_EXIF_FOLDER);
  const exif = exifOffset === undefined ? new Map<number, number>() : readFolder(view, exifOffset, little);

  const perMm = MM_PER_UNIT[exif.get(TAG_FOCAL_PLANE_UNIT) ?? 2];
  const perUnit = positive(exif.get(TAG_FOCAL_PLANE_X_RESOLUTION));
  return {
    focalLengthMm: positive(exif.get(TAG_FOCAL_LENGTH)),
    focalLength35Mm: positive(exif.get(TAG_FOCAL_LENGTH_35)),
    focalPlanePxPerMm: perMm === undefined || perUnit === null ? null : perUnit / perMm,
    declaredWidth: positive(exif.get(TAG_PIXEL_X)),
    declaredHeight: positive(exif.get(TAG_PIXEL_Y)),
    digitalZoom: Math.max(1, positive(exif.get(TAG_DIGITAL_ZOOM)) ?? 1),
  };
}

/** FocalPlaneResolutionUnit: 2 inch, 3 centimetre (standard); 4 millimetre and 5 micrometre are in use as well. */
const MM_PER_UNIT: Readonly<Record<number, number>> = { 2: 25.4, 3: 10, 4: 1, 5: 0.001 };

function positive(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : null;
}

/** First value of every numeric entry of one image file directory; empty where it does not lie in the block. */
function readFolder(view: DataView, offset: number, little: boolean): Map<number, number> {
  const values = new Map<number, number>();
  if (offset < 8 || offset + 2 > view.byteLength) return values;
  const count = Math.min(view.getUint16(offset, little), MAX_ENTRIES);
  for (let i = 0; i < count; i++) {
    const at = offset + 2 + 12 * i;
    if (at + 12 > view.byteLength) break;
    const type = view.getUint16(at + 2, little);
    const value = readFirstValue(view, at + 8, type, little);
    if (value !== null) values.set(view.getUint16(at, little), value);
  }
  return values;
}

/** SHORT and LONG lie in the entry itself; RATIONAL lies where the entry points. Other types are not needed here. */
function readFirstValue(view: DataView, at: number, type: number, little: boolean): number | null {
  if (type === 3) return view.getUint16(at, little);
  if (type === 4) return view.getUint32(at, little);
  if (type !== 5) return null;
  const target = view.getUint32(at, little);
  if (target + 8 > view.byteLength) return null;
  const denominator = view.getUint32(target + 4, little);
  return denominator === 0 ? null : view.getUint32(target, little) / denominator;
}
