import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.ts';
import smallPhotoUrl from './example-small.webp?url';

/** Pictures of the example head from left to right (made by test/make-hero-pictures.ts): turning it needs no 3D yet. */
const FRAMES = Object.entries(import.meta.glob<string>('./hero/*.webp', { eager: true, query: '?url', import: 'default' }))
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([, url]) => url);
/** The head looks a little to the side at first: a face is best known at three quarters. */
const FIRST = Math.round(FRAMES.length * 0.36);
/** Pixels of dragging for the whole way. */
const DRAG_PX = 420;

/** The example: a small photo and the head made of it, which can be turned. */
export function Hero(): JSX.Element {
  const { t } = useTexts();
  const [frame, setFrame] = useState(FIRST);
  const [isReady, setIsReady] = useState(false);
  const drag = useRef<{ readonly x: number; readonly frame: number } | null>(null);
  const clamp = (value: number) => Math.max(0, Math.min(FRAMES.length - 1, Math.round(value)));
  return (
    <figure class="hero">
      <div
        class="hero-stage"
        onPointerEnter={() => setIsReady(true)}
        onPointerDown={(e) => {
          setIsReady(true);
          drag.current = { x: e.clientX, frame };
          e.currentTarget.setPointerCapture(e.pointerId);
        }}
        onPointerMove={(e) => {
          if (drag.current !== null) setFrame(clamp(drag.current.frame + ((e.clientX - drag.current.x) / DRAG_PX) * FRAMES.length));
        }}
        onPointerUp={() => {
          drag.current = null;
        }}
        onPointerCancel={() => {
          drag.current = null;
        }}
      >
        {FRAMES.map(
          (url, i) =>
            // The others are loaded as soon as somebody is about to turn it.
            (isReady || i === FIRST) && (
              <img
                key={url}
                class={i === frame ? 'hero-head' : 'hero-head hero-hidden'}
                src={url}
                alt={i === frame ? t.home.heroHeadAlt : ''}
                draggable={false}
              />
            ),
        )}
        <img class="hero-photo" src={smallPhotoUrl} alt={t.home.heroPhotoAlt} draggable={false} />
        <input
          class="hero-turn"
          type="range"
          min={0}
          max={FRAMES.length - 1}
          value={frame}
          aria-label={t.home.heroTurn}
          onFocus={() => setIsReady(true)}
          onInput={(e) => setFrame(clamp(e.currentTarget.valueAsNumber))}
        />
      </div>
      <figcaption class="fine">{t.home.heroCaption}</figcaption>
    </figure>
  );
}
