/** A file that comes out: its name (without a folder, the same for every photo) and its bytes. */
export interface OutputFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}
