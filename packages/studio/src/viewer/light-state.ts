/** Where the key light stands, seen from the face. */
export interface LightState {
  /** Degrees; 0 in front, positive to the right of the picture. */
  readonly turnDeg: number;
  /** Degrees above the eyes. */
  readonly heightDeg: number;
  /** 0..2; 1 is even light. */
  readonly strength: number;
}

export const DEFAULT_LIGHT: LightState = { turnDeg: 32, heightDeg: 28, strength: 1 };
