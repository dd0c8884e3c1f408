const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
/** 20 characters of 32 are 100 bits: two readers never meet. */
const LENGTH = 20;

/**
 * An id for a new job, chosen here, so that the page knows it before the photo has arrived and a photo that is sent twice is the
 * same job. (`crypto.randomUUID` is missing over plain http.)
 */
export function createJobId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(LENGTH)), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}
