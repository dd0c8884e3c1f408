import { type HealthView, isFacewrightError } from '@facewright/protocol';

/** A part that can be out of order. Rejects with an error of the table that says why. */
export type HealthCheck = () => Promise<void>;

export interface Health {
  /** What `/readyz` answers; from memory, so that it is quick whatever is out of order. */
  readonly read: () => HealthView;
  /** Everything has started. */
  readonly started: () => void;
  readonly draining: () => void;
  /** Looks at all parts now. */
  readonly check: () => Promise<void>;
  readonly stop: () => void;
}

const CHECK_PAUSE_MS = 3000;
/** A part that gives no answer at all within this time is out of order. */
const CHECK_TIMEOUT_MS = 5000;

/**
 * Follows whether this process can work: it is starting until {@link Health.started}, draining from {@link Health.draining}, and between
 * ready while all checks pass. Reasons name what is wrong in the words of the error table, which name no address or path.
 */
export function watchHealth(version: string, checks: Readonly<Record<string, HealthCheck>>): Health {
  let phase: 'starting' | 'ready' | 'draining' = 'starting';
  let results: HealthView['checks'] = {};
  const check = async (): Promise<void> => {
    const entries = await Promise.all(
      Object.entries(checks).map(async ([name, run]) => {
        try {
          await withinTime(run());
          return [name, { ok: true }] as const;
        } catch (error) {
          return [name, { ok: false, reason: isFacewrightError(error) ? error.message : 'it does not answer' }] as const;
        }
      }),
    );
    results = Object.fromEntries(entries);
  };
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const turn = (): void => {
    void check().then(() => {
      if (!isStopped) timer = setTimeout(turn, CHECK_PAUSE_MS).unref();
    });
  };
  turn();
  return {
    read: () => {
      const isSound = Object.values(results).every(({ ok }) => ok);
      return { status: phase === 'ready' && !isSound ? 'unhealthy' : phase, version, checks: results };
    },
    started() {
      if (phase === 'starting') phase = 'ready';
    },
    draining() {
      phase = 'draining';
    },
    check,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

async function withinTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('late')), CHECK_TIMEOUT_MS).unref();
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
