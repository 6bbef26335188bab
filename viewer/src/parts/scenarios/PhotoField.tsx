/** A photo for a scenario: uploaded from a file or the camera, or named by its address on the web. */

import type { Geometry } from 'geojson';
import { useState } from 'preact/hooks';
import { uploadPhoto, UPLOADED, type Uploaded } from '../../api/photos';
import { t } from '../../i18n/text';
import { city } from '../../state/session';
import { askToken, token } from '../../state/token';
import { Photo } from '../Photo';
import { useDraft } from './draft';
import type { InputProps } from './FieldRow';

/** What a photo may tell of the entry that it belongs to. */
export interface Taken {
  readonly place: Geometry | null;
  readonly time: string | null;
}

export function PhotoField({ id, describedBy, value, onChange, onTaken }: InputProps) {
  const [fault, setFault] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [found, setFound] = useState<Uploaded | null>(null);
  const { input } = useDraft(typeof value === 'string' ? value : '', (text) => {
    onChange(text.trim() === '' ? undefined : text.trim());
    return null;
  });
  const send = async (file: File | undefined): Promise<void> => {
    const root = city.peek()?.root;
    if (!file || root === undefined) return;
    if (token.peek() === null) return askToken(() => void send(file));
    setBusy(true);
    setFault(null);
    try {
      const uploaded = await uploadPhoto(root, file);
      setFound(uploaded);
      onChange(uploaded.photo);
    } catch (error) {
      setFault(t('photo.refused', { reason: error instanceof Error ? error.message : '' }));
    } finally {
      setBusy(false);
    }
  };
  const fromFile = (capture: boolean) => (
    <label class={`text-button photo-button${capture ? ' is-camera' : ''}`}>
      {t(capture ? 'photo.take' : 'photo.choose')}
      <input
        type="file"
        class="unseen"
        accept="image/jpeg,image/png,image/webp"
        {...(capture ? { capture: 'environment' } : { id, 'aria-describedby': describedBy })}
        disabled={isBusy}
        onChange={(event) => {
          void send(event.currentTarget.files?.[0]);
          event.currentTarget.value = '';
        }}
      />
    </label>
  );
  if (typeof value === 'string' && UPLOADED.test(value)) {
    const told = found?.photo === value && (found.place || found.time) ? found : null;
    return (
      <div class="photo-field">
        <Photo photo={value} />
        <button type="button" class="text-button" onClick={() => onChange(undefined)}>
          {t('photo.remove')}
        </button>
        {told && onTaken && (
          <div class="photo-told" role="status">
            <p class="quiet">{t('photo.told')}</p>
            <button
              type="button"
              class="text-button"
              onClick={() => {
                onTaken({ place: told.place as Geometry | null, time: told.time });
                setFound(null);
              }}
            >
              {t(told.place && told.time ? 'photo.use_both' : told.place ? 'photo.use_place' : 'photo.use_time')}
            </button>
          </div>
        )}
      </div>
    );
  }
  return (
    <div class="photo-field">
      {fromFile(true)}
      {fromFile(false)}
      {isBusy && <span role="status">{t('photo.sending')}</span>}
      <input type="url" aria-label={t('photo.address')} placeholder="https://" {...input} />
      <p class="quiet">{t('photo.private')}</p>
      {fault !== null && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}
