import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.ts';
import { Dialog } from '../ui/dialog.tsx';
import type { KeyQuestion } from './key-question.ts';

/** Asks for the API key. */
export function KeyDialog({ question }: { readonly question: KeyQuestion }): JSX.Element {
  const { t } = useTexts();
  const id = useId();
  const [key, setKey] = useState('');
  const [shown, setShown] = useState(false);
  return (
    <Dialog title={t.key.title} onClose={() => question.answer(null)}>
      <form
        class="key-form"
        onSubmit={(e) => {
          e.preventDefault();
          if (key.trim() !== '') question.answer(key.trim());
        }}
      >
        {question.wrong ? (
          <p class="field-error" role="alert" id={`${id}-error`}>
            {t.key.wrong}
          </p>
        ) : (
          <p>{t.key.text}</p>
        )}
        <label for={id}>{t.key.label}</label>
        <input
          id={id}
          class="input mono"
          // Its types know either kind of field, but not one that changes.
          type={(shown ? 'text' : 'password') as 'text'}
          autocomplete="off"
          spellcheck={false}
          value={key}
          aria-invalid={question.wrong}
          aria-describedby={question.wrong ? `${id}-error` : undefined}
          onInput={(e) => setKey(e.currentTarget.value)}
        />
        <label class="check">
          <input type="checkbox" checked={shown} onChange={(e) => setShown(e.currentTarget.checked)} />
          {t.key.show}
        </label>
        <div class="dialog-actions">
          <button type="button" class="button" onClick={() => question.answer(null)}>
            {t.app.cancel}
          </button>
          <button type="submit" class="button-primary">
            {t.key.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
