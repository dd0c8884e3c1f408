import type { JSX } from 'preact';
import { useAccount } from './account.ts';
import { useTexts } from './i18n/language.ts';

export function Footer(): JSX.Element {
  const { t } = useTexts();
  const account = useAccount();
  return (
    <footer class="footer">
      <span>{t.app.name}</span>
      {account !== null && <span>{t.app.version(account.version)}</span>}
      <a href="./docs">{t.app.api}</a>
    </footer>
  );
}
