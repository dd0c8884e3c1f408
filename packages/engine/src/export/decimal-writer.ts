/** Writes text with fixed-point numbers into one growing buffer: an order of magnitude faster than toFixed and join. */
export interface DecimalWriter {
  /** Appends text as UTF-8. */
  text(text: string): void;
  /**
   * Appends a space and the number, rounded to `decimals` places, without trailing zeros and without "-0".
   * Exact for |value| * 10^decimals < 2^53.
   */
  decimal(value: number, decimals: number): void;
  /** The bytes so far. */
  bytes(): Uint8Array;
}

const ZERO = 0x30;

export function createDecimalWriter(startBytes = 1 << 20): DecimalWriter {
  const encoder = new TextEncoder();
  const digits = new Uint8Array(24);
  let buffer = new Uint8Array(startBytes);
  let at = 0;
  const reserve = (bytes: number) => {
    if (at + bytes <= buffer.length) return;
    const larger = new Uint8Array(Math.max(2 * buffer.length, at + bytes));
    larger.set(buffer);
    buffer = larger;
  };
  return {
    text(text) {
      // A UTF-16 unit becomes at most three bytes.
      reserve(3 * text.length);
      at += encoder.encodeInto(text, buffer.subarray(at)).written;
    },
    decimal(value, decimals) {
      reserve(32);
      buffer[at++] = 0x20;
      let rest = Math.round(Math.abs(value) * 10 ** decimals);
      if (value < 0 && rest > 0) buffer[at++] = 0x2d;
      let places = decimals;
      while (places > 0 && rest % 10 === 0) {
        rest /= 10;
        places--;
      }
      // Digits from the last to the first, at least one before the point.
      let n = 0;
      do {
        const next = Math.floor(rest / 10);
        digits[n++] = ZERO + rest - 10 * next;
        rest = next;
      } while (rest > 0 || n <= places);
      while (n > 0) {
        if (n === places) buffer[at++] = 0x2e;
        buffer[at++] = digits[--n]!;
      }
    },
    bytes: () => buffer.slice(0, at),
  };
}
