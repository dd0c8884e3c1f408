/** How a synthetic person looks. All colours come from a few numbers that a person would name. */
export interface PersonLook {
  /** Skin: 0 very fair .. 1 very dark. */
  readonly melanin: number;
  /** Blood under the skin, 1 = usual. */
  readonly redness: number;
  /** 0..1 */
  readonly freckles: number;
  /** 0 smooth .. 1 weathered: mottling, pores, shadows under the eyes. */
  readonly age: number;
  /** Beard shadow 0..1 */
  readonly stubble: number;
  /** Linear RGB of the hair in the light. */
  readonly hairColor: readonly [number, number, number];
  /** Length of the hair on top, mm; 0 = bald. */
  readonly hairTopMm: number;
  /** Length at the sides, mm. */
  readonly hairSideMm: number;
  /** Density of the brows, 1 = usual. */
  readonly brows: number;
  /** Length of the upper lashes as a share of the usual. */
  readonly lashes: number;
  /** Linear RGB of the iris. */
  readonly irisColor: readonly [number, number, number];
  /** Colour of the lips over that of the skin, 0 (none) .. 1 (strong). */
  readonly lips: number;
  /** Linear RGB of the shirt. */
  readonly shirtColor: readonly [number, number, number];
}
