import { createStore } from '../ui/create-store.ts';
import { useStore } from '../ui/use-store.ts';
import { chooseLanguage, type Language } from './choose-language.ts';
import type { ErrorTexts, WarningTexts } from './error-text.ts';
import { errorsEn, warningsEn } from './errors.en.ts';
import { errorsZh, warningsZh } from './errors.zh.ts';
import { en, type Messages } from './messages.en.ts';
import { zh } from './messages.zh.ts';

/** Everything that a language has. */
export interface Texts {
  readonly language: Language;
  /** As in `lang` attributes and `Intl`. */
  readonly locale: string;
  readonly t: Messages;
  readonly errors: ErrorTexts;
  readonly warnings: WarningTexts;
}

const TEXTS: Readonly<Record<Language, Texts>> = {
  en: { language: 'en', locale: 'en', t: en, errors: errorsEn, warnings: warningsEn },
  zh: { language: 'zh', locale: 'zh-CN', t: zh, errors: errorsZh, warnings: warningsZh },
};

const NAME = 'facewright.language';

const texts = createStore<Texts>(TEXTS[chooseLanguage(localStorage.getItem(NAME), navigator.languages)]);
document.documentElement.lang = texts.get().locale;

export function setLanguage(language: Language): void {
  localStorage.setItem(NAME, language);
  document.documentElement.lang = TEXTS[language].locale;
  texts.set(TEXTS[language]);
}

/** The texts of the current language; the component is drawn again when it changes. */
export function useTexts(): Texts {
  return useStore(texts);
}
