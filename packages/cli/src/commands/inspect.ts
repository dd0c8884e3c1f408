import { basename, extname, join, resolve } from 'node:path';
import { FacewrightError } from '@facewright/protocol';
import type { CommandContext } from '../command-context.ts';
import type { EngineOptions, FoundFaces } from '../engine-port.ts';
import { drawFaces } from '../inspect/draw-faces.ts';
import { isRemark } from '../make/describe-outcome.ts';
import { readPhoto } from '../make/read-photo.ts';
import { writeWholeFile } from '../output/write-whole-file.ts';
import { formatTable } from '../print/format-table.ts';
import { createPaint } from '../print/paint.ts';
import { showPath, showText } from '../print/show-path.ts';

export interface InspectOptions {
  readonly engine: EngineOptions;
  readonly output?: string | undefined;
  readonly focalPx?: number;
  readonly focal35mm?: number;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
}

/** Formats that the picture can have, by the ending of `-o`. */
const PICTURE_FORMATS: Readonly<Record<string, 'png' | 'jpeg' | 'webp'>> = {
  '.png': 'png',
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.webp': 'webp',
};

/** `facewright inspect`: what is found in a photo, as a picture and in numbers. Returns the exit status. */
export async function inspect(arg: string, options: InspectOptions, context: CommandContext): Promise<number> {
  const { io } = context;
  const path = resolve(io.cwd, arg);
  const wantsPicture = options.output !== undefined || !options.json;
  const picture = resolve(io.cwd, options.output ?? join(io.cwd, `${basename(path, extname(path))}.inspect.png`));
  const format = PICTURE_FORMATS[extname(picture).toLowerCase()];
  if (format === undefined) {
    throw new FacewrightError('FW_ARG_INVALID', {
      name: '--output',
      expected: 'a name that ends in .png, .jpg or .webp',
      actual: options.output,
    });
  }
  if (picture === path)
    throw new FacewrightError('FW_ARG_INVALID', { name: '--output', expected: 'another name than the photo', actual: options.output });

  const bytes = await readPhoto(path, options.engine.limits?.maxBytes);
  const engine = await (await context.engineModule()).createEngine(options.engine);
  try {
    const found = await engine.findFaces(bytes, {
      fileName: basename(path),
      ...(options.focalPx === undefined ? {} : { focalPx: options.focalPx }),
      ...(options.focal35mm === undefined ? {} : { focal35mm: options.focal35mm }),
      ...(io.signal === undefined ? {} : { signal: io.signal }),
    });
    if (wantsPicture) await writeWholeFile(picture, await renderPicture(found, format));
    if (options.json) io.stdout.write(`${JSON.stringify(describeFound(found, path, wantsPicture ? picture : null))}\n`);
    if (!options.quiet) {
      const text = options.json ? io.stderr : io.stdout;
      text.write(formatFound(found));
      if (wantsPicture) text.write(`${createPaint(text, io.env).green(showPath(picture, io.cwd))}\n`);
    }
    return 0;
  } finally {
    await engine.close();
  }
}

async function renderPicture(found: FoundFaces, format: 'png' | 'jpeg' | 'webp'): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  const { width, height, rgb } = found.view.raster;
  const image = sharp(rgb, { raw: { width, height, channels: 3 } }).composite([{ input: Buffer.from(drawFaces(found)) }]);
  return image.toFormat(format, format === 'png' ? {} : { quality: 92 }).toBuffer();
}

/** The object of `--json`. docs/command-line.md describes it. */
function describeFound({ photo, faces, warnings }: FoundFaces, path: string, picture: string | null): Record<string, unknown> {
  return {
    type: 'inspect',
    photo: path,
    image: { widthPx: photo.width, heightPx: photo.height, format: photo.format, exifFocalPx: photo.exifFocalPx },
    faces: faces.map((face) => ({
      index: face.index,
      widthPx: round(face.widthPx, 1),
      box: { x: round(face.box.x, 1), y: round(face.box.y, 1), width: round(face.box.width, 1), height: round(face.box.height, 1) },
      score: round(face.score, 3),
      presence: round(face.landmarks.presence, 3),
      pose: { yawDeg: round(face.pose.yawDeg, 2), pitchDeg: round(face.pose.pitchDeg, 2), rollDeg: round(face.pose.rollDeg, 2) },
      confidence: round(face.confidence, 3),
      eyeDistancePx: round(face.eyeDistancePx, 2),
      residualRmsPx: round(face.residualRmsPx, 3),
      refusal: face.refusal,
      warnings: face.warnings,
      landmarks: Array.from({ length: face.landmarks.points.length / 3 }, (_, i) =>
        [...face.landmarks.points.subarray(3 * i, 3 * i + 3)].map((v) => round(v, 3)),
      ),
    })),
    warnings,
    picture,
  };
}

/** As many digits as mean something. */
const round = (value: number, digits: number): number => Number(value.toFixed(digits));

function formatFound({ photo, faces, warnings }: FoundFaces): string {
  const head = `${photo.width} x ${photo.height} ${photo.format}, ${faces.length} ${faces.length === 1 ? 'face' : 'faces'}\n`;
  const remarks = faces.flatMap((face) => face.warnings).filter((w) => isRemark(w.code));
  const notes = [
    ...warnings.map((w) => `warning: ${showText(w.message)} [${w.code}]\n`),
    ...remarks.slice(0, 1).map((w) => `note: ${showText(w.message)} [${w.code}]\n`),
  ].join('');
  if (faces.length === 0) return head + notes;
  const rows = faces.map((face) => [
    String(face.index),
    `${Math.round(face.widthPx)} px`,
    face.score.toFixed(2),
    face.pose.yawDeg.toFixed(0),
    face.pose.pitchDeg.toFixed(0),
    face.pose.rollDeg.toFixed(0),
    `${((100 * face.residualRmsPx) / face.eyeDistancePx).toFixed(1)} %`,
    face.confidence.toFixed(2),
    face.refusal === null
      ? ['ok', ...face.warnings.map((w) => w.code).filter((code) => !isRemark(code))].join(' ')
      : `${face.refusal.code}: ${face.refusal.message}`,
  ]);
  const right = 'right' as const;
  const align = [right, right, right, right, right, right, right, right];
  return (
    head + notes + formatTable(['face', 'width', 'score', 'yaw', 'pitch', 'roll', 'residual', 'confidence', 'make would say'], rows, align)
  );
}
