/**
 * @module Makes the two pictures of the page that the README shows, from a running service without keys: a face, and the first view.
 * Run: npx tsx packages/studio/test/make-readme-pictures.ts http://127.0.0.1:8080/ (after make-hero-pictures.ts, and with the page built).
 */
import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { findChromium, launchBrowser } from './launch-browser.ts';

const images = new URL('../../../docs/images/', import.meta.url);
const chromium = findChromium();
const [url] = process.argv.slice(2);
if (chromium === null || url === undefined) throw new Error('Chromium and the address of a service are needed');

const browser = await launchBrowser(chromium);
const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: 'en', colorScheme: 'light', reducedMotion: 'reduce' });
page.setDefaultTimeout(180_000);
const save = async (name: string) =>
  writeFile(
    new URL(name, images),
    await sharp(await page.screenshot())
      .webp({ quality: 86 })
      .toBuffer(),
  );

await page.goto(url);
await page.locator('.hero-head').first().waitFor();
await page.waitForLoadState('networkidle');
await save('page-home.webp');
await page.locator('.example-button').click();
await page.locator('canvas[data-ready="true"]').waitFor();
for (let i = 0; i < 3; i++) await page.locator('canvas.face-canvas').press('ArrowLeft');
await page.getByRole('tab', { name: 'Expression' }).click();
await page.getByRole('button', { name: 'Smile' }).click();
// The ring around what has the focus is not part of the picture.
await page.mouse.click(700, 20);
// Two pictures that are equal: all is drawn.
for (let before: Buffer = Buffer.alloc(0); ; ) {
  const now = await page.screenshot();
  if (now.equals(before)) break;
  before = now;
}
await save('page-face.webp');
await browser.close();
