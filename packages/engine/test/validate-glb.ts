import validator, { type ValidatorMessage } from 'gltf-validator';

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
