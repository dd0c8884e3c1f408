import type { AccountView } from '@facewright/protocol';
import { API_FORMATS } from '@facewright/protocol/api';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AppContext } from '../app-context.ts';
import { parseWith } from '../error-from-request.ts';
import { readQuery } from '../read-photo-upload.ts';

/** GET /v1/account. */
export function accountRoutes(app: FastifyInstance, context: AppContext): void {
  const { queue, storage, config, tenants, models, version } = context;
  app.get('/v1/account', async (request): Promise<AccountView> => {
    parseWith(z.strictObject({}), readQuery(request), 'query');
    const { name, limits } = request.tenant;
    const [counts, storageBytes] = await Promise.all([queue.counts(), storage.usedBytes(name)]);
    const own = counts.byTenant.get(name);
    return {
      tenant: name,
      singleUser: tenants.singleUser,
      limits: {
        ratePerMinute: limits.ratePerMinute,
        concurrent: limits.maxProcessing,
        queued: limits.maxPending,
        storageBytes: limits.storageBytes,
        photoBytes: config.maxPhotoBytes,
        batchPhotos: config.batchMaxPhotos,
      },
      usage: { queued: own?.queued ?? 0, processing: own?.processing ?? 0, storageBytes },
      resultTtlS: config.resultTtlS,
      models: [...models],
      formats: [...API_FORMATS],
      version,
    };
  });
}
