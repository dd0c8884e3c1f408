import { expect, it } from 'vitest';
import { writeContainer } from '../generator/write-container.ts';
import { openContainer, PREAMBLE_BYTES } from './container.ts';

const numbers = Int16Array.from({ length: 1001 }, (_, i) => 7 * i - 3000);
const bytes = writeContainer({ id: 'x' }, [
  { name: 'odd', data: Uint8Array.of(1, 2, 3) },
  { name: 'numbers', data: numbers },
  { name: 'floats', data: Float32Array.of(0.5, -1), stream: 1 },
]);

it('gives back what was written, stream by stream', async () => {
  const container = openContainer<{ id: string }>(bytes, 'file');
  expect(container.meta).toEqual({ id: 'x' });
  expect(() => container.array('numbers', 'i16')).toThrow('numbers');
  await container.unpack(0);
  expect(container.array('numbers', 'i16', 1001)).toEqual(numbers);
  expect(Array.from(container.array('odd', 'u8'))).toEqual([1, 2, 3]);
  await container.unpack(1);
  expect(Array.from(container.array('floats', 'f32'))).toEqual([0.5, -1]);
});

it('refuses an array of another type or length', async () => {
  const container = openContainer(bytes, 'file');
  await container.unpack(0);
  for (const wrong of [
    () => container.array('numbers', 'u16'),
    () => container.array('numbers', 'i16', 1000),
    () => container.array('no', 'u8'),
  ]) {
    expect(wrong).toThrow(expect.objectContaining({ code: 'FW_MODEL_CORRUPT' }));
  }
});

it('same input, same bytes', () => {
  const again = writeContainer({ id: 'x' }, [
    { name: 'odd', data: Uint8Array.of(1, 2, 3) },
    { name: 'numbers', data: numbers },
    { name: 'floats', data: Float32Array.of(0.5, -1), stream: 1 },
  ]);
  expect(again).toEqual(bytes);
});

it('refuses every changed byte: damage, or another version', () => {
  for (let i = 0; i < bytes.length; i += i < PREAMBLE_BYTES ? 1 : 37) {
    const damaged = Uint8Array.from(bytes);
    damaged[i]! ^= 0x10;
    // Bytes 8 to 11 are the version. The header's length (12 to 15) is read after the checksum held: a wrong one leaves no header.
    const code = i >= 8 && i < 12 ? 'FW_MODEL_VERSION' : 'FW_MODEL_CORRUPT';
    expect(() => openContainer(damaged, 'file'), `byte ${i}`).toThrow(expect.objectContaining({ code }));
  }
});

it.each([0, 7, PREAMBLE_BYTES - 1, PREAMBLE_BYTES, bytes.length - 1])('refuses a file cut off after %d bytes', (length) => {
  expect(() => openContainer(bytes.subarray(0, length), 'file')).toThrow(expect.objectContaining({ code: 'FW_MODEL_CORRUPT' }));
});
