import type { JobResult, ReconstructionView } from '@facewright/protocol';
import type { ComponentChildren, CSSProperties, JSX } from 'preact';
import { formatCount, formatDegrees, formatMs, formatPercent } from '../i18n/format.ts';
import { useTexts } from '../i18n/language.ts';
import type { MeshFacts } from '../viewer/load-face.ts';
import { measureFace } from './face-size.ts';
import type { Measurements } from './load-measurements.ts';

export interface MeasurePanelProps {
  readonly job: ReconstructionView;
  readonly result: JobResult;
  readonly measurements: Measurements | null;
  readonly wholeMs: number | null;
  /** Of the GLB as the viewer has it; null before it is loaded and without 3D. */
  readonly mesh: MeshFacts | null;
}

const mm = (value: number): string => `${value.toFixed(0)} mm`;

/** What was measured, how sure it is, and how long it took. */
export function MeasurePanel({ result, measurements, wholeMs, mesh }: MeasurePanelProps): JSX.Element {
  const { t, locale } = useTexts();
  const { pose, quality, model, provider, photo, face, timingsMs } = result;
  const size = measurements?.landmarks ? measureFace(measurements.landmarks) : null;
  const focal = measurements?.camera?.intrinsics;
  const stages = Object.entries(timingsMs).filter(([name]) => name !== 'total');
  const total = timingsMs.total ?? stages.reduce((sum, [, ms]) => sum + ms, 0);
  const longest = Math.max(1, ...stages.map(([, ms]) => ms));
  return (
    <div class="measures">
      <Facts title={t.result.pose}>
        <Fact name={t.result.yaw}>{formatDegrees(pose.yawDeg)}</Fact>
        <Fact name={t.result.pitch}>{formatDegrees(pose.pitchDeg)}</Fact>
        <Fact name={t.result.roll}>{formatDegrees(pose.rollDeg)}</Fact>
      </Facts>
      {size !== null && (
        <>
          <Facts title={t.result.size}>
            <Fact name={t.result.faceHeight}>{mm(size.heightMm)}</Fact>
            <Fact name={t.result.faceWidth}>{mm(size.widthMm)}</Fact>
            <Fact name={t.result.eyeDistance}>{mm(size.eyesMm)}</Fact>
            <Fact name={t.result.mouthWidth}>{mm(size.mouthMm)}</Fact>
          </Facts>
          <p class="fine">{t.result.sizeNote}</p>
        </>
      )}
      <Facts title={t.result.quality}>
        <Fact name={t.result.confidence}>{formatPercent(quality.confidence)}</Fact>
        <Fact name={t.result.residual}>{t.result.residualOf(formatPercent(quality.residualRatio, 1))}</Fact>
        <Fact name={t.result.observed}>{formatPercent(quality.observedRatio)}</Fact>
        <Fact name={t.result.eyePixels}>{`${Math.round(quality.eyeDistancePx)} px`}</Fact>
      </Facts>
      {mesh !== null && (
        <Facts title={t.result.mesh}>
          <Fact name={t.result.triangles}>{formatCount(mesh.triangles, locale)}</Fact>
          <Fact name={t.result.vertices}>{formatCount(mesh.vertices, locale)}</Fact>
          <Fact name={t.result.morphs}>{formatCount(mesh.morphTargets, locale)}</Fact>
          <Fact name={t.result.surfaces}>{t.result.surfacesOf(mesh.meshes, mesh.materials)}</Fact>
          <Fact name={t.result.textureSizes}>{describeTextures(mesh)}</Fact>
          <Fact name={t.result.units}>{t.result.unitsText}</Fact>
        </Facts>
      )}
      <Facts title={t.result.origin}>
        <Fact name={t.result.model}>{`${t.options.models[model.id] ?? model.id} (${model.version})`}</Fact>
        <Fact name={t.result.provider}>{provider.toUpperCase()}</Fact>
        <Fact name={t.result.photo}>{`${photo.widthPx} × ${photo.heightPx} ${photo.format.toUpperCase()}`}</Fact>
        {face.count > 1 && <Fact name={t.result.faceNumber}>{t.result.faceOf(face.index, face.count)}</Fact>}
        {focal !== undefined && (
          <Fact name={t.result.focal}>{`${Math.round(focal.focalPx)} px, ${t.result.focalSource[focal.source]}`}</Fact>
        )}
      </Facts>
      <section>
        <h2>{t.result.timings}</h2>
        <table class="timings">
          <caption class="visually-hidden">{t.result.timings}</caption>
          <thead class="visually-hidden">
            <tr>
              <th scope="col">{t.result.stage}</th>
              <th scope="col">ms</th>
            </tr>
          </thead>
          <tbody>
            {stages.map(([name, ms]) => (
              <tr key={name}>
                <th scope="row">{(t.job.stages as Record<string, string>)[name] ?? name}</th>
                <td>
                  <span class="timing-bar" aria-hidden="true" style={{ '--part': `${(100 * ms) / longest}%` } as CSSProperties} />
                  {formatMs(ms)}
                </td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{t.result.total}</th>
              <td>{formatMs(total)}</td>
            </tr>
            {wholeMs !== null && (
              <tr>
                <th scope="row">{t.result.wholeTime}</th>
                <td>{formatMs(wholeMs)}</td>
              </tr>
            )}
          </tfoot>
        </table>
      </section>
    </div>
  );
}

/** Sizes with how often they occur: 1024², 512² × 3. */
function describeTextures({ textures }: MeshFacts): string {
  const counts = new Map<string, number>();
  for (const { widthPx, heightPx } of textures) {
    const size = widthPx === heightPx ? `${widthPx}²` : `${widthPx} × ${heightPx}`;
    counts.set(size, (counts.get(size) ?? 0) + 1);
  }
  return counts.size === 0 ? '–' : [...counts].map(([size, n]) => (n === 1 ? size : `${n} × ${size}`)).join(', ');
}

function Facts({ title, children }: { readonly title: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <section>
      <h2>{title}</h2>
      <dl class="facts">{children}</dl>
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
