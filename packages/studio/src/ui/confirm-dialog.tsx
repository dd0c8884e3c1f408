import type { JSX } from 'preact';
import { useTexts } from '../i18n/language.ts';
import { Dialog } from './dialog.tsx';

export interface ConfirmDialogProps {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks before something that cannot be undone. */
export function ConfirmDialog({ title, text, action, onConfirm, onClose }: ConfirmDialogProps): JSX.Element {
  const { t } = useTexts();
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onClose}>
          {t.app.cancel}
        </button>
        <button type="button" class="button-danger" onClick={onConfirm}>
          {action}
        </button>
      </div>
    </Dialog>
  );
}
