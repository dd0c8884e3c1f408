import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Letters and digits: a double click selects a whole key, and no shell or form changes it. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** 62^43 is a little more than 2^256. */
const SECRET_LENGTH = 43;
const KEY_PATTERN = /^fw_([a-z0-9]{12})_([A-Za-z0-9]{43})$/;

/** A new key: `fw_<id>_<secret>`. The id finds the entry in the file, the secret proves it. */
export function generateApiKey(): { readonly key: string; readonly id: string; readonly sha256: string } {
  const id = pick(12, 'abcdefghijklmnopqrstuvwxyz0123456789');
  const secret = pick(SECRET_LENGTH, ALPHABET);
  return { key: `fw_${id}_${secret}`, id, sha256: hashSecret(secret) };
}

/** The two parts of a key, or null where it does not look like one. */
export function parseApiKey(key: string): { readonly id: string; readonly secret: string } | null {
  const match = KEY_PATTERN.exec(key);
  return match === null ? null : { id: match[1]!, secret: match[2]! };
}

/**
 * Whether a secret is the one that was hashed; takes as long either way.
 *
 * A plain hash is enough: a secret has 256 random bits, so there is nothing to guess that a slow hash would slow down.
 */
export function matchesSecret(secret: string, sha256: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(secret), 'hex'), Buffer.from(sha256, 'hex'));
}

function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function pick(length: number, alphabet: string): string {
  const limit = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    // Bytes above the last whole multiple are thrown away: the rest is uniform.
    for (const byte of randomBytes(length)) if (byte < limit && text.length < length) text += alphabet[byte % alphabet.length];
  }
  return text;
}
