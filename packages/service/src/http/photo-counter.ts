import { Transform, type TransformCallback } from 'node:stream';
import { FacewrightError } from '@facewright/protocol';

/** Passes a photo on and fails with FW_BODY_TOO_LARGE as soon as it is longer than allowed. */
export class PhotoCounter extends Transform {
  #bytes = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    super();
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) done(new FacewrightError('FW_BODY_TOO_LARGE', { maxBytes: this.#maxBytes }));
    else done(null, chunk);
  }
}
