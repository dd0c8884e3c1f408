/**
 * Prints "passed failed skipped" of a run that vitest's JSON reporter wrote.
 *
 * A file that could not be loaded has no tests to fail, so it counts as one failure; so does a missing or broken report.
 */
import { readFileSync } from 'node:fs';

let counts = [0, 1, 0];
try {
  const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const brokenFiles = report.testResults.filter(
    (f) => f.status === 'failed' && f.assertionResults.every((t) => t.status !== 'failed'),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  counts = [report.numPassedTests, report.success || failed > 0 ? failed : 1, report.numPendingTests + report.numTodoTests];
} catch (e) {
  console.error(`No usable test report: ${e.message}`);
}
console.log(counts.join(' '));
