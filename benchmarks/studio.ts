/**
 * @module `npm run bench:studio`: how heavy the page is, and how soon it can be used.
 *
 * Sizes are those of the built files, raw and as the service sends them. Times are of a fresh browser profile on this machine against
 * a local server of the built files: no network is in them. "Usable" is when the button that takes a photo answers; the face is the
 * example's, from the click to the first picture of it, with the service of this checkout (software WebGL where there is no graphics card).
 */
import { readdir, stat } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium, launchBrowser } from '../packages/studio/test/launch-browser.ts';
import { startService } from '../packages/studio/test/start-service.ts';

/** Bytes of the first view, compressed: what DESIGN asks for. */
const FIRST_VIEW_BUDGET = 300 * 1000;
const RUNS = 5;
const dist = fileURLToPath(new URL('../packages/studio/dist/', import.meta.url));
const print = (text = '') => process.stdout.write(`${text}\n`);
const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`.padStart(10);
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

print(
  `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}`,
);

print('\nbuilt files                                       raw       gzip     brotli');
const names = (await readdir(dist, { recursive: true })).sort();
const sizeOf = async (name: string) => (await stat(join(dist, name))).size;
for (const name of names) {
  if (!/\.(html|js|css)$/.test(name)) continue;
  print(`${name.padEnd(44)}${kB(await sizeOf(name))} ${kB(await sizeOf(`${name}.gz`))} ${kB(await sizeOf(`${name}.br`))}`);
}
const pictures = names.filter((name) => /\.(webp|jpg|svg)$/.test(name));
print(`${`${pictures.length} pictures`.padEnd(44)}${kB((await Promise.all(pictures.map(sizeOf))).reduce((a, b) => a + b, 0))}`);

const chromium = findChromium();
if (chromium === null) {
  print('\nThere is no Chromium here (set FACEWRIGHT_CHROMIUM): no times.');
} else {
  const [service, browser] = await Promise.all([startService(), launchBrowser(chromium)]);
  print(`\nChromium ${browser.version()}, software WebGL, 1280 x 800; median of ${RUNS}, best in brackets`);
  const paints: number[] = [];
  const usable: number[] = [];
  let firstView = { bytes: 0, requests: 0 };
  for (let run = 0; run < RUNS; run++) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en' });
    await context.addInitScript({ content: giveKey(service.key) });
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    let bytes = 0;
    let requests = 0;
    session.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
      requests++;
    });
    const start = performance.now();
    await page.goto(service.url);
    await page.getByRole('button', { name: 'Options' }).or(page.getByText('Options')).first().click();
    usable.push(performance.now() - start);
    paints.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN));
    await page.waitForLoadState('networkidle');
    firstView = { bytes, requests };
    await context.close();
  }
  print(
    `first view over the wire    ${kB(firstView.bytes)} in ${firstView.requests} requests, headers, pictures and API calls included (budget ${kB(FIRST_VIEW_BUDGET).trim()})`,
  );
  print(`first contentful paint      ${median(paints).toFixed(0).padStart(7)} ms (${Math.min(...paints).toFixed(0)})`);
  print(`usable (a click answers)    ${median(usable).toFixed(0).padStart(7)} ms (${Math.min(...usable).toFixed(0)})`);

  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en' });
  await context.addInitScript({ content: giveKey(service.key) });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(service.url);
  const begin = performance.now();
  await page.getByRole('button', { name: 'Try the example portrait' }).click();
  await page.locator('[data-points="478"]').waitFor();
  print(`example: landmarks shown    ${(performance.now() - begin).toFixed(0).padStart(7)} ms after the click`);
  await page.locator('canvas[data-ready="true"]').waitFor();
  print(`example: face can be turned ${(performance.now() - begin).toFixed(0).padStart(7)} ms after the click`);
  await browser.close();
  await service.stop();
}

/** Script that stores the key where the page looks for it. */
function giveKey(key: string): string {
  return `sessionStorage.setItem('facewright.key', ${JSON.stringify(key)})`;
}
