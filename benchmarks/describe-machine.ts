import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';

/** One line on what a figure was measured with, so that it can be compared. */
export function describeMachine(): string {
  const version = (name: string): string => {
    const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
    return `${name} ${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`;
  };
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const load = loadavg()[0]!.toFixed(2);
  return `${cpus().length} x ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}-${process.arch}, Node ${process.version}, ${version('onnxruntime-node')}, ${version('sharp')}, load ${load}`;
}
