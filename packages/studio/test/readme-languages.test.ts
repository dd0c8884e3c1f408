import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (name: string) => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');
const english = read('README.md');
const chinese = read('README.zh-CN.md');

/** Everything of a page that does not depend on its language. */
function skeleton(page: string) {
  return {
    headings: (page.match(/^#+ /gm) ?? []).map((mark) => mark.trim()),
    code: page.match(/```[\s\S]*?```/g) ?? [],
    targets: [...page.matchAll(/\]\(([^)]+)\)/g)]
      .map(([, target]) => target!)
      .filter((target) => !/^README/.test(target))
      .sort(),
    tableRows: (page.match(/^\|.*\|$/gm) ?? []).map((row) => row.split('|').length),
    listItems: (page.match(/^- /gm) ?? []).length,
    // Figures of tables, in any order within their cell: languages order words differently.
    figures: (page.match(/^\|.*\|$/gm) ?? []).map((row) => (row.replace(/`[^`]*`/g, '').match(/\d+\.\d+/g) ?? []).sort()),
  };
}

it('README.zh-CN.md is in step with README.md: sections, code, links, tables and figures', () => {
  expect(skeleton(chinese)).toEqual(skeleton(english));
});
