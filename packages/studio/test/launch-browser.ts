import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where systems put Chromium; the environment may name another. */
const PATHS = [process.env.FACEWRIGHT_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** A browser of this machine; null where there is none (the tests of the page are then skipped with a reason). */
export function findChromium(): string | null {
  return PATHS.find((path) => path !== undefined && existsSync(path)) ?? null;
}

/** Chromium without a window, which draws WebGL on the CPU. Its camera shows a file of Motion JPEG, or a test picture. */
export function launchBrowser(executablePath: string, cameraFile?: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader',
      '--ignore-gpu-blocklist',
      // Containers run as root, where the sandbox does not start.
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      ...(cameraFile === undefined ? [] : [`--use-file-for-fake-video-capture=${cameraFile}`]),
    ],
  });
}
