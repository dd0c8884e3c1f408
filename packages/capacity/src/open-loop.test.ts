import { describe, expect, it } from 'vitest';
import { createArrivals } from './create-arrivals.ts';
import { type RequestRecord, runOpenLoop } from './run-open-loop.ts';
import { summarizeLoad } from './summarize-load.ts';

describe('createArrivals', () => {
  it('is even, or has exponential gaps of the right mean and spread', () => {
    expect([...createArrivals('constant', 4, 1000, 1)]).toEqual([125, 375, 625, 875]);
    const times = createArrivals('poisson', 100, 100_000, 7);
    const gaps = [...times].map((t, i) => t - (times[i - 1] ?? 0));
    const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((a, g) => a + (g - mean) ** 2, 0) / gaps.length);
    // 10 000 gaps: the mean of exponential ones is known to 1 %, the deviation (equal to it) to 1.4 %; four times that.
    expect(Math.abs(mean / 10 - 1)).toBeLessThan(0.04);
    expect(Math.abs(deviation / 10 - 1)).toBeLessThan(0.06);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
  });

  it('is the same for the same seed and another for another', () => {
    expect(createArrivals('poisson', 10, 5000, 3)).toEqual(createArrivals('poisson', 10, 5000, 3));
    expect(createArrivals('poisson', 10, 5000, 3)).not.toEqual(createArrivals('poisson', 10, 5000, 4));
  });
});

describe('runOpenLoop', () => {
  it('goes on sending while answers are outstanding, and counts from the intended time', async () => {
    let open = 0;
    let most = 0;
    const records = await runOpenLoop({
      ratePerS: 100,
      durationMs: 200,
      arrivals: 'constant',
      seed: 1,
      async send(index) {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setTimeout(resolve, 300));
        open--;
        if (index === 3) throw new TypeError('fetch failed');
        return index % 2 === 0 ? 'ok' : '429';
      },
    });
    // A closed loop would have waited: all twenty were open at once.
    expect(most).toBe(20);
    expect(records.map((r) => r.intendedAt)).toEqual(Array.from({ length: 20 }, (_, i) => 5 + 10 * i));
    expect(records[3].outcome).toBe('TypeError');
    for (const r of records) expect(r.sentAt).toBeGreaterThanOrEqual(r.intendedAt - 2);
  });
});

describe('summarizeLoad', () => {
  const record = (intendedAt: number, endedAt: number, outcome = 'ok'): RequestRecord => ({
    intendedAt,
    sentAt: intendedAt,
    endedAt,
    outcome,
  });

  it('gives what can be computed by hand', () => {
    const records = [record(0, 100), record(100, 300), record(200, 900, '429'), { ...record(300, 400), sentAt: 350 }];
    const { offeredPerS, completedPerS, outcomes, latencyMs, littlesLaw, worstSendDelayMs } = summarizeLoad(records, 1000);
    expect([offeredPerS, completedPerS, worstSendDelayMs]).toEqual([4, 3, 50]);
    expect(outcomes).toEqual({ ok: 3, '429': 1 });
    expect(latencyMs).toEqual({ mean: 400 / 3, p50: 100, p95: 200, p99: 200, max: 200 });
    // 100 + 200 + 700 + 100 request-milliseconds in a second.
    expect(littlesLaw).toEqual({ throughputPerS: 4, meanS: 0.275, product: 1.1, counted: 1.1 });
  });

  it('stretches the time where answers come later than the load lasted', () => {
    const { completedPerS, littlesLaw } = summarizeLoad([record(0, 2000), record(500, 4000)], 1000);
    expect(completedPerS).toBe(0.5);
    expect(littlesLaw.product).toBeCloseTo(littlesLaw.counted, 12);
  });

  it('has no latency where nothing was answered', () => {
    expect(summarizeLoad([record(0, 1, '503')], 1000).latencyMs).toBeNull();
    expect(summarizeLoad([], 1000)).toMatchObject({ requests: 0, latencyMs: null, completedPerS: 0 });
  });
});
