import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALL_FORMATS, createIsoMedia, createMarkedPicture, encodeAs, sharpFromRgb } from '../../test/photo-fixtures.ts';
import { sniffImageFormat } from './sniff-image-format.ts';

const latin1 = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));

describe('sniffImageFormat', () => {
  it.each(ALL_FORMATS)('knows %s by its content', async (format) => {
    expect(sniffImageFormat(await encodeAs(sharpFromRgb(createMarkedPicture(64, 48)), format))).toEqual({ format });
  });

  it.each([
    ['%PDF-1.4\n', 'a PDF document'],
    ['<svg width="1"/>', 'an SVG drawing'],
    ['<?xml version="1.0"?>\n<!-- x -->\n<svg>', 'an SVG drawing'],
    ['\xef\xbb\xbf  <!DOCTYPE html><html>', 'a web page (HTML)'],
    ['<?xml version="1.0"?><a/>', 'an XML document'],
    ['{"a": 1}', 'text (JSON?)'],
    ['data:image/png;base64,iVBOR', 'a data URL; decode its base64 part first'],
    ['hello', 'text'],
    ['BM\x36\x00\x00\x00', 'a BMP picture'],
    ['PK\x03\x04\x14', 'a ZIP archive or office document'],
    ['RIFF\x10\x00\x00\x00AVI LIST', 'a video (AVI)'],
    ['RIFF\x10\x00\x00\x00WAVEfmt ', 'audio (WAV)'],
    ['\x1a\x45\xdf\xa3\x01', 'a video (Matroska or WebM)'],
    ['\x00\x00\x00\x0cJXL \r\n\x87\n', 'a JPEG XL picture'],
    ['8BPS\x00\x01', 'a Photoshop document (PSD)'],
    ['II*\x00\x10\x00\x00\x00CR\x02\x00', 'a camera raw file (CR2)'],
    ['\x01\x02\x03\x04', 'unknown binary data'],
  ])('names what %j seems to be', (start, found) => {
    expect(sniffImageFormat(latin1(start))).toEqual({ format: null, found });
  });

  it.each([
    [['avif', 'mif1', 'miaf'], { format: 'avif' }],
    [['mif1', 'avif', 'miaf'], { format: 'avif' }],
    [['avis', 'msf1'], { format: 'avif' }],
    [['heic', 'mif1'], { format: null, found: 'a HEIC picture' }],
    [['mif1', 'heic'], { format: null, found: 'a HEIC picture' }],
    [['isom', 'mp41'], { format: null, found: 'a video (MP4)' }],
    [['qt  '], { format: null, found: 'a video (QuickTime)' }],
    [['crx ', 'isom'], { format: null, found: 'a camera raw file (CR3)' }],
  ])('tells ISO media apart by all its brands: %j', (brands, expected) => {
    expect(sniffImageFormat(createIsoMedia(...brands))).toEqual(expected);
  });

  it('answers for any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => 'format' in sniffImageFormat(bytes)));
  });
});
