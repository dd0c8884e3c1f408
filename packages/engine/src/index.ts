export type { Stage } from './progress.ts';
