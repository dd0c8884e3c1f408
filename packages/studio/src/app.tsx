import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isServiceGone } from './account.ts';
import { BatchView } from './batch/batch-view.tsx';
import { KeyDialog } from './errors/key-dialog.tsx';
import { keyQuestion } from './errors/key-question.ts';
import { Footer } from './footer.tsx';
import { Header } from './header.tsx';
import { CompareView } from './history/compare-view.tsx';
import { HistoryView } from './history/history-view.tsx';
import { HomeView } from './home/home-view.tsx';
import { useTexts } from './i18n/language.ts';
import { JobView } from './jobs/job-view.tsx';
import { Announcer } from './ui/announce.tsx';
import { formatRoute, type Route } from './ui/parse-route.ts';
import { currentRoute } from './ui/route.ts';
import { useStore } from './ui/use-store.ts';
import { DropTarget } from './upload/drop-target.tsx';

/** The page: head, one of the views, foot, and what lies over all of them. */
export function App(): JSX.Element {
  const { t } = useTexts();
  const route = useStore(currentRoute);
  const question = useStore(keyQuestion);
  const main = useRef<HTMLElement>(null);
  const shown = useRef<string | null>(null);
  const address = formatRoute(route);

  useEffect(() => {
    document.title = titleOf(route, t);
  }, [address, t]);
  useEffect(() => {
    // A new view is told to readers of the screen by the focus; on the first one the browser itself does that.
    if (shown.current !== null && shown.current !== address) {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    shown.current = address;
  }, [address]);

  return (
    <>
      <button type="button" class="skip-link" onClick={() => main.current?.focus()}>
        {t.app.skip}
      </button>
      <Header />
      <Offline />
      <main id="main" ref={main} tabIndex={-1} class={`main main-${route.name}`}>
        <View key={address} route={route} />
      </main>
      {(route.name === 'home' || route.name === 'history') && <Footer />}
      <DropTarget />
      {question !== null && <KeyDialog question={question} />}
      <Announcer />
    </>
  );
}

function View({ route }: { readonly route: Route }): JSX.Element {
  switch (route.name) {
    case 'home':
      return <HomeView />;
    case 'job':
      return <JobView id={route.id} />;
    case 'batch':
      return <BatchView id={route.id} />;
    case 'history':
      return <HistoryView />;
    case 'compare':
      return <CompareView ids={route.ids} />;
  }
}

function titleOf(route: Route, t: ReturnType<typeof useTexts>['t']): string {
  const titles = {
    home: t.home.documentTitle,
    job: t.result.documentTitle,
    batch: t.batch.documentTitle,
    history: t.history.documentTitle,
    compare: t.history.compareTitle,
  };
  return route.name === 'home' ? titles.home : `${titles[route.name]} · ${t.app.name}`;
}

/** What the whole page should know of the connection. */
function Offline(): JSX.Element | null {
  const { t } = useTexts();
  const isGone = useStore(isServiceGone);
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const update = () => setOnline(navigator.onLine);
    addEventListener('online', update);
    addEventListener('offline', update);
    return () => {
      removeEventListener('online', update);
      removeEventListener('offline', update);
    };
  }, []);
  if (online && !isGone) return null;
  return (
    <div class="banner" role="status">
      {online ? t.app.serviceGone : t.app.offline}
    </div>
  );
}
