/** Identity modes taken apart into what is the same on both sides and what is opposite. */
export interface ModeColumns {
  /** Symmetric columns first. */
  readonly columnMode: Uint16Array;
  readonly symmetricColumns: number;
  /** Shape (V,3) per column, millimetres. The partner's displacement follows by symmetry. */
  readonly fields: readonly Float64Array[];
  /** Shape (V): root mean square, over random heads, of the parts that are left out; millimetres. */
  readonly leftOutMm: Float64Array;
}

/**
 * Takes each mode apart: even part (d + M d') / 2 and odd part (d - M d') / 2, with d' the displacement of the partner and
 * M = diag(-1,1,1). A part is kept where its root mean square over the vertices of `counted` exceeds `dropBelowMm`.
 *
 * @param modesCm - per mode (V,3), centimetres
 * @param counted - vertices [0, counted)
 */
export function splitModes(modesCm: readonly Float64Array[], mirrorVertex: Uint16Array, counted: number, dropBelowMm: number): ModeColumns {
  const even: [number, Float64Array][] = [];
  const odd: [number, Float64Array][] = [];
  const leftOut = new Float64Array(mirrorVertex.length);
  modesCm.forEach((mode, k) => {
    const parts = [new Float64Array(mode.length), new Float64Array(mode.length)] as const;
    for (let v = 0; v < mirrorVertex.length; v++) {
      for (let d = 0; d < 3; d++) {
        const own = 10 * mode[3 * v + d]!;
        const other = (d === 0 ? -10 : 10) * mode[3 * mirrorVertex[v]! + d]!;
        parts[0][3 * v + d] = (own + other) / 2;
        parts[1][3 * v + d] = (own - other) / 2;
      }
    }
    for (const [list, part] of [[even, parts[0]] as const, [odd, parts[1]] as const]) {
      if (rootMeanSquare(part, counted) > dropBelowMm) list.push([k, part]);
      else
        leftOut.forEach((_, v) => {
          leftOut[v]! += part[3 * v]! ** 2 + part[3 * v + 1]! ** 2 + part[3 * v + 2]! ** 2;
        });
    }
  });
  const all = [...even, ...odd];
  return {
    columnMode: Uint16Array.from(all, ([k]) => k),
    symmetricColumns: even.length,
    fields: all.map(([, field]) => field),
    leftOutMm: leftOut.map(Math.sqrt),
  };
}

function rootMeanSquare(field: Float64Array, vertices: number): number {
  let sum = 0;
  for (let i = 0; i < 3 * vertices; i++) sum += field[i]! ** 2;
  return Math.sqrt(sum / vertices);
}
