import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface Locked {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const { packages }: { packages: Record<string, Locked> } = JSON.parse(
  readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'),
);

it('the lock file names the packages for every platform, or `npm ci` refuses it', () => {
  // npm leaves out what the registry at hand does not have; `npm ci` then finds the lock file out of step on every machine.
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !(`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages)),
  );
  expect(missing, 'add { "version", "cpu", "os", "optional": true } for each').toEqual([]);
});

it('the lock file carries no host names', () => {
  const hosts = Object.values(packages).filter(({ resolved, link }) => resolved !== undefined && link !== true);
  expect(hosts).toEqual([]);
});
