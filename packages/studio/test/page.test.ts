/**
 * @module The page in a real browser on the real service: the whole way from a photo to a face, and everything that may go wrong on
 * it. Screenshots of every view land in packages/studio/test-output.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createClient } from '@facewright/client';
import type { AccountView, JobOptionsInput } from '@facewright/protocol';
import validator from 'gltf-validator';
import type { Locator } from 'playwright-core';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  chooseFile,
  compare,
  expectAccessible,
  expectChange,
  expectFocus,
  expectNoSideScroll,
  output,
  portrait,
  problem,
  readCanvas,
  STEP_MS,
  setUpPage,
  shoot,
  TEST_MS,
  waitForFace,
} from './page-harness.ts';

const harness = setUpPage({ faces: 2 });
const { open } = harness;

const expectPhoto = (image: Locator, size: readonly [number, number]) =>
  expect.poll(() => image.evaluate((i: HTMLImageElement) => [i.naturalWidth, i.naturalHeight]), { timeout: STEP_MS }).toEqual(size);

describe('from a photo to a face', () => {
  it(
    'asks for a key, takes the example, shows progress and landmarks, and opens the face',
    async () => {
      const page = await open({ withKey: false, viewport: { width: 1280, height: 800 } });
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('API key').fill('fw_wrong');
      await dialog.getByRole('button', { name: 'Continue' }).click();
      await page.getByText('This key is not known here').waitFor();
      await shoot(page, 'key');
      await dialog.getByLabel('API key').fill(harness.service.key);
      await dialog.getByRole('button', { name: 'Continue' }).click();
      await dialog.waitFor({ state: 'detached' });
      await shoot(page, 'home');
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      await page.route('**/files/face.glb*', (route) => released.then(() => route.continue()));
      await page.getByRole('button', { name: 'Try the example portrait' }).click();
      await page.waitForURL(/#\/face\//);
      // They are there before the face is, however quick the machine.
      await page.locator('[data-points="478"]').waitFor();
      await shoot(page, 'progress');
      release();
      await waitForFace(page);
      await shoot(page, 'result');
      await page.getByLabel('Beside the photo').check({ force: true });
      await page.locator('.stage-photo [data-points="478"]').waitFor();
      await shoot(page, 'beside');
      expect(harness.offences).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'turns by keys and by dragging, and every view looks different',
    async () => {
      const page = await open({ path: `#/face/${harness.faceId}` });
      await waitForFace(page);
      let picture = await readCanvas(page);
      await page.locator('canvas.face-canvas').press('ArrowRight');
      picture = await expectChange(page, picture);
      const box = (await page.locator('canvas.face-canvas').boundingBox())!;
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width / 2 + 120, box.y + box.height / 2, { steps: 3 });
      await page.mouse.up();
      picture = await expectChange(page, picture);
      for (const view of ['clay', 'wireframe', 'uv', 'albedo', 'normals']) {
        await page.locator(`input[value="${view}"]`).check({ force: true });
        picture = await expectChange(page, picture);
      }
      expect(harness.offences).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'moves the face by a slider, a preset and the demo, the light by another, and changes the background',
    async () => {
      const page = await open({ path: `#/face/${harness.faceId}`, permissions: ['clipboard-read', 'clipboard-write'] });
      await waitForFace(page);
      let picture = await readCanvas(page);
      await page.getByRole('slider', { name: 'Direction' }).fill('-120');
      picture = await expectChange(page, picture);
      await page.locator('input[value="black"]').check({ force: true });
      picture = await expectChange(page, picture);
      await page.getByRole('tab', { name: 'Measures' }).click();
      await page.getByText('Morph targets').waitFor();
      await page.getByRole('tab', { name: 'Expression' }).click();
      await expect.poll(() => page.locator('.slider').count()).toBe(52);
      await page.getByRole('searchbox', { name: 'Find an expression' }).fill('jaw');
      await expect.poll(() => page.locator('.slider').count()).toBe(4);
      await page.getByRole('slider', { name: 'jawOpen' }).fill('1');
      picture = await expectChange(page, picture);
      await shoot(page, 'expression');
      await page.getByRole('button', { name: 'Copy' }).click();
      await page.getByRole('button', { name: 'Copied' }).waitFor();
      expect(JSON.parse(await page.evaluate(() => navigator.clipboard.readText()))).toMatchObject({ jawOpen: 1 });
      await page.getByRole('searchbox').fill('');
      await page.getByRole('button', { name: 'Smile' }).click();
      picture = await expectChange(page, picture);
      await page.getByRole('button', { name: 'Talk and blink' }).click();
      await expectChange(page, picture);
      await page.getByRole('button', { name: 'Stop' }).click();
      expect(harness.offences).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'downloads a GLB without errors, a zip with the OBJ, and a screenshot',
    async () => {
      const page = await open({ path: `#/face/${harness.faceId}` });
      await waitForFace(page);
      const save = async (name: RegExp) => {
        const download = page.waitForEvent('download');
        await page.getByRole('link', { name }).or(page.getByRole('button', { name })).first().click();
        return readFileSync(await (await download).path());
      };
      const report = await validator.validateBytes(new Uint8Array(await save(/Download GLB/)), { maxIssues: 100 });
      expect(report.issues.messages.filter(({ severity }) => severity <= 1)).toEqual([]);
      expect((await sharp(await save(/^Screenshot$/)).metadata()).hasAlpha).toBe(true);
      await page.getByRole('tab', { name: 'Files' }).click();
      const { unzipSync } = await import('fflate');
      const names = Object.keys(unzipSync(new Uint8Array(await save(/OBJ with textures/))));
      expect(names).toEqual(expect.arrayContaining(['face.obj', 'face.mtl', 'albedo.png']));
      await shoot(page, 'files');
      expect(harness.offences).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'films a turntable, as GIF and as video',
    async () => {
      const page = await open({ path: `#/face/${harness.faceId}`, viewport: { width: 360, height: 560 } });
      await waitForFace(page);
      const before = await readCanvas(page);
      // Sixty pictures, drawn by a CPU that may have other work.
      const gifDownload = page.waitForEvent('download', { timeout: TEST_MS });
      await page.getByRole('button', { name: 'Turntable GIF' }).click();
      const gif = readFileSync(await (await gifDownload).path());
      writeFileSync(`${output}turntable.gif`, gif);
      const { pages = 0, width, pageHeight, delay, loop } = await sharp(gif, { animated: true }).metadata();
      expect({ pages, width, pageHeight, loop }).toEqual({ pages: 60, width: 480, pageHeight: 480, loop: 0 });
      expect(new Set(delay)).toEqual(new Set([60]));
      expect(gif.length).toBeLessThan(6_000_000);
      const [front, next, side, last] = await Promise.all(
        [0, 1, 15, 59].map((n) => sharp(gif, { page: n }).resize(64, 64).removeAlpha().raw().toBuffer()),
      );
      // A whole turn, evenly: the side is far from the front, the last picture as near to it as the second.
      expect(compare(front!, side!)).toBeGreaterThan(3 * compare(front!, next!));
      expect(compare(front!, last!)).toBeLessThan(2 * compare(front!, next!));
      // The corner is the background that is seen behind the face, not white.
      expect([...front!.subarray(0, 3)].map((value) => Math.abs(value - 0xd7) < 12)).toEqual([true, true, true]);
      await expect.poll(async () => compare(await readCanvas(page), before), { timeout: STEP_MS }).toBeLessThan(0.5);
      const download = page.waitForEvent('download', { timeout: TEST_MS });
      await page.getByRole('button', { name: 'Turntable video' }).click();
      const video = readFileSync(await (await download).path());
      // EBML, which WebM is made of.
      expect(video.subarray(0, 4).toString('hex')).toBe('1a45dfa3');
      expect(video.length).toBeGreaterThan(10_000);
    },
    TEST_MS,
  );

  it.each([
    ['png', 'image/png', (photo: Sharp) => photo.png()],
    ['webp', 'image/webp', (photo: Sharp) => photo.webp()],
    ['avif', 'image/avif', (photo: Sharp) => photo.avif({ effort: 0 })],
    ['gif', 'image/gif', (photo: Sharp) => photo.gif({ effort: 1 })],
  ])(
    'takes %s, and shows it with its points',
    async (ending, type, encode) => {
      const page = await open();
      // The photo stays in sight until the face is there.
      await page.route('**/files/face.glb*', () => undefined);
      const small = await sharp(portrait).resize(640).toBuffer();
      await chooseFile(page, await encode(sharp(small)).toBuffer(), `portrait.${ending}`, type);
      await page.locator('[data-points="478"]').waitFor();
      await expectPhoto(page.locator('.photo-frame img'), [640, 800]);
      expect(harness.offences).toEqual([]);
    },
    120_000,
  );

  it('takes a photo that lies on its side, upright, and lays the mesh over it', async () => {
    const page = await open();
    await page.locator('.options summary').click();
    await page.getByLabel('OBJ').uncheck();
    await page.getByLabel('Textures').uncheck();
    const upright = await sharp(portrait).resize(640).toBuffer();
    const lying = sharp(upright).rotate(90).withMetadata({ orientation: 8 }).jpeg();
    await chooseFile(page, await lying.toBuffer(), 'portrait.jpg', 'image/jpeg');
    await waitForFace(page);
    await page.getByLabel('On the photo').check({ force: true });
    await expectPhoto(page.locator('.windowed-photo img'), [640, 800]);
    const before = await readCanvas(page);
    await page.getByRole('slider', { name: 'Mesh over photo' }).fill('0');
    await expectChange(page, before);
    await shoot(page, 'overlay');
    // The picture is what is seen: the photo under the mesh, not the mesh alone.
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Screenshot' }).click();
    const picture = sharp(await (await download).path());
    const { width, height } = await picture.metadata();
    const middle = picture.extract({ left: Math.floor(width / 2), top: Math.floor(height / 4), width: 1, height: 1 }).ensureAlpha();
    expect((await middle.raw().toBuffer())[3]).toBe(255);
    expect(harness.offences).toEqual([]);
  }, 120_000);

  it(
    'takes TIFF, which browsers do not show, and says what cannot be done without the photo',
    async () => {
      const page = await open();
      await chooseFile(page, await sharp(portrait).resize(480).tiff().toBuffer(), 'portrait.tif', 'image/tiff');
      await waitForFace(page);
      await page.getByText('The photo is not in this browser').waitFor();
      await expect.poll(() => page.locator('input[value="overlay"]').isDisabled(), { timeout: STEP_MS }).toBe(true);
    },
    TEST_MS,
  );

  it(
    'waits its turn, tells its place in the queue, and can be canceled',
    async () => {
      const client = createClient({ baseUrl: harness.service.url, apiKey: harness.service.key });
      const photo = new Blob([portrait], { type: 'image/jpeg' });
      const options: JobOptionsInput = { textureSize: 4096, formats: ['glb', 'maps', 'obj'] };
      const before = await Promise.all(Array.from({ length: 6 }, () => client.create(photo, { wait: 0, options })));
      try {
        const page = await open();
        await chooseFile(page, await sharp(portrait).resize(480).jpeg().toBuffer(), 'portrait.jpg', 'image/jpeg');
        await page.getByRole('heading', { name: 'Waiting for its turn' }).waitFor();
        await page.getByText(/\d photos? before yours|Next in line/).waitFor();
        await shoot(page, 'queue');
        await page.getByRole('button', { name: 'Cancel' }).click();
        await page.getByRole('heading', { name: 'Canceled' }).waitFor();
        await page.getByRole('button', { name: 'Send it again' }).waitFor();
        await expectAccessible(page, 'canceled');
        expect(harness.offences).toEqual([]);
      } finally {
        // What has ended meanwhile cannot be canceled, and need not be.
        await Promise.all(before.map(({ id }) => client.cancel(id).catch(() => undefined)));
        await Promise.all(before.map(({ id }) => client.waitFor(id).catch(() => undefined)));
        await Promise.all(before.map(({ id }) => client.delete(id)));
      }
    },
    TEST_MS,
  );

  it(
    'picks a job up after a reload',
    async () => {
      const page = await open();
      // The page hears nothing of the job before the reload, however quick the machine.
      await page.route('**/events*', () => undefined);
      await chooseFile(page, portrait, 'portrait.jpg', 'image/jpeg');
      await page.waitForURL(/#\/face\//);
      await page.getByRole('heading', { name: /Making the face|Waiting for its turn/ }).waitFor();
      await page.unroute('**/events*');
      await page.reload();
      await waitForFace(page);
      // The photo, too: it lies in this browser.
      await expect.poll(() => page.locator('input[value="overlay"]').isEnabled(), { timeout: STEP_MS }).toBe(true);
      expect(harness.offences).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'goes on with an upload that a reload interrupted, and keeps the photo no longer than that',
    async () => {
      const page = await open();
      let arrived = 0;
      await page.route('**/v1/reconstructions/*?*', (route) => (route.request().method() === 'PUT' ? undefined : route.continue()));
      await chooseFile(page, await sharp(portrait).resize(640).jpeg().toBuffer(), 'portrait.jpg', 'image/jpeg');
      await page.getByRole('heading', { name: 'Sending the photo' }).waitFor();
      await page.unroute('**/v1/reconstructions/*?*');
      page.on('request', (request) => request.method() === 'PUT' && arrived++);
      await page.reload();
      await waitForFace(page);
      expect(arrived).toBe(1);
      const countUploads = () =>
        page.evaluate(
          () =>
            new Promise<number>((resolve, reject) => {
              const opening = indexedDB.open('facewright');
              opening.onerror = () => reject(opening.error);
              opening.onsuccess = () => {
                const count = opening.result.transaction('uploads').objectStore('uploads').count();
                count.onsuccess = () => resolve(count.result);
              };
            }),
        );
      await expect.poll(countUploads, { timeout: STEP_MS }).toBe(0);
      expect(harness.offences).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'makes a batch of several photos and tells of each',
    async () => {
      const page = await open();
      const small = await sharp(portrait).resize(480).jpeg().toBuffer();
      const grey = await sharp({ create: { width: 400, height: 400, channels: 3, background: '#888' } })
        .png()
        .toBuffer();
      await page.locator('.options summary').click();
      for (const format of ['OBJ', 'Textures', 'Measurements']) await page.getByLabel(format).uncheck();
      await page.locator('input[type=file]').setInputFiles([
        { name: 'one.jpg', mimeType: 'image/jpeg', buffer: small },
        { name: 'nobody.png', mimeType: 'image/png', buffer: grey },
        { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') },
      ]);
      await page.getByText('2 of 2 done').waitFor();
      await page.getByText('1 failed').waitFor();
      await page.getByText(/No face was found/).waitFor();
      // What was no photo is not lost silently.
      await page.getByText('1 file was left out').waitFor();
      await page.locator('.problem-subject', { hasText: 'notes.txt' }).waitFor();
      await page.getByRole('link', { name: 'Download all (zip)' }).waitFor();
      await shoot(page, 'batch');
      await expectAccessible(page, 'batch');
      expect(harness.offences).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'lists faces, compares two, and deletes one',
    async () => {
      const page = await open({ path: '#/history' });
      await page.locator('.card-succeeded').first().waitFor();
      const count = await page.locator('.card').count();
      await page.getByText(/[\d.]+ [KM]B of [\d.]+ GB used/).waitFor();
      await page
        .getByText(/expires in \d+ hours/)
        .first()
        .waitFor();
      await expectAccessible(page, 'history');
      await shoot(page, 'history');
      await page.getByLabel('Select to compare').nth(0).check();
      await page.getByLabel('Select to compare').nth(1).check();
      await page.getByRole('button', { name: 'Compare the two' }).click();
      await expect.poll(() => page.locator('canvas[data-ready="true"]').count(), { timeout: STEP_MS }).toBe(2);
      await shoot(page, 'compare');
      await expectAccessible(page, 'compare');
      await page.goBack();
      await page.getByRole('button', { name: 'Delete this face' }).first().click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
      await expect.poll(() => page.locator('.card').count(), { timeout: STEP_MS }).toBe(count - 1);
      expect(harness.offences).toEqual([]);
    },
    TEST_MS,
  );
});

describe('what goes wrong', () => {
  it('shows the photo and what to do where there is no face, in both languages', async () => {
    const page = await open();
    const grey = await sharp({ create: { width: 500, height: 400, channels: 3, background: '#777' } })
      .jpeg()
      .toBuffer();
    await chooseFile(page, grey, 'wall.jpg', 'image/jpeg');
    await page.getByRole('alert').getByText('No face was found').waitFor();
    await page.getByAltText('Your photo').waitFor();
    await shoot(page, 'no-face');
    await expectAccessible(page, 'no face');
    await page.getByRole('button', { name: '切换到中文' }).click();
    await page.getByRole('alert').getByText('没有找到人脸', { exact: true }).waitFor();
    await expect.poll(() => page.evaluate(() => document.documentElement.lang)).toBe('zh-CN');
    await shoot(page, 'no-face-zh');
    expect(harness.offences).toEqual([]);
  });

  it('refuses what is no photo before sending it', async () => {
    const page = await open();
    const sent: string[] = [];
    // As if the operator had set a lower limit: a file above the usual one takes long to hand over.
    await page.route('**/v1/account', async (route) => {
      const answer = await route.fetch();
      const account = (await answer.json()) as AccountView;
      await route.fulfill({ response: answer, json: { ...account, limits: { ...account.limits, photoBytes: 300_000 } } });
    });
    await page.reload();
    await page.getByText('up to 293 KB').waitFor();
    page.on('request', (request) => request.method() === 'PUT' && sent.push(request.url()));
    await chooseFile(page, Buffer.from('not a picture'), 'notes.jpg', 'image/jpeg');
    await page.getByRole('alert').getByText('This is not a photo').waitFor();
    await chooseFile(page, portrait, 'large.jpg', 'image/jpeg');
    await page.getByRole('alert').getByText('The photo is too large').waitFor();
    expect(sent).toEqual([]);
  });

  it(
    'counts down when the service is busy, and sends again by itself',
    async () => {
      const page = await open();
      let answers = 0;
      await page.route('**/v1/reconstructions/*', (route) =>
        route.request().method() === 'PUT' && answers++ === 0
          ? route.fulfill(problem(429, 'FW_QUEUE_FULL', { retryAfterS: 3, params: { queued: 256, retryAfterS: 3 } }))
          : route.continue(),
      );
      await chooseFile(page, await sharp(portrait).resize(480).jpeg().toBuffer(), 'portrait.jpg', 'image/jpeg');
      await page.getByText(/Sending again in [123] s/).waitFor();
      await shoot(page, 'busy');
      await expectAccessible(page, 'busy');
      await waitForFace(page);
      expect(answers).toBe(2);
    },
    TEST_MS,
  );

  it('tells of a proxy that takes no file of this size', async () => {
    const page = await open();
    await page.route('**/v1/reconstructions/*', (route) =>
      route.request().method() === 'PUT'
        ? route.fulfill({ status: 413, contentType: 'text/html', body: '<h1>413 Request Entity Too Large</h1>' })
        : route.continue(),
    );
    await chooseFile(page, portrait, 'portrait.jpg', 'image/jpeg');
    await page.getByRole('alert').getByText('The photo is too large for the way to the service').waitFor();
    await expectAccessible(page, '413');
  });

  it.each([
    [503, 'FW_STARTING', 'The service is starting'],
    [413, 'FW_BODY_TOO_LARGE', 'That was too much at once'],
    [403, 'FW_STORAGE_QUOTA', 'Your storage is used up'],
  ])('tells of %i %s', async (status, code, title) => {
    const page = await open();
    await page.route('**/v1/reconstructions/*', (route) =>
      route.request().method() === 'PUT' ? route.fulfill(problem(status, code, { params: { maxBytes: 1 } })) : route.continue(),
    );
    await chooseFile(page, portrait, 'portrait.jpg', 'image/jpeg');
    await page.getByRole('alert').getByText(title).waitFor();
  });

  it(
    'keeps the photo when the service does not answer, and tells of being offline',
    async () => {
      const page = await open();
      await page.getByText('Drop a portrait here').waitFor();
      await harness.context.setOffline(true);
      await page.getByText('You are offline').waitFor();
      await chooseFile(page, portrait, 'portrait.jpg', 'image/jpeg');
      await page.getByRole('alert').getByText('The service does not answer').waitFor();
      await shoot(page, 'offline');
      await harness.context.setOffline(false);
      // Held back, so that the face is not done before it is canceled.
      await page.route('**/v1/reconstructions/*?*', (route) => (route.request().method() === 'PUT' ? undefined : route.continue()));
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByRole('heading', { name: 'Sending the photo' }).waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('heading', { name: 'Canceled' }).waitFor();
    },
    TEST_MS,
  );

  it('lets a face of several be chosen on the photo', async () => {
    const page = await open();
    const faces = [1, 2].map((index) => ({ index, box: { x: 200 * index, y: 300, width: 150, height: 200 }, score: 0.9 }));
    let isFirst = true;
    await page.route('**/v1/reconstructions/*?*', (route) => {
      if (route.request().method() !== 'PUT' || !isFirst) return route.continue();
      isFirst = false;
      return route.fulfill(problem(422, 'FW_FACE_SEVERAL', { params: { faces } }));
    });
    await chooseFile(page, portrait, 'two.jpg', 'image/jpeg');
    await page.getByRole('button', { name: 'Face 2' }).waitFor();
    await shoot(page, 'several');
    const request = page.waitForRequest((r) => r.method() === 'PUT');
    await page.getByRole('button', { name: 'Face 1' }).click();
    expect(new URL((await request).url()).searchParams.get('face')).toBe('1');
  });

  it('tells that the service does not answer, and that it does again', async () => {
    const page = await open();
    await page.route('**/v1/account', (route) => route.abort('connectionrefused'));
    await page.reload();
    await page.getByText('The service does not answer. Trying again').waitFor();
    await expectAccessible(page, 'no answer');
    await page.unroute('**/v1/account');
    await page.getByText('The service does not answer. Trying again').waitFor({ state: 'detached' });
  });

  it('says that a face is gone', async () => {
    const page = await open({ path: '#/face/not-there' });
    await page.getByRole('heading', { name: 'This face is not here' }).waitFor();
    await expectAccessible(page, 'gone');
  });

  it('shows pictures where there is no WebGL', async () => {
    const page = await open({ path: '' });
    await harness.context.addInitScript(() => {
      const original = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, kind: string, ...rest: unknown[]) {
        return kind.startsWith('webgl') ? null : (original as (...args: unknown[]) => unknown).call(this, kind, ...rest);
      } as typeof original;
    });
    await page.goto(`${harness.service.url}#/face/${harness.faceId}`);
    await page.reload();
    await page.getByAltText('The photo, and the face from the front').waitFor();
    await page.getByRole('link', { name: /Download GLB/ }).waitFor();
    await shoot(page, 'no-webgl');
  });
});

describe('for everyone', () => {
  it(
    'is usable by keys alone',
    async () => {
      const page = await open();
      await page.getByText('Drop a portrait here').waitFor();
      await page.keyboard.press('Tab');
      await expectFocus(page, 'Skip to the content');
      await page.keyboard.press('Enter');
      await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('main');
      await page.keyboard.press('Tab');
      await expectFocus(page, 'Choose a photo');
      await page.getByRole('button', { name: 'Use the camera' }).press('Enter');
      await page.getByRole('dialog').waitFor();
      await expectAccessible(page, 'camera');
      await page.getByRole('button', { name: 'Turn the camera on' }).press('Enter');
      await page.getByRole('button', { name: 'Take the picture' }).waitFor();
      await shoot(page, 'camera');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await expectFocus(page, 'Use the camera');
      await page.goto(`${harness.service.url}#/face/${harness.faceId}`);
      await waitForFace(page);
      await page.getByRole('tab', { name: 'Look' }).press('ArrowRight');
      await page.getByRole('button', { name: 'Talk and blink' }).waitFor();
      await expectFocus(page, 'Expression');
    },
    TEST_MS,
  );

  it.each(['light', 'dark'] as const)(
    'has no accessibility violations in %s colours',
    async (colorScheme) => {
      const page = await open({ colorScheme, viewport: { width: 1280, height: 800 } });
      await page.locator('.card').first().waitFor();
      await page.locator('.options summary').click();
      await expectAccessible(page, 'home');
      await shoot(page, `home-${colorScheme}`);
      await page.goto(`${harness.service.url}#/face/${harness.faceId}`);
      await waitForFace(page);
      for (const tab of ['Look', 'Expression', 'Measures', 'Files']) {
        await page.getByRole('tab', { name: tab }).click();
        if (tab === 'Expression') await page.getByRole('searchbox').fill('nothing is called so');
        if (tab === 'Files') await page.getByText('How to open it').click();
        await expectAccessible(page, tab);
      }
      await shoot(page, `files-${colorScheme}`);
      expect(harness.offences).toEqual([]);
    },
    120_000,
  );

  it.each([
    [360, 740],
    [3840, 2160],
  ])(
    'fits %i pixels, in Chinese too',
    async (width, height) => {
      const isPhone = width < 600;
      const page = await open({ viewport: { width, height }, locale: 'zh-CN', hasTouch: isPhone });
      await page.getByRole('heading', { level: 1 }).waitFor();
      // A finger drops nothing.
      await page.getByText(isPhone ? '选择或拍摄一张照片' : '把人像照片拖到这里').waitFor();
      await expectNoSideScroll(page);
      await shoot(page, `home-${width}`);
      // Four thousand pixels of 3D take too long without a graphics card.
      if (width > 2000) return;
      await page.goto(`${harness.service.url}#/face/${harness.faceId}`);
      await waitForFace(page);
      await expectNoSideScroll(page);
      await shoot(page, `result-${width}`);
      for (const tab of ['表情', '测量', '文件']) {
        await page.getByRole('tab', { name: tab }).click();
        await expectNoSideScroll(page);
      }
    },
    120_000,
  );
});
