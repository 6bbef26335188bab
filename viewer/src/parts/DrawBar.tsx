/** Says on the map what is being drawn and how it is finished; the token that writing needs is asked for here too. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/text';
import { drawing, map, tokenWanted } from '../state/session';
import { forgetToken, giveToken, token } from '../state/token';
import { Icon } from './Icon';

export function DrawBar() {
  const now = drawing.value;
  if (!now) return null;
  return (
    <div class="notice draw-bar" role="status">
      <Icon name="pen" />
      <span>{t(now.hint === 'area' ? 'draw.area' : 'draw.shape')}</span>
      <button type="button" class="text-button" onClick={() => map.peek()?.stopDrawing()}>
        {t('edit.cancel')}
      </button>
    </div>
  );
}

export function TokenDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const wanted = tokenWanted.value;
  const [text, setText] = useState('');
  useEffect(() => {
    if (wanted) dialog.current?.showModal();
    else dialog.current?.close();
  }, [wanted]);
  return (
    <dialog ref={dialog} class="help token" aria-labelledby="token-title" onClose={() => (tokenWanted.value = null)}>
      <div class="card-head">
        <h2 id="token-title">{t('token.title')}</h2>
        <button type="button" class="bare" aria-label={t('maps.close')} onClick={() => (tokenWanted.value = null)}>
          <Icon name="close" />
        </button>
      </div>
      <form
        class="add-map-body"
        onSubmit={(event) => {
          event.preventDefault();
          giveToken(text.trim());
          setText('');
          tokenWanted.value = null;
          wanted?.next();
        }}
      >
        <p class="quiet">{t('token.hint')}</p>
        <label class="wide-field">
          <span>{t('token.field')}</span>
          <input type="password" autocomplete="off" required value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <button type="submit" class="button is-main">
          {t('token.use')}
        </button>
      </form>
    </dialog>
  );
}

/** Ends the right to write in this tab. */
export function ForgetToken() {
  if (token.value === null) return null;
  return (
    <button type="button" class="text-button" onClick={forgetToken}>
      {t('token.forget')}
    </button>
  );
}
