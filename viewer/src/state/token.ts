/** The token by which a person may write, kept for this tab alone. */

import { signal, type ReadonlySignal } from '@preact/signals';
import { tokenWanted } from './session';

const KEY = 'twin:token';

const current = signal<string | null>(null);

export const token: ReadonlySignal<string | null> = current;

/** Takes up the token that this tab had before it was loaded again. */
export function recallToken(): void {
  current.value = sessionStorage.getItem(KEY);
}

export function giveToken(text: string): void {
  sessionStorage.setItem(KEY, text);
  current.value = text;
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
  current.value = null;
}

/** Asks a person for a token; `next` goes on once it is given. */
export function askToken(next: () => void): void {
  tokenWanted.value = { next };
}
