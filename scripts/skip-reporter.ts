import type { Reporter, TestModule } from 'vitest/node';

/**
 * vitest reporter that lists every skipped test with its reason at the end of the run, so that no skip goes unnoticed.
 *
 * A reason is what the test gave to `ctx.skip('…')`; `it.skip` gives none, and the list says so.
 */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const byReason = new Map<string, string[]>();
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const result = test.result();
        const reason = (result.state === 'skipped' && result.note) || 'no reason given';
        byReason.set(reason, [...(byReason.get(reason) ?? []), `${module.relativeModuleId} > ${test.fullName}`]);
      }
    }
    const lines = [...byReason].flatMap(([reason, tests]) => [
      ` skipped (${tests.length}): ${reason}`,
      ...tests.map((name) => `   ${name}`),
    ]);
    if (lines.length > 0) process.stdout.write(`\n${lines.join('\n')}\n`);
  }
}
