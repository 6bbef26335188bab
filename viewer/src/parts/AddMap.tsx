/** Adding a map by its address: what it offers is read, listed, and chosen from; what cannot be drawn says why. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { ForeignFailure, openForeign, type Offer, type Opened, type Problem } from '../api/foreign';
import { isAbort } from '../api/client';
import { number, t } from '../i18n/text';
import type { Key } from '../i18n/en';
import { addingMap, announcement, keysGiven } from '../state/session';
import { field, update, view } from '../state/store';
import { Icon } from './Icon';

/** Layers listed at once; a search narrows them. */
const MOST = 60;

const extras = field('extras');

const REASONS: Readonly<Record<Problem, Key & `maps.problem.${string}`>> = {
  'no-cors': 'maps.problem.no_cors',
  'not-allowed': 'maps.problem.not_allowed',
  'no-grid': 'maps.problem.no_grid',
  'not-found': 'maps.problem.not_found',
  'not-a-map': 'maps.problem.not_a_map',
  mixed: 'maps.problem.mixed',
  'needs-key': 'maps.problem.needs_key',
};

type State = { readonly kind: 'idle' } | { readonly kind: 'reading' } | { readonly kind: 'failed'; readonly text: string } | { readonly kind: 'open'; readonly opened: Opened };

export function AddMap() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = addingMap.value;
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} class="help add-map" aria-labelledby="add-map-title" onClose={() => (addingMap.value = false)}>
      <div class="card-head">
        <h2 id="add-map-title">{t('maps.add_title')}</h2>
        <button type="button" class="bare" aria-label={t('maps.close')} onClick={() => (addingMap.value = false)}>
          <Icon name="close" />
        </button>
      </div>
      {open && <Opening />}
    </dialog>
  );
}

function Opening() {
  const [address, setAddress] = useState('');
  const [state, setState] = useState<State>({ kind: 'idle' });
  const abort = useRef(new AbortController());
  useEffect(() => () => abort.current.abort(), []);
  const look = (event: Event): void => {
    event.preventDefault();
    abort.current.abort();
    abort.current = new AbortController();
    setState({ kind: 'reading' });
    openForeign(address, abort.current.signal).then(
      (opened) => setState({ kind: 'open', opened }),
      (error: unknown) => {
        if (!isAbort(error)) setState({ kind: 'failed', text: describe(error) });
      },
    );
  };
  return (
    <div class="add-map-body">
      <form onSubmit={look}>
        <label class="wide-field">
          <span>{t('maps.address')}</span>
          <input type="url" inputmode="url" autocomplete="off" spellcheck={false} required placeholder="https://" value={address} onInput={(event) => setAddress(event.currentTarget.value)} />
        </label>
        <button type="submit" class="button" disabled={state.kind === 'reading'}>
          {t('maps.look')}
        </button>
      </form>
      <p class="quiet">{t('maps.hint')}</p>
      <div role="status">
        {state.kind === 'reading' && <p class="quiet">{t('maps.reading')}</p>}
        {state.kind === 'failed' && (
          <p class="notice is-trouble">
            <Icon name="warning" /> <span>{state.text}</span>
          </p>
        )}
      </div>
      {state.kind === 'open' && <Offers opened={state.opened} />}
    </div>
  );
}

function Offers({ opened }: { opened: Opened }) {
  const [text, setText] = useState('');
  const wanted = text.trim().toLowerCase();
  const found = opened.offers.filter((offer) => `${offer.title} ${offer.name}`.toLowerCase().includes(wanted));
  return (
    <section aria-label={opened.title}>
      <h3>{opened.title}</h3>
      {opened.offers.length > 8 && (
        <label class="wide-field">
          <span>{t('maps.narrow', { count: number(opened.offers.length) })}</span>
          <input type="search" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
      )}
      {found.length === 0 && <p class="quiet">{t('maps.none')}</p>}
      <ul class="offers">
        {found.slice(0, MOST).map((offer) => (
          <OfferRow key={offer.name} offer={offer} />
        ))}
      </ul>
      {found.length > MOST && <p class="quiet">{t('maps.more', { count: number(found.length - MOST) })}</p>}
    </section>
  );
}

function OfferRow({ offer }: { offer: Offer }) {
  const { extra } = offer;
  // The name tells layers of the same title apart; an address says nothing more here.
  const isNamed = offer.name !== offer.title && !offer.name.includes('://');
  const isAdded = extra !== null && extras.value.some((each) => each.id === extra.id);
  return (
    <li>
      <div>
        <span>{offer.title}</span>
        <small>{[isNamed ? offer.name : '', offer.grid, extra?.served ? t('maps.served') : '', offer.problem ? t(REASONS[offer.problem], { host: offer.host }) : ''].filter(Boolean).join(' · ')}</small>
      </div>
      {extra && (
        <button
          type="button"
          class="button"
          disabled={isAdded}
          aria-label={t(isAdded ? 'maps.added_this' : 'maps.add_this', { title: isNamed ? `${offer.title} (${offer.name})` : offer.title })}
          onClick={() => {
            update({ extras: [extra, ...view.peek().extras] });
            keysGiven.value += 1;
            announcement.value = t('maps.added', { title: offer.title });
          }}
        >
          {isAdded ? t('maps.is_added') : t('maps.add_one')}
        </button>
      )}
    </li>
  );
}

function describe(error: unknown): string {
  if (error instanceof ForeignFailure) {
    const reason = t(REASONS[error.problem], { host: error.host });
    return error.message ? `${reason} (${error.message})` : reason;
  }
  return t('error.unknown', { reason: error instanceof Error ? error.message : String(error) });
}
