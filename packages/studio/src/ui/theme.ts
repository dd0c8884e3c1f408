import { createStore } from './create-store.ts';

export type Theme = 'auto' | 'light' | 'dark';

const NAME = 'facewright.theme';
const stored = localStorage.getItem(NAME);

export const theme = createStore<Theme>(stored === 'light' || stored === 'dark' ? stored : 'auto');

const apply = () => {
  const chosen = theme.get();
  if (chosen === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
};
apply();
theme.subscribe(() => {
  localStorage.setItem(NAME, theme.get());
  apply();
});

const reducesMotion = matchMedia('(prefers-reduced-motion: reduce)');

export function prefersReducedMotion(): boolean {
  return reducesMotion.matches;
}
