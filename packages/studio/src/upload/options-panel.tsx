import type { JobOptionsInput } from '@facewright/protocol';
import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import { useAccount } from '../account.ts';
import { useTexts } from '../i18n/language.ts';
import { Segmented } from '../ui/segmented.tsx';
import { useStore } from '../ui/use-store.ts';
import { DEFAULT_OPTIONS, uploadOptions } from './upload-options.ts';

const TEXTURE_SIZES = ['1024', '2048', '4096'] as const;

/** What may be chosen before a photo is sent; closed, because nothing has to be. */
export function OptionsPanel(): JSX.Element {
  const { t } = useTexts();
  const account = useAccount();
  const options = useStore(uploadOptions);
  const focalId = useId();
  const set = (changed: Partial<JobOptionsInput>) => uploadOptions.set({ ...options, ...changed });
  const models = account?.models ?? ['head', 'canonical'];
  const formats = options.formats ?? DEFAULT_OPTIONS.formats;
  return (
    <details class="options">
      <summary>{t.home.options}</summary>
      <div class="options-body">
        <Field label={t.options.model}>
          <Segmented
            label={t.options.model}
            value={options.model ?? DEFAULT_OPTIONS.model}
            choices={models.map((value) => ({ value, label: t.options.models[value] ?? value }))}
            onChange={(model) => set({ model })}
          />
        </Field>
        <Field label={t.options.texture}>
          <Segmented
            label={t.options.texture}
            value={String(options.textureSize ?? DEFAULT_OPTIONS.textureSize)}
            choices={TEXTURE_SIZES.map((value) => ({ value, label: t.options.textureSize(Number(value)) }))}
            onChange={(size) => set({ textureSize: Number(size) })}
          />
        </Field>
        <Field label={t.options.face}>
          <Segmented
            label={t.options.face}
            value={options.face === 'largest' ? 'largest' : 'only'}
            choices={[
              { value: 'only', label: t.options.faces.only },
              { value: 'largest', label: t.options.faces.largest },
            ]}
            onChange={(face) => set({ face })}
          />
        </Field>
        <fieldset class="checks">
          <legend>{t.options.formats}</legend>
          {DEFAULT_OPTIONS.formats.map((format) => (
            <label key={format} class="check">
              <input
                type="checkbox"
                checked={formats.includes(format)}
                // The viewer shows the GLB.
                disabled={format === 'glb'}
                onChange={(e) =>
                  set({ formats: DEFAULT_OPTIONS.formats.filter((f) => (f === format ? e.currentTarget.checked : formats.includes(f))) })
                }
              />
              {t.options.format[format]}
            </label>
          ))}
        </fieldset>
        <div class="checks">
          <label class="check">
            <input type="checkbox" checked={options.compact ?? false} onChange={(e) => set({ compact: e.currentTarget.checked })} />
            {t.options.compact}
          </label>
          <label class="check">
            <input type="checkbox" checked={options.keepPhoto ?? false} onChange={(e) => set({ keepPhoto: e.currentTarget.checked })} />
            {t.options.keepPhoto}
          </label>
        </div>
        <div class="field field-inline">
          <label for={focalId}>{t.options.focal}</label>
          <input
            id={focalId}
            class="input input-short"
            type="number"
            min={5}
            max={2000}
            placeholder={t.options.focalAuto}
            value={options.focal35mm ?? ''}
            onChange={(e) => {
              const value = e.currentTarget.valueAsNumber;
              const { focal35mm: _, ...rest } = options;
              uploadOptions.set(value >= 5 && value <= 2000 ? { ...rest, focal35mm: value } : rest);
            }}
          />
        </div>
      </div>
    </details>
  );
}

function Field({ label, children }: { readonly label: string; readonly children: JSX.Element }): JSX.Element {
  return (
    <div class="field">
      <span class="field-label" aria-hidden="true">
        {label}
      </span>
      {children}
    </div>
  );
}
