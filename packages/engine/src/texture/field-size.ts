/** Texels per side of the coarse grids on which visibility, weights and completed colours live: about 1.2 mm on a face. */
export const FIELD_SIZE = 256;
