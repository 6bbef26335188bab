/** An uploaded photo, small; opened large in a page of its own. */

import { useEffect, useState } from 'preact/hooks';
import { getPhoto } from '../api/photos';
import { t } from '../i18n/text';
import { city } from '../state/session';

export function Photo({ photo }: { photo: string }) {
  const [shown, setShown] = useState<string | null>(null);
  const [isMissing, setMissing] = useState(false);
  const root = city.value?.root;
  useEffect(() => {
    if (root === undefined) return;
    let address: string | null = null;
    let wanted = true;
    // It is asked for by the token of this tab, which an <img> would not send.
    getPhoto(root, photo).then(
      (blob) => {
        if (!wanted) return;
        address = URL.createObjectURL(blob);
        setShown(address);
      },
      () => wanted && setMissing(true),
    );
    return () => {
      wanted = false;
      setShown(null);
      setMissing(false);
      if (address !== null) URL.revokeObjectURL(address);
    };
  }, [photo, root]);
  if (isMissing) return <span class="quiet">{t('photo.missing')}</span>;
  if (shown === null) return <span class="quiet">{t('scenario.reading')}</span>;
  return (
    <a class="photo" href={shown} target="_blank" rel="noopener" aria-label={t('photo.open')}>
      <img src={shown} alt={t('photo.alt')} />
    </a>
  );
}
