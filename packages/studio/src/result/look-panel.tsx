import type { JobResult, ResultFile } from '@facewright/protocol';
import type { JSX } from 'preact';
import { formatBytes } from '../i18n/format.ts';
import { useTexts } from '../i18n/language.ts';
import { service } from '../service.ts';
import { Icon } from '../ui/icons.tsx';
import { Segmented } from '../ui/segmented.tsx';
import { Slider } from '../ui/slider.tsx';
import type { Thumbnail } from '../upload/create-thumbnail.ts';
import { hasWebgl } from '../viewer/has-webgl.ts';
import { DEFAULT_LIGHT, type LightState } from '../viewer/light-state.ts';
import { BACKDROPS, type Backdrop } from './backdrops.ts';
import { WarningList } from './warning-list.tsx';

export interface LookPanelProps {
  readonly result: JobResult;
  readonly light: LightState;
  readonly onLight: (light: LightState) => void;
  readonly photo: Thumbnail | null;
  readonly canOverlay: boolean;
  readonly hasCamera: boolean;
  readonly backdrop: Backdrop;
  readonly onBackdrop: (backdrop: Backdrop) => void;
  readonly glb: ResultFile | undefined;
  /** Not every program reads it then. */
  readonly isCompact: boolean;
  readonly onFiles: () => void;
}

/** The first panel: take it away, light it, and what should be known about it. */
export function LookPanel(props: LookPanelProps): JSX.Element {
  const { result, light, onLight, photo, canOverlay, hasCamera, backdrop, onBackdrop, glb, isCompact, onFiles } = props;
  const { t } = useTexts();
  const isMoved = light !== DEFAULT_LIGHT;
  return (
    <div class="look">
      <div class="take-away">
        {glb !== undefined && (
          <a class="button-primary button-wide" href={service.resolve(glb.url)} download="face.glb">
            <Icon name="download" />
            {t.result.primary}
            <span class="button-note">{formatBytes(glb.bytes)}</span>
          </a>
        )}
        {glb !== undefined && <p class="fine">{isCompact ? t.result.opensInCompact : t.result.opensIn}</p>}
        <button type="button" class="link" onClick={onFiles}>
          {t.result.moreFiles}
        </button>
      </div>
      {hasWebgl() && (
        <section>
          <div class="panel-head">
            <h2>{t.result.light}</h2>
            <button type="button" class="link" onClick={() => onLight(DEFAULT_LIGHT)} disabled={!isMoved}>
              {t.result.lightReset}
            </button>
          </div>
          <Slider
            label={t.result.lightTurn}
            value={light.turnDeg}
            min={-180}
            max={180}
            step={1}
            format={(v) => `${v}°`}
            onInput={(turnDeg) => onLight({ ...light, turnDeg })}
          />
          <Slider
            label={t.result.lightHeight}
            value={light.heightDeg}
            min={-60}
            max={85}
            step={1}
            format={(v) => `${v}°`}
            onInput={(heightDeg) => onLight({ ...light, heightDeg })}
          />
          <Slider
            label={t.result.lightStrength}
            value={light.strength}
            min={0}
            max={3}
            step={0.05}
            format={(v) => `${Math.round(100 * v)} %`}
            onInput={(strength) => onLight({ ...light, strength })}
          />
        </section>
      )}
      {hasWebgl() && (
        <section>
          <h2>{t.result.backdrop}</h2>
          <Segmented
            small
            label={t.result.backdrop}
            value={backdrop}
            choices={BACKDROPS.map((value) => ({ value, label: t.result.backdrops[value] }))}
            onChange={onBackdrop}
          />
        </section>
      )}
      {hasWebgl() && !canOverlay && (
        <p class="fine">{photo === null ? t.result.overlayMissing : hasCamera ? null : t.result.cameraMissing}</p>
      )}
      <WarningList warnings={result.warnings} />
    </div>
  );
}
