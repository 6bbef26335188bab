/** What the keyboard can do. */

import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/text';
import { helpOpen } from '../state/session';
import { Icon } from './Icon';

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = helpOpen.value;
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  const rows: readonly (readonly [string, string])[] = [
    ['Ctrl K', t('help.search')],
    [t('key.arrows'), t('help.move')],
    [t('key.shift_arrows'), t('help.turn')],
    ['+  −', t('help.zoom')],
    ['Enter', t('help.read')],
    [t('key.up_down'), t('help.order')],
    ['Esc', t('help.escape')],
  ];
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={() => (helpOpen.value = false)}>
      <div class="card-head">
        <h2 id="help-title">{t('help.title')}</h2>
        <button type="button" class="bare" aria-label={t('help.close')} onClick={() => (helpOpen.value = false)}>
          <Icon name="close" />
        </button>
      </div>
      <dl>
        {rows.map(([keys, meaning]) => (
          <div key={meaning}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
