import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FacewrightError } from '@facewright/protocol';

/**
 * A secret of this installation: read from `<dataDir>/secrets/<name>`, made on the first call (32 random bytes, base64url, mode 0600).
 * Several processes that ask for the first time at once get the same one.
 *
 * @throws FW_CONFIG_INVALID where the folder cannot be written
 */
export async function loadSecret(dataDir: string, name: string): Promise<string> {
  const folder = join(dataDir, 'secrets');
  const path = join(folder, name);
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const known = await readSecret(path);
    if (known !== null) return known;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(randomBytes(32).toString('base64url'));
      await handle.sync();
    } finally {
      await handle.close();
    }
    // A link fails where the name exists, a rename would replace what another process has read already.
    await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    return (await readSecret(path))!;
  } catch (error) {
    const problem = `no secret can be kept there (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`;
    throw new FacewrightError('FW_CONFIG_INVALID', { problems: [{ field: 'dataDir', problem }] }, { cause: error });
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}

async function readSecret(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null || text.trim().length < 32 ? null : text.trim();
}
