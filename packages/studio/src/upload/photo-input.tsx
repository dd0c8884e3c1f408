import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { useAccount } from '../account.ts';
import { Problem } from '../errors/problem.tsx';
import smallPhotoUrl from '../home/example-small.webp?url';
import { formatBytes } from '../i18n/format.ts';
import { useTexts } from '../i18n/language.ts';
import { Icon } from '../ui/icons.tsx';
import { useObjectUrl } from '../ui/use-object-url.ts';
import { useStore } from '../ui/use-store.ts';
import { CameraDialog } from './camera-dialog.tsx';
import { loadExample } from './example.ts';
import { type Refusal, refusals, takePhoto, takePhotos } from './intake.ts';
import { OptionsPanel } from './options-panel.tsx';
import { uploadOptions } from './upload-options.ts';

const ACCEPT = 'image/jpeg,image/png,image/webp,image/avif,image/tiff,image/gif,.jpg,.jpeg,.png,.webp,.avif,.tif,.tiff,.gif';
const DEFAULT_MAX_BYTES = 25 * 2 ** 20;

/** Every way to hand in a photo. */
export function PhotoInput(): JSX.Element {
  const { t } = useTexts();
  const account = useAccount();
  const input = useRef<HTMLInputElement>(null);
  const [camera, setCamera] = useState(false);
  const [loadingExample, setLoadingExample] = useState(false);
  const refused = useStore(refusals);
  const options = useStore(uploadOptions);
  // A finger cannot drop files from another window.
  const isTouch = matchMedia('(pointer: coarse)').matches;
  const takeExample = async () => {
    setLoadingExample(true);
    try {
      takePhoto(await loadExample());
    } finally {
      setLoadingExample(false);
    }
  };
  return (
    <div class="photo-input">
      <div class="drop-card">
        <p class="drop-title">{isTouch ? t.home.touch : t.home.drop}</p>
        <p class="drop-more">{isTouch ? t.home.touchMore : t.home.dropMore}</p>
        <div class="drop-buttons">
          <button type="button" class="button-primary" onClick={() => input.current?.click()}>
            <Icon name="upload" />
            {t.home.choose}
          </button>
          <button type="button" class="button" onClick={() => setCamera(true)}>
            <Icon name="camera" />
            {t.home.camera}
          </button>
        </div>
        <input
          ref={input}
          type="file"
          class="visually-hidden"
          tabIndex={-1}
          accept={ACCEPT}
          multiple
          aria-label={t.home.choose}
          onChange={(e) => {
            const { files } = e.currentTarget;
            void takePhotos([...(files ?? [])]);
            // So that the same file can be chosen again.
            e.currentTarget.value = '';
          }}
        />
        <p class="fine">{t.home.limits(formatBytes(account?.limits.photoBytes ?? DEFAULT_MAX_BYTES))}</p>
      </div>
      {refused.map((refusal) => (
        <RefusedFile key={refusal.name} refusal={refusal} />
      ))}
      <button type="button" class="example-button" disabled={loadingExample} onClick={() => void takeExample()}>
        <img class="example-picture" src={smallPhotoUrl} alt="" width={360} height={450} />
        <span>{t.home.exampleButton}</span>
        <Icon name="arrow" />
      </button>
      <OptionsPanel />
      <p class="fine privacy">{options.keepPhoto ? t.home.privacyKept : t.home.privacy}</p>
      {camera && <CameraDialog onClose={() => setCamera(false)} onPhoto={(photo) => (setCamera(false), takePhoto(photo))} />}
    </div>
  );
}

function RefusedFile({ refusal }: { readonly refusal: Refusal }): JSX.Element {
  const [isUnreadable, setIsUnreadable] = useState(false);
  const url = useObjectUrl(refusal.file.type.startsWith('image/') && refusal.file.size > 0 ? refusal.file : null);
  return (
    <div class="refused">
      {url !== null && !isUnreadable && <img class="refused-picture" src={url} alt="" onError={() => setIsUnreadable(true)} />}
      <Problem failure={refusal.failure} subject={refusal.name} />
    </div>
  );
}
