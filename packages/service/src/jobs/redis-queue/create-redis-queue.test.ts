import { afterAll, beforeAll, describe, it } from 'vitest';
import { describeJobQueue } from '../job-queue.test-support.ts';
import { createRedisQueue } from './create-redis-queue.ts';
import { type RedisServer, redisProgram, startRedisServer } from './redis-server.test-support.ts';

if (redisProgram === null) {
  describe('Redis queue', () => {
    it('runs on Redis or Valkey', (context) => context.skip('neither redis-server nor valkey-server is installed'));
  });
} else {
  describe('on a server', () => {
    let server: RedisServer;
    let tests = 0;
    beforeAll(async () => {
      server = await startRedisServer();
    });
    afterAll(() => server.dispose());

    describeJobQueue('Redis queue', () => {
      const prefix = `test${tests++}`;
      return Promise.resolve({
        open: (options) => createRedisQueue({ url: server.url, prefix, ...options }),
        restart: 'leases-kept',
        quietMs: 200,
        dispose: () => Promise.resolve(),
      });
    });
  });
}
