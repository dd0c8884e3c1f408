import type { AppContext } from '../http/app-context.ts';
import { signLink } from '../http/links.ts';
import { publicError } from '../http/problem.ts';
import { viewPosition } from '../http/view-reconstruction.ts';
import { isFinished, type Job, type StoredFile } from '../jobs/job.ts';
import type { GradioEvent } from './event-id.ts';
import { GRADIO_PREFIX } from './gradio-documents.ts';
import type { SessionStore } from './session-store.ts';

/** A message of the protocol without the id of its event. */
export interface GradioMessage {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** FileData as clients read it. */
interface OutgoingFileData {
  readonly path: string;
  readonly url: string;
  readonly orig_name: string;
  readonly size: number;
  readonly mime_type: string;
  readonly meta: { readonly _type: 'gradio.FileData' };
}

/** Position and what nobody tells (a job that was removed) are looked up this often. Milliseconds. */
const LOOK_MS = 1000;

export interface FollowOptions {
  /** Address of the service as the caller reaches it, without a slash at the end. */
  readonly baseUrl: string;
  readonly signal: AbortSignal;
  readonly send: (message: GradioMessage) => void;
  /** Resolves when the client is ready to hear of the end. */
  readonly beforeEnd: (isCanceled: boolean) => Promise<void>;
}

/** Tells what happens to an event until its end, which is the last message. Ends early, without one, when `signal` aborts. */
export async function followEvent(context: AppContext, store: SessionStore, event: GradioEvent, options: FollowOptions): Promise<void> {
  const { queue } = context;
  const { send, signal } = options;
  if (event.id.startsWith('x')) {
    const text = (await store.readRefusal(event.tenant, event.id)) ?? 'This call is not known any more. Call again.';
    await options.beforeEnd(false);
    return send(failed(text));
  }
  let latest: Job | null = null;
  let wake = (): void => {};
  const unwatch = await queue.watch(event.tenant, event.id, (job) => {
    latest = job;
    wake();
  });
  const sent: { rank: number; hasStarted: boolean; progress: string } = { rank: -1, hasStarted: false, progress: '' };
  try {
    latest ??= await queue.get(event.tenant, event.id);
    while (!signal.aborted) {
      const job: Job | null = latest;
      if (job === null) return send(failed('This reconstruction was deleted.'));
      if (isFinished(job.state)) {
        await options.beforeEnd(job.state === 'canceled');
        return send(endOf(job, context, options.baseUrl));
      }
      if (job.state === 'queued') await tellRank(job);
      else tellProgress(job);
      const isSame = latest === job;
      if (isSame && !(await nextChange())) latest = await queue.get(event.tenant, event.id);
    }
  } finally {
    unwatch();
  }

  async function tellRank(job: Job): Promise<void> {
    const rank = await queue.position(job.tenant, job.id);
    if (rank === null || rank === sent.rank) return;
    sent.rank = rank;
    const { queued } = await queue.counts();
    send({ msg: 'estimation', rank, queue_size: queued, rank_eta: viewPosition(rank, context.serviceTime()).etaS });
  }
  function tellProgress(job: Job): void {
    if (!sent.hasStarted) send({ msg: 'process_starts', eta: context.serviceTime().meanS });
    sent.hasStarted = true;
    const { progress } = job;
    if (progress === null) return;
    const { index, total: length, stage: desc } = progress;
    const message = { msg: 'progress', progress_data: [{ index, length, unit: 'steps', progress: null, desc }] };
    const text = JSON.stringify(message);
    if (text === sent.progress) return;
    sent.progress = text;
    send(message);
  }
  /** Whether something was heard before it is time to look. */
  function nextChange(): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (heard: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        wake = () => {};
        resolve(heard);
      };
      const onAbort = (): void => done(true);
      const timer = setTimeout(done, LOOK_MS, false);
      signal.addEventListener('abort', onAbort, { once: true });
      wake = () => done(true);
    });
  }
}

const failed = (text: string): GradioMessage => ({
  msg: 'process_completed',
  success: false,
  output: { error: text, title: 'Error' },
});

function endOf(job: Job, context: AppContext, baseUrl: string): GradioMessage {
  // "Cancelled": the word that clients look for.
  if (job.state === 'canceled') return failed('Cancelled');
  if (job.outcome === null) return failed(textOfError(job.error));
  const data = ['face.glb', 'albedo.png'].map((name) => {
    const file = job.outcome!.files.find((candidate) => candidate.name === name);
    return file === undefined ? null : fileData(job, file, context, baseUrl);
  });
  return { msg: 'process_completed', success: true, output: { data } };
}

/** An error in our words, with what to do about it. */
export function textOfError(error: unknown): string {
  const { message, hint } = publicError(error);
  return `${message}. ${hint}`;
}

function fileData(job: Job, file: StoredFile, context: AppContext, baseUrl: string): OutgoingFileData {
  const path = `r/${job.id}/${file.name}`;
  const expiresAtS = Math.floor(Math.min(Date.now() + context.config.linkTtlS * 1000, job.expiresAt ?? Number.POSITIVE_INFINITY) / 1000);
  const link = signLink(context.linkSecret, { tenant: job.tenant, path: `${GRADIO_PREFIX.slice(1)}/file=${path}`, expiresAtS });
  return {
    path,
    url: `${baseUrl}/${link}`,
    orig_name: file.name,
    size: file.bytes,
    mime_type: file.contentType,
    meta: { _type: 'gradio.FileData' },
  };
}
