import { createRequire } from 'node:module';

interface ValidatorMessage {
  readonly code: string;
  readonly message: string;
  /** 0 error, 1 warning, 2 information, 3 hint. */
  readonly severity: number;
  readonly pointer?: string;
}

// The package has no types and is CommonJS.
const validator = createRequire(import.meta.url)('gltf-validator') as {
  validateBytes(bytes: Uint8Array, options: { maxIssues: number }): Promise<{ issues: { messages: ValidatorMessage[] } }>;
};

/**
 * What Khronos' glTF validator has to say about a GLB.
 *
 * @returns `faults`: errors and warnings; `infos`: the rest, without those about UVs that no texture uses yet (they are there to be painted)
 */
export async function validateGlb(glb: Uint8Array): Promise<{ faults: readonly ValidatorMessage[]; infos: readonly string[] }> {
  const { messages } = (await validator.validateBytes(glb, { maxIssues: 100 })).issues;
  const isSpareUv = (m: ValidatorMessage) => m.code === 'UNUSED_OBJECT' && (m.pointer ?? '').endsWith('/attributes/TEXCOORD_0');
  return {
    faults: messages.filter((m) => m.severity <= 1),
    infos: messages.filter((m) => m.severity > 1 && !isSpareUv(m)).map((m) => `${m.code} ${m.message}`),
  };
}
