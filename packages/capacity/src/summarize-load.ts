import type { RequestRecord } from './run-open-loop.ts';

/** What a run of load showed. Times in milliseconds, from the intended time of sending to the end of the answer. */
export interface LoadSummary {
  /** Requests per second that were to be sent. */
  readonly offeredPerS: number;
  /** Those that ended with `ok`, per second of the time until the last of them ended. */
  readonly completedPerS: number;
  readonly requests: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Of `ok` answers; null where there was none. */
  readonly latencyMs: {
    readonly mean: number;
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
  } | null;
  /**
   * Little's law, as a check of the figures: throughput × mean time in the system = mean number in the system, which was counted on
   * its own (area under the number of open requests over time). All outcomes count.
   */
  readonly littlesLaw: { readonly throughputPerS: number; readonly meanS: number; readonly product: number; readonly counted: number };
  /** The most by which this program sent later than intended. */
  readonly worstSendDelayMs: number;
}

/**
 * Sums up requests.
 *
 * @param durationMs - how long requests were sent
 */
export function summarizeLoad(records: readonly RequestRecord[], durationMs: number): LoadSummary {
  const outcomes: Record<string, number> = {};
  for (const { outcome } of records) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const ok = records.filter((r) => r.outcome === 'ok');
  const latencies = ok.map((r) => r.endedAt - r.intendedAt).sort((a, b) => a - b);
  const end = Math.max(durationMs, ...records.map((r) => r.endedAt));
  const okEnd = Math.max(durationMs, ...ok.map((r) => r.endedAt));
  const totalMs = records.reduce((sum, r) => sum + r.endedAt - r.intendedAt, 0);
  const throughputPerS = (1000 * records.length) / end;
  const meanS = records.length === 0 ? 0 : totalMs / 1000 / records.length;
  return {
    offeredPerS: (1000 * records.length) / durationMs,
    completedPerS: (1000 * ok.length) / okEnd,
    requests: records.length,
    outcomes,
    latencyMs:
      latencies.length === 0
        ? null
        : {
            mean: latencies.reduce((a, b) => a + b, 0) / latencies.length,
            p50: quantile(latencies, 0.5),
            p95: quantile(latencies, 0.95),
            p99: quantile(latencies, 0.99),
            max: latencies.at(-1)!,
          },
    littlesLaw: { throughputPerS, meanS, product: throughputPerS * meanS, counted: countMean(records, end) },
    worstSendDelayMs: records.reduce((worst, r) => Math.max(worst, r.sentAt - r.intendedAt), 0),
  };
}

/** The smallest value that at least `share` of all are not above (nearest rank: a value that was really measured). */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** Mean number of open requests: by walking over the begins and ends in order, not from their durations. */
function countMean(records: readonly RequestRecord[], endMs: number): number {
  const steps = records.flatMap((r) => [
    { at: r.intendedAt, change: 1 },
    { at: r.endedAt, change: -1 },
  ]);
  steps.sort((a, b) => a.at - b.at);
  let open = 0;
  let area = 0;
  let last = 0;
  for (const { at, change } of steps) {
    area += open * (at - last);
    open += change;
    last = at;
  }
  return area / endMs;
}
