import { FacewrightError } from '@facewright/protocol';
import type { AppDeps } from '../http/app-deps.ts';
import { createApp } from '../http/create-app.ts';

/** Requests on their way get this long to be answered when the service closes. Milliseconds. */
const CLOSE_GRACE_MS = 1000;

/**
 * Opens the port of the API.
 *
 * @throws FW_LISTEN_FAILED
 */
export async function startApi(deps: AppDeps): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const { host, port } = deps.config;
  const app = await createApp(deps);
  let url: string;
  try {
    url = await app.listen({ host, port });
  } catch (error) {
    await app.close();
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? 'another program listens there' : (code ?? message);
    throw new FacewrightError('FW_LISTEN_FAILED', { address: `${host}:${port}`, reason }, { cause: error });
  }
  return {
    url,
    async close() {
      const timer = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS);
      await app.close();
      clearTimeout(timer);
    },
  };
}
