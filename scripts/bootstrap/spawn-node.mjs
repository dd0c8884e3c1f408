import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Runs a Node program in the foreground, with this terminal, and gives its exit status.
 *
 * Ctrl-C reaches the child from the terminal itself; this process only has to outlive it to report how it ended. A signal sent to
 * this process alone is handed on.
 *
 * @param {readonly string[]} args arguments of `node`
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, stdio?: import('node:child_process').StdioOptions }} [options]
 * @returns {Promise<number>} exit status; 128 + number where a signal ended it, as shells have it
 */
export async function spawnNode(args, options = {}) {
  const child = spawn(process.execPath, args, { stdio: 'inherit', ...options });
  const handOn = (/** @type {NodeJS.Signals} */ signal) => {
    if (signal !== 'SIGINT') child.kill(signal);
  };
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, handOn);
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    for (const signal of signals) process.off(signal, handOn);
  }
}
