/** Oldest Node that everything here runs on; the same as "engines" in package.json (a test compares). */
export const MIN_NODE = [20, 19];

/**
 * Ends the program with a clear message where Node is too old.
 *
 * Keeps to syntax that Node 14 can read, so that the message appears instead of a syntax error.
 *
 * @param {string} version as in process.versions.node
 */
export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return;
  process.stderr.write(
    `Facewright needs Node ${MIN_NODE.join('.')} or later; this is Node ${version}.\n` +
      'Install a newer one from https://nodejs.org (or `nvm install 24`) and run the command again.\n',
  );
  process.exit(1);
}
