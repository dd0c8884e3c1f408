import type { HealthView } from '@facewright/protocol';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { AppDeps } from '../app-deps.ts';

/**
 * Probes; never authenticated or limited. /livez only tells that the process answers: what it depends on (storage, queue) is none of a
 * liveness probe's business, because a restart would not mend it.
 */
export function healthRoutes(app: FastifyInstance, { readiness }: Pick<AppDeps, 'readiness'>): void {
  const config = { access: 'none' } as const;
  const answer = (reply: FastifyReply, health: HealthView, ok: boolean) =>
    reply
      .code(ok ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(health);
  app.get('/startupz', { config }, (_request, reply) => {
    const health = readiness();
    return answer(reply, health, health.status !== 'starting');
  });
  for (const path of ['/readyz', '/health']) {
    app.get(path, { config }, (_request, reply) => {
      const health = readiness();
      return answer(reply, health, health.status === 'ready');
    });
  }
  app.get('/livez', { config }, (_request, reply) => answer(reply, readiness(), true));
}
