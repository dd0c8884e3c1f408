import type { JobResult, ReconstructionView, ResultFile } from '@facewright/protocol';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { refreshAccount } from '../account.ts';
import { type Failure, failureFrom } from '../errors/failure.ts';
import { Problem } from '../errors/problem.tsx';
import { formatBytes, formatTime } from '../i18n/format.ts';
import { useTexts } from '../i18n/language.ts';
import type { Messages } from '../i18n/messages.en.ts';
import { dropJob } from '../jobs/jobs.ts';
import { forgetPhoto } from '../jobs/photo-store.ts';
import { service } from '../service.ts';
import { announce } from '../ui/announce.tsx';
import { ConfirmDialog } from '../ui/confirm-dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { goTo } from '../ui/route.ts';
import { saveFile } from '../ui/save-file.ts';
import { selectObjFiles, zipFiles } from './zip-files.ts';

export interface FilesPanelProps {
  readonly job: ReconstructionView;
  readonly result: JobResult;
  readonly hasPhoto: boolean;
  readonly onForgetPhoto: () => void;
}

/** Downloads, how long they are kept, and the ways to be rid of them. */
export function FilesPanel({ job, result, hasPhoto, onForgetPhoto }: FilesPanelProps): JSX.Element {
  const { t, locale } = useTexts();
  const [packing, setPacking] = useState<'obj' | 'all' | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [isAsking, setIsAsking] = useState(false);
  const { files } = result;
  const glb = files.find(({ name }) => name.endsWith('.glb'));
  const obj = selectObjFiles(files);

  /** Fresh links: those of the page may have expired while it was open. */
  const freshFiles = async (wanted: readonly ResultFile[]) => {
    if (wanted.every(({ linkExpiresAt }) => Date.parse(linkExpiresAt) > Date.now() + 30_000)) return wanted;
    const fresh = (await service.get(job.id)).result?.files ?? [];
    return fresh.filter(({ name }) => wanted.some((file) => file.name === name));
  };
  const pack = async (what: 'obj' | 'all', wanted: readonly ResultFile[]) => {
    setPacking(what);
    setFailure(null);
    try {
      saveFile(await zipFiles(await freshFiles(wanted)), what === 'obj' ? 'face-obj.zip' : 'face.zip');
    } catch (e) {
      setFailure(failureFrom(e));
    } finally {
      setPacking(null);
    }
  };
  const open = async (e: MouseEvent, file: ResultFile) => {
    if (Date.parse(file.linkExpiresAt) > Date.now() + 30_000) return;
    e.preventDefault();
    const [fresh] = await freshFiles([file]);
    if (fresh !== undefined) location.assign(service.resolve(fresh.url));
  };
  const remove = async () => {
    setIsAsking(false);
    try {
      await service.delete(job.id);
      dropJob(job.id);
      await forgetPhoto(job.id);
      refreshAccount();
      announce(t.result.deleted);
      goTo({ name: 'history' });
    } catch (e) {
      setFailure(failureFrom(e));
    }
  };
  const sum = (some: readonly ResultFile[]) => formatBytes(some.reduce((bytes, file) => bytes + file.bytes, 0));

  return (
    <div class="files">
      <div class="take-away">
        {glb !== undefined && (
          <a class="button-primary button-wide" href={service.resolve(glb.url)} download="face.glb" onClick={(e) => void open(e, glb)}>
            <Icon name="download" />
            {t.result.primary}
            <span class="button-note">{formatBytes(glb.bytes)}</span>
          </a>
        )}
        {obj.length > 0 && (
          <button type="button" class="button button-wide" disabled={packing !== null} onClick={() => void pack('obj', obj)}>
            <Icon name="download" />
            {packing === 'obj' ? t.result.zipping : t.result.objZip}
            <span class="button-note">{sum(obj)}</span>
          </button>
        )}
        <button type="button" class="button button-wide" disabled={packing !== null} onClick={() => void pack('all', files)}>
          <Icon name="download" />
          {packing === 'all' ? t.result.zipping : t.result.allZip}
          <span class="button-note">{sum(files)}</span>
        </button>
      </div>
      {failure !== null && <Problem failure={failure} />}
      <details class="group programs">
        <summary>{t.result.howTo}</summary>
        <dl>
          {t.result.programs
            .filter(({ file, readsCompact }) =>
              file === 'obj' ? obj.length > 0 : glb !== undefined && (readsCompact || !job.options.compact),
            )
            .map(({ name, text }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{text}</dd>
              </div>
            ))}
        </dl>
      </details>
      <section>
        <h2>{t.result.files}</h2>
        <ul class="file-list">
          {files.map((file) => (
            <li key={file.name}>
              {/\.png$/.test(file.name) && <img src={service.resolve(file.url)} alt="" loading="lazy" />}
              <a href={service.resolve(file.url)} download={file.name} onClick={(e) => void open(e, file)}>
                <span class="file-name">{file.name}</span>
                <span class="fine">{describeFile(file.name, t)}</span>
              </a>
              <span class="fine">{formatBytes(file.bytes)}</span>
            </li>
          ))}
        </ul>
      </section>
      <section class="keeping">
        <p>
          {job.expiresAt !== undefined && `${t.result.expires(formatTime(job.expiresAt, locale))} `}
          {job.photo.kept ? t.result.keptPhoto : t.result.deletedPhoto}
        </p>
        {hasPhoto && (
          <button
            type="button"
            class="link"
            onClick={() => {
              dropJob(job.id, { keepTracker: true });
              void forgetPhoto(job.id);
              announce(t.result.forgotten);
              onForgetPhoto();
            }}
          >
            {t.result.forget}
          </button>
        )}
        <button type="button" class="link link-danger" onClick={() => setIsAsking(true)}>
          {t.result.delete}
        </button>
      </section>
      {isAsking && (
        <ConfirmDialog
          title={t.result.delete}
          text={t.result.deleteSure}
          action={t.app.delete}
          onConfirm={() => void remove()}
          onClose={() => setIsAsking(false)}
        />
      )}
    </div>
  );
}

function describeFile(name: string, { result: { fileKinds } }: Messages): string {
  if (name.endsWith('.glb')) return fileKinds.glb;
  if (name.endsWith('.obj')) return fileKinds.obj;
  if (name.endsWith('.mtl')) return fileKinds.mtl;
  const stem = name.replace(/\.\w+$/, '');
  if (Object.hasOwn(fileKinds, stem)) return fileKinds[stem as keyof typeof fileKinds];
  return fileKinds.texture;
}
