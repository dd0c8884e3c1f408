import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ERROR_SAMPLES, WARNING_SAMPLES } from '../../../../scripts/error-samples.ts';
import { describeFailure, fillMessage } from '../errors/describe-failure.ts';
import type { Failure } from '../errors/failure.ts';
import { chooseLanguage } from './choose-language.ts';
import { errorsEn, warningsEn } from './errors.en.ts';
import { errorsZh, warningsZh } from './errors.zh.ts';
import type { Texts } from './language.ts';
import { en } from './messages.en.ts';
import { zh } from './messages.zh.ts';
import { translateReason } from './translate-reason.ts';

/** Every text of a language with its path; functions are called with numbers, which all of them take. */
function listTexts(value: unknown, path = ''): [path: string, text: string][] {
  if (typeof value === 'function') return [[path, String((value as (...args: number[]) => unknown)(3, 7))]];
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, inner]) => listTexts(inner, `${path}.${key}`));
  return [[path, String(value)]];
}

it('every text exists in both languages and none was left in English', () => {
  const [english, chinese] = [listTexts(en), listTexts(zh)];
  expect(chinese.map(([path]) => path)).toEqual(english.map(([path]) => path));
  const kept = english
    .filter(([path, text], i) => chinese[i]![1] === text && /[a-z]{2}/i.test(text) && !/programs\.\d\.(name|file|readsCompact)$/.test(path))
    .map(([path]) => path);
  // Names, formats and programs are the same everywhere.
  expect(kept).toEqual(['.app.name', '.app.api', '.options.format.glb', '.options.format.obj', '.result.views.uv']);
  for (const [path, text] of [...english, ...chinese]) expect(text, path).not.toMatch(/undefined|NaN|\[object|^\s*$/);
});

const HAN = /\p{Script=Han}/u;

it('every error and warning can be told in Chinese, with the numbers of the case', () => {
  for (const [code, params] of Object.entries(ERROR_SAMPLES)) {
    const { title, message, hint } = errorsZh[code as keyof typeof errorsZh];
    const text = fillMessage(message as (p: unknown) => string, params);
    for (const part of [title, text ?? '', hint]) expect(part, code).toMatch(HAN);
  }
  for (const [code, params] of Object.entries(WARNING_SAMPLES)) {
    const { message, hint } = warningsZh[code as keyof typeof warningsZh];
    for (const part of [fillMessage(message as (p: unknown) => string, params) ?? '', hint]) expect(part, code).toMatch(HAN);
  }
});

it('every reason for which the engine doubts a face is told in Chinese, also several at once', () => {
  const source = readFileSync(new URL('../../../engine/src/acceptance/check-face.ts', import.meta.url), 'utf8');
  const reasons = [...source.matchAll(/(?:reason: |doubts\.push\()(['`])(.*?)\1/g)].map(([, , text]) => text!);
  // Seven of them when this was written: a pattern that finds none would prove nothing.
  expect(reasons.length).toBeGreaterThan(5);
  for (const reason of reasons) {
    const filled = reason.replace(/\$\{covered[^}]*\}/, 'nose and the left cheek').replace(/\$\{[^}]*\}/g, '0.50');
    expect(translateReason(filled), filled).toMatch(HAN);
    expect(translateReason(filled), filled).not.toMatch(/[a-z]{3}/i);
  }
  expect(translateReason('the skin has no colour; something covers the chin')).toBe('皮肤没有颜色；有东西遮住了下巴');
  expect(translateReason('something new')).toBe('something new');
});

it('every parameter of a warning is told in Chinese too, where the English text tells it', () => {
  for (const [code, params] of Object.entries(WARNING_SAMPLES)) {
    const english = fillMessage(warningsEn[code as keyof typeof warningsEn].message as (p: unknown) => string, params) ?? '';
    const chinese = fillMessage(warningsZh[code as keyof typeof warningsZh].message as (p: unknown) => string, params) ?? '';
    // Paths and causes of the operator's own machine are of no use to a reader.
    if (code === 'CACHE_NOT_WRITABLE') continue;
    expect(chinese.match(/\d+/g)?.length ?? 0, code).toBeGreaterThanOrEqual(english.match(/\d+/g)?.length ?? 0);
  }
});

it('no hint speaks of the command line to a reader of the page', () => {
  for (const texts of [errorsEn, errorsZh, warningsEn, warningsZh]) {
    for (const [code, { hint }] of Object.entries(texts)) expect(hint, code).not.toMatch(/--[a-z]|`/);
  }
});

it('falls back to the words of the service where the numbers are not those that are known', () => {
  const failure: Failure = {
    kind: 'service',
    code: 'FW_FACE_NOT_FOUND',
    status: 422,
    message: 'No face found',
    params: { renamed: 1 },
    requestId: 'r',
    retryAfterS: null,
  };
  const texts: Texts = { language: 'zh', locale: 'zh-CN', t: zh, errors: errorsZh, warnings: warningsZh };
  expect(describeFailure(failure, texts)).toMatchObject({ title: '没有找到人脸', detail: 'No face found', requestId: 'r' });
});

it.each([
  [null, ['zh-Hant-TW', 'en'], 'zh'],
  [null, ['fr-FR', 'en-US', 'zh'], 'en'],
  [null, ['de'], 'en'],
  ['zh', ['en'], 'zh'],
  ['xx', ['zh'], 'zh'],
] as const)('of %s and %j it takes %s', (stored, preferred, expected) => {
  expect(chooseLanguage(stored, preferred)).toBe(expected);
});
