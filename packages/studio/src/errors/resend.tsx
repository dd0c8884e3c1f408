import type { CSSProperties, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.ts';

/** Sends again: by itself after a while where the service is only busy, else when asked to. */
export function Resend({ delayS, onSend }: { readonly delayS: number | null; readonly onSend: () => void }): JSX.Element {
  const { t } = useTexts();
  const [leftS, setLeftS] = useState(delayS);
  useEffect(() => {
    if (leftS === null) return;
    if (leftS <= 0) return onSend();
    const timer = setTimeout(() => setLeftS(leftS - 1), 1000);
    return () => clearTimeout(timer);
  }, [leftS]);
  return (
    <>
      {leftS !== null && (
        <p class="countdown">
          <span
            class="countdown-ring"
            aria-hidden="true"
            style={{ '--part': `${(100 * leftS) / Math.max(1, delayS ?? 1)}%` } as CSSProperties}
          />
          {t.job.queuedAgainIn(leftS)}
        </p>
      )}
      <button type="button" class="button-primary" onClick={onSend}>
        {leftS === null ? t.app.retry : t.job.sendNow}
      </button>
      {leftS !== null && (
        <button type="button" class="button" onClick={() => setLeftS(null)}>
          {t.job.stopWaiting}
        </button>
      )}
    </>
  );
}
