/** What a camera sees: its stream where the browser plays it, else its picture, asked for again and again. */

import { useEffect, useState } from 'preact/hooks';
import type { Camera } from '../../api/sensing';
import { t } from '../../i18n/text';
import { shownOf, webAddress } from '../../state/sensing/cameras';
import { moment } from '../../state/sensing/clock';
import { inSight } from '../../state/sensing/live';
import { city } from '../../state/session';
import { fullTime } from './words';

/** Milliseconds between two pictures. */
const REFRESH = 10_000;
const HLS = 'application/vnd.apple.mpegurl';

export function CameraPicture({ title, camera }: { title: string; camera: Camera }) {
  const [turn, setTurn] = useState(() => Date.now());
  const [failed, setFailed] = useState(false);
  const past = moment.value;
  const seen = inSight.value;
  useEffect(() => {
    if (!seen) return;
    const timer = window.setInterval(() => setTurn(Date.now()), REFRESH);
    return () => window.clearInterval(timer);
  }, [seen]);
  const root = city.value?.root;
  if (root === undefined) return null;
  const shown = shownOf(camera, root, location.protocol === 'https:', turn);
  const at = shown.anyTime && past !== null ? past : turn;
  const picture = at === turn ? shown.picture : shownOf(camera, root, true, at).picture;
  const stream = webAddress(camera.hls);
  return (
    <div class="camera">
      {shown.hls !== null && playsStreams() ? (
        <video class="camera-picture" src={shown.hls} aria-label={t('camera.picture', { title })} controls muted autoplay playsInline />
      ) : (
        picture !== null && <img class="camera-picture" src={picture} alt={t('camera.picture', { title })} referrerpolicy="no-referrer" onError={() => setFailed(true)} onLoad={() => setFailed(false)} />
      )}
      {failed && <p class="notice is-trouble">{t('camera.failed')}</p>}
      {shown.anyTime && <p class="quiet">{t('camera.at', { time: fullTime(at) })}</p>}
      {past !== null && !shown.anyTime && <p class="quiet">{t('camera.now')}</p>}
      {typeof camera.direction === 'number' && <p class="quiet">{t('camera.looks', { degrees: String(Math.round(camera.direction)) })}</p>}
      {shown.link !== null && <Away address={shown.link} text={t('camera.open')} />}
      {stream !== null && <Away address={stream} text={t('camera.stream')} />}
    </div>
  );
}

function Away({ address, text }: { address: string; text: string }) {
  return (
    <a class="text-button" href={address} target="_blank" rel="noopener noreferrer">
      {text}
    </a>
  );
}

function playsStreams(): boolean {
  return document.createElement('video').canPlayType(HLS) !== '';
}
