import type { EngineOptions, OutputFormat } from '../engine-port.ts';

/** What `facewright make` was asked for: plain JSON, since it also goes to worker processes. */
export interface MakeOptions {
  readonly engine: EngineOptions;
  readonly face: 'only' | 'largest' | 'all' | number;
  readonly focalPx?: number;
  readonly focal35mm?: number;
  readonly formats: readonly OutputFormat[];
  readonly compact: boolean;
  readonly force: boolean;
  /** Folder that must not be moved away. */
  readonly cwd: string;
}

export interface MakeJob {
  /** Absolute. */
  readonly photo: string;
  /** Absolute folder of the result. */
  readonly target: string;
}
