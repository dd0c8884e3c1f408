import type { ShareOf } from './job-queue.ts';

/** What is to be known of a tenant to decide whose turn it is. */
export interface TenantLine {
  readonly tenant: string;
  readonly queued: number;
  readonly processing: number;
}

/** Clocks of {@link FairTurns}, to put them back where a change could not be kept. */
export interface TurnClocks {
  readonly virtual: number;
  readonly start: number | undefined;
}

/**
 * Whose turn it is: start-time fair queueing (Goyal, Vin, Cheng, "Start-time Fair Queuing", 1996, section 2) with one job as the
 * unit of work. Every tenant has a start tag, the virtual time of its next turn; the smallest tag goes first (of equal ones, the
 * first name) and moves on by 1 / weight; virtual time is the tag of the job that started last. A tenant that begins to wait starts at virtual time, so that
 * nobody saves up turns by being idle.
 */
export class FairTurns {
  readonly #starts = new Map<string, number>();
  readonly #shareOf: ShareOf;
  #virtual = 0;

  constructor(shareOf: ShareOf) {
    this.#shareOf = shareOf;
  }

  clocks(tenant: string): TurnClocks {
    return { virtual: this.#virtual, start: this.#starts.get(tenant) };
  }
  restore(tenant: string, clocks: TurnClocks): void {
    this.#virtual = clocks.virtual;
    if (clocks.start === undefined) this.#starts.delete(tenant);
    else this.#starts.set(tenant, clocks.start);
  }

  /** The tenant has waiting jobs and had none before. */
  join(tenant: string): void {
    this.#starts.set(tenant, Math.max(this.#virtual, this.#starts.get(tenant) ?? 0));
  }

  /** The tenant whose job starts next; null where none waits or all that wait run as many as they may. */
  next(lines: Iterable<TenantLine>): string | null {
    let best: TenantLine | null = null;
    let bestTag = Number.POSITIVE_INFINITY;
    for (const line of lines) {
      if (line.queued === 0 || line.processing >= this.#shareOf(line.tenant).maxProcessing) continue;
      const tag = this.#tagOf(line.tenant);
      if (tag < bestTag || (tag === bestTag && line.tenant < best!.tenant)) [best, bestTag] = [line, tag];
    }
    return best?.tenant ?? null;
  }

  /** The tenant took its turn. One that could not for a while, because it ran as many as it may, does not take later what it missed. */
  take(tenant: string): void {
    const tag = Math.max(this.#virtual, this.#tagOf(tenant));
    this.#virtual = tag;
    this.#starts.set(tenant, tag + 1 / this.#weightOf(tenant));
  }

  /** A turn was taken and not used. */
  giveBack(tenant: string): void {
    this.#starts.set(tenant, this.#tagOf(tenant) - 1 / this.#weightOf(tenant));
  }

  /** Jobs of all tenants that start before the one with `ahead` waiting jobs of its own tenant before it, caps left aside. */
  position(own: TenantLine, ahead: number, lines: Iterable<TenantLine>): number {
    const tag = this.#tagOf(own.tenant) + ahead / this.#weightOf(own.tenant);
    let before = ahead;
    for (const line of lines) {
      if (line.tenant === own.tenant || line.queued === 0) continue;
      const turns = (tag - this.#tagOf(line.tenant)) * this.#weightOf(line.tenant);
      // Turns k = 0, 1, … of the other have the tags start + k / weight: those below `tag`, and the equal one if its name comes first.
      const whole = Math.ceil(turns);
      const count = whole === turns && line.tenant < own.tenant ? whole + 1 : whole;
      before += Math.min(line.queued, Math.max(0, count));
    }
    return before;
  }

  #tagOf(tenant: string): number {
    return this.#starts.get(tenant) ?? this.#virtual;
  }
  #weightOf(tenant: string): number {
    return this.#shareOf(tenant).weight;
  }
}
