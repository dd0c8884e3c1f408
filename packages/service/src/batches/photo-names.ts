/** Longest name that is kept, characters. */
const MAX_NAME_CHARS = 120;
/** Longest folder, characters: with a number and a file name it stays within what Windows unpacks. */
const MAX_FOLDER_CHARS = 80;
/** Control and invisible characters, which could make a name look like another, and halves of characters. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Not allowed in names by some file system. */
const NOT_IN_NAMES = /[\\/:*?"<>|]/g;
/** Names of devices in Windows, also with an ending. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** File name of a photo as its sender gave it, without folders and unseen characters; what is left of an unusable one is `photo`. */
export function cleanPhotoName(name: string | undefined): string {
  const base = (name ?? '').normalize('NFC').split(/[\\/]/).at(-1) ?? '';
  const cleaned = cutTo(base.replace(UNSEEN, '').trim(), MAX_NAME_CHARS);
  return cleaned === '' || /^\.+$/.test(cleaned) ? 'photo' : cleaned;
}

/**
 * A folder for each photo of a batch, in their order: its name without ending, safe on every file system, and no two alike (not even
 * but for case).
 */
export function createFolderNames(photoNames: readonly string[]): string[] {
  const taken = new Set<string>();
  return photoNames.map((name) => {
    const stem = cleanPhotoName(name)
      .replace(/\.[^.]{1,5}$/, '')
      .replace(NOT_IN_NAMES, '_');
    const safe = cutTo(stem, MAX_FOLDER_CHARS).replace(/^[. ]+|[. ]+$/g, '');
    const base = safe === '' ? 'photo' : DEVICE.test(safe) ? `_${safe}` : safe;
    let folder = base;
    for (let i = 2; taken.has(folder.toLowerCase()); i++) folder = `${base}-${i}`;
    taken.add(folder.toLowerCase());
    return folder;
  });
}

/** Cut between characters, not through one. */
const cutTo = (text: string, max: number): string => [...text].slice(0, max).join('');
