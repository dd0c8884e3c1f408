import { expect, it } from 'vitest';
import { computeSamePadding } from './same-padding.ts';

/** Adds pixels one by one, first behind and then before, until there is one output per started stride. */
function padOneByOne(size: number, stride: number, extent: number): [number, number] {
  const pad: [number, number] = [0, 0];
  const outputs = () => Math.floor((size + pad[0] + pad[1] - extent) / stride) + 1;
  for (let side = 1; outputs() < Math.ceil(size / stride); side = 1 - side) pad[side]! += 1;
  return pad;
}

it('adds no pixel more than one output per started stride takes, the odd one behind', () => {
  for (let size = 1; size <= 24; size++) {
    for (let stride = 1; stride <= 4; stride++) {
      for (let extent = 1; extent <= 7; extent++) {
        expect(computeSamePadding(size, stride, extent), `${size} / ${stride} / ${extent}`).toEqual(padOneByOne(size, stride, extent));
      }
    }
  }
});
