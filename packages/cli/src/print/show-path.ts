import { isAbsolute, relative } from 'node:path';

/** A path as people read it: relative to where they are if it lies below, without characters that could steer a terminal. */
export function showPath(path: string, cwd: string): string {
  const fromHere = relative(cwd, path);
  const short = fromHere === '' ? '.' : /^\.\.([\\/]|$)/.test(fromHere) || isAbsolute(fromHere) ? path : fromHere;
  return showText(short);
}

/** Text from outside (file names, messages) made safe for a terminal: control characters become `?`. */
export function showText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '?');
}
