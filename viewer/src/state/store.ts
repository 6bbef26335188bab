/** The one store. Its value is the share link: it is read from the address at start and written back after each change. */

import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import { decode, encode } from './hash';
import { INITIAL, type Language, type ViewState } from './view';

/** Milliseconds of rest before the address is written. */
const ADDRESS_DELAY = 200;

const current = signal<ViewState>(INITIAL);

export const view: ReadonlySignal<ViewState> = current;

/** One field of the view, which stays silent while others change (the camera changes with every move). */
export function field<K extends keyof ViewState>(name: K): ReadonlySignal<ViewState[K]> {
  return computed(() => current.value[name]);
}

export function update(patch: Partial<ViewState>): void {
  current.value = { ...current.peek(), ...patch };
}

/** Fills the store from the address and keeps both equal from then on. */
export function bindToAddress(window: Window): void {
  const defaults = { ...INITIAL, language: preferredLanguage(window.navigator.languages) };
  current.value = decode(window.location.hash, defaults);
  window.addEventListener('hashchange', () => {
    if (window.location.hash.slice(1) !== encode(current.peek())) current.value = decode(window.location.hash, defaults);
  });
  let timer: number | undefined;
  effect(() => {
    const hash = `#${encode(current.value)}`;
    window.clearTimeout(timer);
    // Browsers refuse more than about a hundred address changes in half a minute; a slider makes that in seconds.
    timer = window.setTimeout(() => window.history.replaceState(null, '', hash), ADDRESS_DELAY);
  });
}

/** Chinese for a browser that asks for Chinese before English, else English. */
export function preferredLanguage(languages: readonly string[]): Language {
  const first = languages.find((tag) => /^(zh|en)\b/i.test(tag));
  return first !== undefined && /^zh/i.test(first) ? 'zh' : 'en';
}

/** The link to what is on the screen. */
export function shareLink(location: Location): string {
  return `${location.origin}${location.pathname}${location.search}#${encode(current.peek())}`;
}
