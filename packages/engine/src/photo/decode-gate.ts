/**
 * Lets decodes run side by side, and one of them alone where its messages matter.
 *
 * libvips keeps its error and warning texts in one buffer for the whole process, so what a decode says while another
 * runs may be about that other. That a decode fails is certain; why is known only of one that ran alone.
 */
export class DecodeGate {
  #running = 0;
  /** Ends when the last exclusive piece of work that was asked for has ended. */
  #exclusive: Promise<void> = Promise.resolve();
  #whenIdle: (() => void) | undefined;

  /** Runs `work` beside others, after any exclusive work that was asked for before. */
  async share<T>(work: () => Promise<T>): Promise<T> {
    for (let seen: Promise<void> | undefined; seen !== this.#exclusive; ) {
      seen = this.#exclusive;
      await seen;
    }
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
      if (this.#running === 0) this.#whenIdle?.();
    }
  }

  /** Runs `work` alone: what runs ends first, what comes later waits. Not from inside `share`. */
  runAlone<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#exclusive;
    const result = (async () => {
      await before;
      if (this.#running > 0) {
        await new Promise<void>((resolve) => {
          this.#whenIdle = resolve;
        });
        this.#whenIdle = undefined;
      }
      return work();
    })();
    this.#exclusive = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}
