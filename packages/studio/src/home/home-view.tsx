import type { JSX } from 'preact';
import { useTexts } from '../i18n/language.ts';
import { lastJobId } from '../jobs/jobs.ts';
import { PhotoInput } from '../upload/photo-input.tsx';
import './home.css';
import { Hero } from './hero.tsx';
import { RecentFaces } from './recent-faces.tsx';

/** The first view: what this is, and every way to begin. */
export function HomeView(): JSX.Element {
  const { t } = useTexts();
  const running = lastJobId();
  return (
    <div class="home">
      <section class="home-top">
        <div class="home-words">
          <h1>{t.home.title}</h1>
          <p class="lead">{t.home.lead}</p>
          <PhotoInput />
        </div>
        <Hero />
      </section>
      <RecentFaces runningId={running} />
      <ul class="points">
        {t.home.points.map(({ title, text }) => (
          <li key={title}>
            <h2>{title}</h2>
            <p>{text}</p>
          </li>
        ))}
      </ul>
    </div>
  );
}
