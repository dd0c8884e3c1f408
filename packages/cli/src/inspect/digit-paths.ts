/**
 * The ten digits as strokes in a box 10 wide and 16 high (SVG path data, y down). Own drawing: text in SVG would need a font on the
 * machine, and a container as a rule has none.
 */
const DIGITS: readonly string[] = [
  'M5 0C1.5 0 0 3.5 0 8S1.5 16 5 16S10 12.5 10 8S8.5 0 5 0Z',
  'M1.5 3.2L6 0V16',
  'M.3 4.2C.3 1.6 2.3 0 5 0S9.7 1.7 9.7 4.4C9.7 8 5.5 10.6 0 16H10',
  'M.5 2.2C1.6 .8 3.1 0 4.9 0C7.6 0 9.4 1.5 9.4 3.8S7.6 7.5 4 7.5C7.9 7.5 10 9.2 10 11.7S7.9 16 4.9 16C2.8 16 1.1 15.2 0 13.6',
  'M7.4 16V0L0 11.2H10',
  'M9.2 0H1.9L1 7.2C2.1 6.3 3.5 5.8 5 5.8C8 5.8 10 7.7 10 10.8S7.9 16 4.9 16C2.8 16 1.1 15.2 0 13.7',
  'M9.2 1.7C8.2 .6 6.9 0 5.5 0C2 0 0 3.4 0 9C0 13.6 1.9 16 5 16S10 13.9 10 11S8 6.2 5 6.2S0 8.2 0 11',
  'M0 0H10L3.8 16',
  'M5 7.4C2.3 7.4 .7 5.9 .7 3.7S2.3 0 5 0S9.3 1.5 9.3 3.7S7.7 7.4 5 7.4C1.8 7.4 0 9.2 0 11.7S1.9 16 5 16S10 14.2 10 11.7S8.2 7.4 5 7.4Z',
  'M.8 14.3C1.8 15.4 3.1 16 4.5 16C8 16 10 12.6 10 7C10 2.4 8.1 0 5 0S0 2.1 0 5S2 9.8 5 9.8S10 7.8 10 5',
];

const WIDTH = 10;
const HEIGHT = 16;
const GAP = 4;

/** SVG group of a whole number, its box's top left corner at (x, y). */
export function drawNumber(value: number, x: number, y: number, heightPx: number, color: string): string {
  const scale = heightPx / HEIGHT;
  const paths = [...String(value)].map((digit, i) => `<path transform="translate(${i * (WIDTH + GAP)} 0)" d="${DIGITS[Number(digit)]}"/>`);
  const style = `fill="none" stroke="${color}" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"`;
  return `<g transform="translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${scale.toFixed(4)})" ${style}>${paths.join('')}</g>`;
}

/** Width of what {@link drawNumber} draws, in pixels. */
export function numberWidthPx(value: number, heightPx: number): number {
  const count = String(value).length;
  return (heightPx / HEIGHT) * (count * WIDTH + (count - 1) * GAP);
}
