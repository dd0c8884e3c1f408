/** @module What the tests of the page share: a service, a browser, a page that is watched, and ways to look at it. */
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createClient } from '@facewright/client';
import axe from 'axe-core';
import type { Browser, BrowserContext, BrowserContextOptions, CDPSession, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { findChromium, launchBrowser } from './launch-browser.ts';
import { type RunningService, startService } from './start-service.ts';

/** Where pictures of every view are left for looking at them. */
export const output = fileURLToPath(new URL('../test-output/', import.meta.url));
const chromium = findChromium();
/** Drawing without a graphics card takes as long as there are pixels. */
const SMALL = { width: 720, height: 600 };

export const portrait = readFileSync(fileURLToPath(new URL('../../../examples/portrait.jpg', import.meta.url)));
/** A cold machine without a graphics card needs this long for the slowest step. */
export const STEP_MS = 60_000;
export const TEST_MS = 240_000;

export interface OpenOptions extends BrowserContextOptions {
  readonly path?: string;
  readonly withKey?: boolean;
  /** Where the page is shown instead of at the service itself. */
  readonly baseUrl?: string;
}

/** A service and a browser for the tests of a file, and one page at a time. */
export interface PageHarness {
  readonly service: RunningService;
  readonly context: BrowserContext;
  /** What the page must never do: other hosts, blocked content, errors. */
  readonly offences: readonly string[];
  /** Id of a finished face that the tests look at. */
  readonly faceId: string;
  open(options?: OpenOptions): Promise<Page>;
  /** The browser's own protocol, for fingers and files that are dragged. */
  openProtocol(page: Page): Promise<CDPSession>;
}

export interface HarnessOptions {
  /** Made before the browser starts: what its camera shows, as a file of Motion JPEG. */
  readonly createCameraFile?: () => Promise<string>;
  /** Finished faces to begin with; the last one is {@link PageHarness.faceId}. */
  readonly faces?: number;
}

/** Registers what the tests of a file need; they are skipped with a reason where there is no browser. */
export function setUpPage({ createCameraFile, faces = 1 }: HarnessOptions = {}): PageHarness {
  let service: RunningService;
  let browser: Browser;
  let context: BrowserContext | undefined;
  let offences: string[] = [];
  let faceId = '';

  beforeEach((test) => {
    if (chromium === null) test.skip('there is no Chromium here (set FACEWRIGHT_CHROMIUM)');
  });
  beforeAll(async () => {
    if (chromium === null) return;
    mkdirSync(output, { recursive: true });
    const cameraFile = await createCameraFile?.();
    [service, browser] = await Promise.all([startService(), launchBrowser(chromium, cameraFile)]);
    const client = createClient({ baseUrl: service.url, apiKey: service.key });
    const photo = new Blob([portrait], { type: 'image/jpeg' });
    for (let i = 0; i < faces; i++) {
      faceId = (await client.create(photo, { wait: 60, options: { formats: ['glb', 'obj', 'maps', 'preview', 'json'] } })).id;
    }
  }, TEST_MS);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });
  afterEach(async () => {
    await context?.close();
  });

  return {
    get service() {
      return service;
    },
    get context() {
      return context!;
    },
    get offences() {
      return offences;
    },
    get faceId() {
      return faceId;
    },
    openProtocol: (page) => context!.newCDPSession(page),
    async open({ path = '', withKey = true, baseUrl = service.url, ...options } = {}) {
      context = await browser.newContext({ viewport: SMALL, locale: 'en-GB', reducedMotion: 'reduce', ...options });
      context.setDefaultTimeout(STEP_MS);
      offences = [];
      if (withKey) await context.addInitScript((key) => sessionStorage.setItem('facewright.key', key), service.key);
      await context.addInitScript(() => {
        // biome-ignore lint/suspicious/noConsole: this is how the page tells the test
        addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`));
      });
      const page = await context.newPage();
      page.on('request', (request) => {
        const url = request.url();
        if (!url.startsWith(baseUrl) && !url.startsWith('blob:') && !url.startsWith('data:')) offences.push(`request to ${url}`);
      });
      page.on('pageerror', (error) => offences.push(`error: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error' && !/Failed to load resource|net::ERR_/.test(message.text())) offences.push(message.text());
      });
      await page.goto(baseUrl + path);
      return page;
    },
  };
}

export const shoot = (page: Page, name: string) => page.screenshot({ path: `${output}${name}.png`, timeout: STEP_MS });
export const waitForFace = (page: Page) => page.locator('canvas[data-ready="true"]').waitFor();
export const chooseFile = (page: Page, buffer: Buffer, name: string, mimeType: string) =>
  page.locator('input[type=file]').setInputFiles({ name, mimeType, buffer });

/** The pixels of the viewer, small. */
export async function readCanvas(page: Page): Promise<Buffer> {
  return sharp(await page.locator('canvas.face-canvas').screenshot())
    .resize(64, 64, { fit: 'fill' })
    .removeAlpha()
    .raw()
    .toBuffer();
}

/** Mean difference of two pictures, 0..255. */
export function compare(a: Buffer, b: Buffer): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
}

/** Waits until the picture is not what it was: drawing takes a moment without a graphics card. */
export async function expectChange(page: Page, before: Buffer): Promise<Buffer> {
  // Two drawings of the same are equal to the pixel; the smallest change that is looked for is that of a mouth: some 0.2 in the mean.
  await expect.poll(async () => compare(await readCanvas(page), before), { timeout: STEP_MS, interval: 300 }).toBeGreaterThan(0.1);
  return readCanvas(page);
}

export async function expectAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary?.split('\n')[1] ?? ''}`),
    );
  });
  expect(violations, what).toEqual([]);
}

export const expectNoSideScroll = (page: Page) =>
  expect
    .poll(() => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), { timeout: STEP_MS })
    .toBe(0);

/** What has the focus is called so. */
export const expectFocus = (page: Page, name: string) =>
  expect.poll(() => page.evaluate(() => document.activeElement?.textContent?.trim()), { timeout: STEP_MS }).toBe(name);

/** A problem of the service, answered by the test in its place. */
export const problem = (status: number, code: string, more: object = {}) => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...('retryAfterS' in more ? { 'retry-after': String(more.retryAfterS) } : {}) },
  body: JSON.stringify({
    type: 'about:blank',
    title: 'x',
    status,
    detail: 'As the service says it',
    code,
    hint: 'x',
    requestId: 'req-1',
    ...more,
  }),
});
