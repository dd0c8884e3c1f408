import { describe, expect, it } from 'vitest';
import { keepConstant } from './keep-constant.ts';

const counting = () => {
  let count = 0;
  return { encode: () => Promise.resolve(Uint8Array.of(++count)), count: () => count };
};

describe('keepConstant', () => {
  it('encodes pixels that all faces share once for each encoding', async () => {
    const map = { data: new Uint8Array(4), isConstant: true };
    const { encode, count } = counting();
    expect(await keepConstant(map, 'png', encode)).toEqual(Uint8Array.of(1));
    expect(await keepConstant({ ...map }, 'png', encode)).toEqual(Uint8Array.of(1));
    expect(await keepConstant(map, 'jpeg', encode)).toEqual(Uint8Array.of(2));
    expect(count()).toBe(2);
  });

  it('encodes pixels of one face each time: who holds them may change them', async () => {
    const map = { data: new Uint8Array(4) };
    const { encode, count } = counting();
    await keepConstant(map, 'png', encode);
    await keepConstant(map, 'png', encode);
    expect(count()).toBe(2);
  });

  it('tries again what failed', async () => {
    const map = { data: new Uint8Array(4), isConstant: true };
    await expect(keepConstant(map, 'png', () => Promise.reject(new Error('no memory')))).rejects.toThrow('no memory');
    expect(await keepConstant(map, 'png', counting().encode)).toEqual(Uint8Array.of(1));
  });
});
