import type { JSX } from 'preact';
import { useId } from 'preact/hooks';

export interface SegmentedProps<T extends string> {
  /** What is chosen here, for screen readers. */
  readonly label: string;
  readonly value: T;
  readonly choices: readonly {
    readonly value: T;
    readonly label: string;
    readonly disabled?: boolean;
    /** More words, for those who do not know the label. */
    readonly title?: string;
  }[];
  readonly onChange: (value: T) => void;
  readonly small?: boolean;
}

/** One of a few, all in sight: radio buttons in one pill. */
export function Segmented<T extends string>({ label, value, choices, onChange, small = false }: SegmentedProps<T>): JSX.Element {
  const name = useId();
  return (
    <fieldset class={small ? 'segmented segmented-small' : 'segmented'}>
      <legend class="visually-hidden">{label}</legend>
      {choices.map((choice) => (
        <label key={choice.value} class="segment" title={choice.title}>
          <input
            type="radio"
            name={name}
            value={choice.value}
            checked={choice.value === value}
            disabled={choice.disabled ?? false}
            onChange={() => onChange(choice.value)}
          />
          <span>{choice.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
