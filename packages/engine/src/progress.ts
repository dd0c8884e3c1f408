/** The stages of a reconstruction, in order. */
export const STAGES = ['decode', 'detect', 'landmarks', 'fit', 'texture', 'export'] as const;
export type Stage = (typeof STAGES)[number];

/** Called when a stage starts (`done` false) and ends (`done` true, with its wall time). */
export type OnProgress = (event: {
  readonly stage: Stage;
  readonly index: number;
  readonly total: number;
  readonly done: boolean;
  readonly ms?: number;
}) => void;
