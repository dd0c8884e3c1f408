import type { CSSProperties, JSX } from 'preact';
import { useId } from 'preact/hooks';

export interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly onInput: (value: number) => void;
  /** The value in words. */
  readonly format?: (value: number) => string;
  readonly lang?: string;
}

export function Slider({ label, value, min, max, step, onInput, format = String, lang }: SliderProps): JSX.Element {
  const id = useId();
  return (
    <div class="slider">
      <label for={id} lang={lang}>
        {label}
      </label>
      <output for={id}>{format(value)}</output>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={format(value)}
        // The part before the thumb is coloured; CSS cannot see the value.
        style={{ '--part': `${(100 * (value - min)) / (max - min)}%` } as CSSProperties}
        onInput={(e) => onInput(e.currentTarget.valueAsNumber)}
      />
    </div>
  );
}
