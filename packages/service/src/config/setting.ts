import type { Config } from './config.ts';

/** A setting as help and completion show it. */
export interface Setting {
  /** As in the file of `--config`. */
  readonly name: keyof Config;
  readonly flag: string;
  readonly env: string;
  readonly description: string;
  /** The default as text; '' where it is computed or absent. */
  readonly fallback: string;
  readonly isSecret: boolean;
  /** On or off: the flag stands alone. */
  readonly isSwitch: boolean;
  readonly choices: readonly string[];
}
