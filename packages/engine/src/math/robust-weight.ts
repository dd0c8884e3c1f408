/**
 * Weight of a residual in iteratively reweighted least squares: 1 at zero, 1/2 at `scale`, falling with the square (Cauchy's
 * estimator; Holland & Welsch, Comm. Stat. A 6 (1977)). Outliers count less the further out they are, and never more than once.
 *
 * @param squaredResidual - unit of `scale` squared
 */
export function computeCauchyWeight(squaredResidual: number, scale: number): number {
  return 1 / (1 + squaredResidual / (scale * scale));
}
