import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where converted networks are kept between runs: FACEWRIGHT_CACHE_DIR, else the folder that the system has for such
 * things: $XDG_CACHE_HOME/facewright or ~/.cache/facewright, on macOS ~/Library/Caches/facewright, on Windows
 * %LOCALAPPDATA%\facewright\Cache. Null when the user has no home folder.
 */
export function defaultCacheDir(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string | null {
  if (env.FACEWRIGHT_CACHE_DIR) return env.FACEWRIGHT_CACHE_DIR;
  // The XDG specification asks to ignore paths that are not absolute.
  if (env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME)) return join(env.XDG_CACHE_HOME, 'facewright');
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'facewright', 'Cache');
  const home = findHome(env);
  if (home === null) return null;
  return platform === 'darwin' ? join(home, 'Library', 'Caches', 'facewright') : join(home, '.cache', 'facewright');
}

function findHome(env: Readonly<Record<string, string | undefined>>): string | null {
  if (env.HOME) return env.HOME;
  try {
    return homedir() || null;
  } catch {
    return null; // a user id without an entry in the user table, as containers have
  }
}
