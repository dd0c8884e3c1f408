import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { DecodeGate } from './decode-gate.ts';

describe('DecodeGate', () => {
  it('lets shared work overlap and keeps exclusive work alone, whatever the order of asking', async () => {
    const gate = new DecodeGate();
    let running = 0;
    let most = 0;
    let exclusive = 0;
    const violations: string[] = [];
    const shared = async (): Promise<void> => {
      running++;
      most = Math.max(most, running);
      if (exclusive > 0) violations.push('shared beside exclusive');
      await sleep(2);
      running--;
    };
    const alone = async (): Promise<void> => {
      exclusive++;
      if (running > 0 || exclusive > 1) violations.push('exclusive not alone');
      await sleep(2);
      exclusive--;
    };
    await Promise.all(Array.from({ length: 60 }, (_, k) => (k % 7 === 3 || k % 11 === 0 ? gate.runAlone(alone) : gate.share(shared))));
    expect(violations).toEqual([]);
    expect(most).toBeGreaterThan(1);
  });

  it('goes on after work that failed', async () => {
    const gate = new DecodeGate();
    await expect(gate.runAlone(() => Promise.reject(new Error('a')))).rejects.toThrow('a');
    await expect(gate.share(() => Promise.reject(new Error('b')))).rejects.toThrow('b');
    expect(await gate.runAlone(() => Promise.resolve(1))).toBe(1);
    expect(await gate.share(() => Promise.resolve(2))).toBe(2);
  });
});
