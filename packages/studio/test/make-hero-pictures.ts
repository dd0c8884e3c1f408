/**
 * @module Makes the pictures of the first view from a running service: the example head at several angles, and the small photo.
 * Run: npx tsx packages/studio/test/make-hero-pictures.ts http://127.0.0.1:8080/ (about two minutes; the page must be built).
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { findChromium, launchBrowser } from './launch-browser.ts';

/** Steps of the arrow keys to each side, 8 degrees each. */
const STEPS = 8;
const SIDE_PX = 720;
/** What is cut out of the canvas, in parts of its height: from a little above the crown to below the neck. */
const PART = 0.86;
const TOP = 0.03;
const folder = fileURLToPath(new URL('../src/home/hero/', import.meta.url));
const chromium = findChromium();
const [url] = process.argv.slice(2);
if (chromium === null || url === undefined) throw new Error('Chromium and the address of a service are needed');

const browser = await launchBrowser(chromium);
const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, locale: 'en' });
page.setDefaultTimeout(180_000);
await page.goto(url);
await page.locator('.example-button').click();
await page.locator('canvas[data-ready="true"]').waitFor({ timeout: 120_000 });
const canvas = page.locator('canvas.face-canvas');
for (let i = 0; i < STEPS; i++) await canvas.press('ArrowLeft');
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
for (let i = 0; i <= 2 * STEPS; i++) {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Screenshot' }).click();
  const png = await readFile(await (await download).path());
  const { width, height } = await sharp(png).metadata();
  // The middle of the canvas; the shoulders are cut by the edge, as in the viewer.
  const side = Math.round(PART * Math.min(width, height));
  const top = Math.round(TOP * height);
  const picture = sharp(png).extract({ left: Math.round((width - side) / 2), top, width: side, height: side });
  await picture
    .resize(SIDE_PX)
    .webp({ quality: 78, alphaQuality: 90, effort: 6 })
    .toFile(`${folder}${String(i).padStart(2, '0')}.webp`);
  await canvas.press('ArrowRight');
}
const photo = await readFile(fileURLToPath(new URL('../../../examples/portrait.jpg', import.meta.url)));
await writeFile(
  new URL('../src/home/example-small.webp', import.meta.url),
  await sharp(photo).resize(360).webp({ quality: 80 }).toBuffer(),
);
await browser.close();
