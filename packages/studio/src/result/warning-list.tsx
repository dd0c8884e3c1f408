import type { JobResult, WarningCode } from '@facewright/protocol';
import type { JSX } from 'preact';
import { fillMessage } from '../errors/describe-failure.ts';
import { useTexts } from '../i18n/language.ts';

/** What the reader should know about a result, in the reader's language. */
export function WarningList({ warnings }: { readonly warnings: JobResult['warnings'] }): JSX.Element | null {
  const { t, warnings: texts, language } = useTexts();
  if (warnings.length === 0) return null;
  return (
    <section class="warnings">
      <h2>{t.result.warnings}</h2>
      <ul>
        {warnings.map(({ code, message, hint, params }) => {
          const text = Object.hasOwn(texts, code) ? texts[code as WarningCode] : null;
          const own = text === null || language === 'en' ? null : fillMessage(text.message as (p: unknown) => string, params);
          return (
            <li key={code}>
              <p>{own ?? message}</p>
              <p class="fine">{text?.hint ?? hint}</p>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
