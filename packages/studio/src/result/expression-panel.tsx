import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.ts';
import { announce } from '../ui/announce.tsx';
import { Icon } from '../ui/icons.tsx';
import { Slider } from '../ui/slider.tsx';
import type { FaceScene } from '../viewer/face-scene.ts';
import { hasWebgl } from '../viewer/has-webgl.ts';
import type { FaceModel } from '../viewer/load-face.ts';
import { PRESETS, type PresetName } from './expression-presets.ts';
import { computeDemoPose } from './talking-demo.ts';

export interface ExpressionPanelProps {
  readonly face: FaceModel | null;
  readonly weights: Readonly<Record<string, number>>;
  readonly onWeights: (weights: Readonly<Record<string, number>>) => void;
  readonly scene: FaceScene | null;
}

/** Which names belong together: ARKit names begin with the part of the face. */
const GROUPS = [
  ['eyes', /^eye/],
  ['brows', /^brow/],
  ['jaw', /^jaw/],
  ['mouth', /^mouth/],
  ['cheeks', /^(cheek|nose)/],
  ['tongue', /^tongue/],
] as const;

/** Sliders for every morph target, presets, and a demo that talks and blinks. */
export function ExpressionPanel({ face, weights, onWeights, scene }: ExpressionPanelProps): JSX.Element {
  const { t } = useTexts();
  const [isTalking, setIsTalking] = useState(false);
  const [search, setSearch] = useState('');
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => setIsCopied(false), [weights]);
  useEffect(() => {
    if (!isTalking || scene === null) return;
    let frame = 0;
    let begin: number | null = null;
    const step = (now: number) => {
      begin ??= now;
      const pose = computeDemoPose(now - begin);
      scene.setWeights(pose.weights);
      scene.setSway(pose.swayYawDeg, pose.swayPitchDeg);
      frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
    return () => {
      cancelAnimationFrame(frame);
      scene.setSway(0, 0);
      scene.setWeights(weights);
    };
  }, [isTalking, scene]);

  if (!hasWebgl()) return <p class="fine">{t.result.noWebgl}</p>;
  if (face === null) return <p class="fine">{t.app.loading}</p>;
  if (face.expressions.length === 0) return <p class="fine">{t.result.noExpressions}</p>;
  const choose = (next: Readonly<Record<string, number>>) => {
    setIsTalking(false);
    onWeights(next);
  };
  const presets: readonly (readonly ['photo' | PresetName, Readonly<Record<string, number>>])[] = [
    ['photo', face.photoExpression],
    ...(Object.entries(PRESETS) as [PresetName, Readonly<Record<string, number>>][]),
  ];
  const words = search.trim().toLowerCase();
  const found = words === '' ? null : face.expressions.filter((name) => name.toLowerCase().includes(words));
  const toSlider = (name: string) => (
    <Slider
      key={name}
      label={name}
      lang="en"
      value={weights[name] ?? 0}
      min={0}
      max={1}
      step={0.01}
      format={(v) => v.toFixed(2)}
      onInput={(value) => choose({ ...weights, [name]: value })}
    />
  );
  const copy = async () => {
    const used = Object.entries(weights).filter(([, weight]) => weight > 0);
    await navigator.clipboard.writeText(JSON.stringify(Object.fromEntries(used.map(([name, w]) => [name, Number(w.toFixed(3))])), null, 2));
    setIsCopied(true);
    announce(t.result.copied);
  };
  return (
    <div class="expressions">
      <button
        type="button"
        class={isTalking ? 'button-primary button-wide' : 'button button-wide'}
        aria-pressed={isTalking}
        onClick={() => setIsTalking(!isTalking)}
      >
        <Icon name={isTalking ? 'stop' : 'play'} />
        {isTalking ? t.result.demoStop : t.result.demo}
      </button>
      <section>
        <h2>{t.result.presets}</h2>
        <div class="chips">
          {presets.map(([name, preset]) => (
            <button key={name} type="button" class="chip" aria-pressed={!isTalking && weights === preset} onClick={() => choose(preset)}>
              {t.result.preset[name]}
            </button>
          ))}
        </div>
      </section>
      <div class="expression-tools">
        <input
          class="input"
          type="search"
          placeholder={t.result.find}
          aria-label={t.result.find}
          value={search}
          onInput={(e) => setSearch(e.currentTarget.value)}
        />
        {navigator.clipboard !== undefined && (
          <button type="button" class="button" title={t.result.copyTitle} onClick={() => void copy().catch(() => undefined)}>
            {isCopied ? t.result.copied : t.result.copy}
          </button>
        )}
      </div>
      {found !== null && (
        <fieldset class="found">
          <legend class="visually-hidden">{t.result.find}</legend>
          {found.length === 0 ? <p class="fine">{t.result.foundNone}</p> : found.map(toSlider)}
        </fieldset>
      )}
      {GROUPS.map(([group, pattern]) => {
        if (found !== null) return null;
        const names = face.expressions.filter((name) => pattern.test(name));
        if (names.length === 0) return null;
        return (
          <details key={group} class="group" open={group === 'mouth'}>
            <summary>
              {t.result.groups[group]}
              <span class="fine">{names.length}</span>
            </summary>
            {names.map(toSlider)}
          </details>
        );
      })}
    </div>
  );
}
