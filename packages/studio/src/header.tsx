import type { JSX } from 'preact';
import { setLanguage, useTexts } from './i18n/language.ts';
import { apiKey, setApiKey } from './service.ts';
import { Icon } from './ui/icons.tsx';
import { currentRoute } from './ui/route.ts';
import { type Theme, theme } from './ui/theme.ts';
import { useStore } from './ui/use-store.ts';

const NEXT_THEME: Readonly<Record<Theme, Theme>> = { auto: 'light', light: 'dark', dark: 'auto' };
const THEME_ICON = { auto: 'auto', light: 'sun', dark: 'moon' } as const;

export function Header(): JSX.Element {
  const { t, language } = useTexts();
  const route = useStore(currentRoute);
  const colors = useStore(theme);
  const key = useStore(apiKey);
  return (
    <header class={`header header-${route.name}`}>
      <a class="wordmark" href="#/" aria-label={t.app.home}>
        <Logo />
        <span>{t.app.name}</span>
      </a>
      <nav class="header-actions" aria-label={t.app.name}>
        {route.name !== 'home' && (
          <a class="button-quiet header-new" href="#/">
            <Icon name="upload" />
            <span>{t.app.newFace}</span>
          </a>
        )}
        <a class="button-quiet" href="#/history" aria-current={route.name === 'history' ? 'page' : undefined}>
          <Icon name="history" />
          <span class="header-word">{t.app.history}</span>
        </a>
        {key !== null && (
          <button
            type="button"
            class="button-icon header-key"
            title={t.key.remove}
            aria-label={t.key.remove}
            onClick={() => setApiKey(null)}
          >
            <Icon name="key" />
          </button>
        )}
        <button
          type="button"
          class="button-icon"
          title={t.app.theme[colors]}
          aria-label={t.app.theme[colors]}
          onClick={() => theme.set(NEXT_THEME[colors])}
        >
          <Icon name={THEME_ICON[colors]} />
        </button>
        <button
          type="button"
          class="button-quiet"
          lang={language === 'en' ? 'zh-CN' : 'en'}
          aria-label={t.app.switchLanguage}
          onClick={() => setLanguage(language === 'en' ? 'zh' : 'en')}
        >
          {t.app.switchLanguageShort}
        </button>
      </nav>
    </header>
  );
}

function Logo(): JSX.Element {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path
        class="logo-outline"
        d="M16 3.500c6 0 9.600 4.300 9.600 10.300 0 7.700-4.800 14.900-9.600 14.900S6.400 21.500 6.400 13.800C6.400 7.800 10 3.500 16 3.500Z"
      />
      <path
        class="logo-lines"
        d="M16 3.500v25.200M6.800 11.900c6 2.900 12.500 2.900 18.500 0M8.800 20.700c4.800 2.400 9.600 2.400 14.400 0"
      />
    </svg>
  );
}
