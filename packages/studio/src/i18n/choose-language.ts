export type Language = 'en' | 'zh';

/** What the reader chose before, else the first language of the browser that there is, else English. */
export function chooseLanguage(stored: string | null, preferred: readonly string[]): Language {
  if (stored === 'en' || stored === 'zh') return stored;
  for (const tag of preferred) {
    const [primary] = tag.toLowerCase().split('-');
    if (primary === 'en' || primary === 'zh') return primary;
  }
  return 'en';
}
