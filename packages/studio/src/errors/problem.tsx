import type { ComponentChildren, JSX } from 'preact';
import { useTexts } from '../i18n/language.ts';
import { Icon } from '../ui/icons.tsx';
import { describeFailure } from './describe-failure.ts';
import type { Failure } from './failure.ts';

export interface ProblemProps {
  readonly failure: Failure;
  /** What it is about: the name of a file. */
  readonly subject?: string;
  /** It is all that the view shows, so it is the heading of the view. */
  readonly isMain?: boolean;
  /** What can be done: buttons. */
  readonly children?: ComponentChildren;
}

/** A failure in the reader's language: what happened, what to do, and what the operator would ask for. */
export function Problem({ failure, subject = '', isMain = false, children }: ProblemProps): JSX.Element {
  const texts = useTexts();
  const { t } = texts;
  const { title, hint, detail, code, requestId } = describeFailure(failure, texts);
  const Heading = isMain ? 'h1' : 'h2';
  return (
    <div class="problem" role="alert">
      <Heading class="problem-title">
        <Icon name="warning" />
        {title}
      </Heading>
      {subject !== '' && <p class="problem-subject">{subject}</p>}
      <p class="problem-hint">{hint}</p>
      {children !== undefined && <div class="problem-actions">{children}</div>}
      {(detail !== null || code !== null) && (
        <details class="problem-details">
          <summary>{t.problem.details}</summary>
          {detail !== null && <p>{detail}</p>}
          <p class="mono">
            {code !== null && <span>{code}</span>}
            {requestId !== null && (
              <span>
                {t.problem.request} {requestId}
              </span>
            )}
          </p>
        </details>
      )}
    </div>
  );
}
