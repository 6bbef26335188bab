/**
 * Server-sent events that are taken up again where they broke off (HTML Living Standard, 9.2). Not by the browser's
 * EventSource: that one gives up for ever on a refusal, never notices a connection that died in silence, and forgets
 * its place when it is made anew.
 */

export interface Message {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Reads a stream's text as it comes, in pieces of any size. */
export class MessageReader {
  #rest = '';
  #id = '';
  #event = '';
  #data: string[] = [];

  /** The messages that a piece completes. */
  read(piece: string): Message[] {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#take(line));
  }

  #take(line: string): Message[] {
    if (line === '') return this.#finish();
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name === 'id') this.#id = value;
    if (name === 'event') this.#event = value;
    if (name === 'data') this.#data.push(value);
    return [];
  }

  #finish(): Message[] {
    const message = { id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') };
    const isEmpty = this.#data.length === 0;
    this.#event = '';
    this.#data = [];
    return isEmpty ? [] : [message];
  }
}

export interface Follower {
  readonly onMessage: (message: Message) => void;
  /** Called with true when the stream stands, with false when it broke off. */
  readonly onConnected: (connected: boolean) => void;
}

/** The server sends a sign of life each 15 s; after this silence the connection is dead. */
const PATIENCE = 40_000;
const FIRST_DELAY = 1_000;
const LONGEST_DELAY = 30_000;

/** Follows a stream until the signal aborts, however often it breaks off. */
export async function followStream(address: string, follower: Follower, signal: AbortSignal, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  const place = { id: '' };
  let delay = FIRST_DELAY;
  while (!signal.aborted) {
    const stood = await readOnce(address, place, follower, signal, headers).catch(() => false);
    if (signal.aborted) return;
    follower.onConnected(false);
    delay = stood ? FIRST_DELAY : Math.min(delay * 2, LONGEST_DELAY);
    await pause(delay, signal);
  }
}

/** One connection; whether it stood. */
async function readOnce(address: string, place: { id: string }, follower: Follower, signal: AbortSignal, given: Readonly<Record<string, string>>): Promise<boolean> {
  const own = new AbortController();
  const drop = (): void => own.abort();
  signal.addEventListener('abort', drop);
  let watch = window.setTimeout(drop, PATIENCE);
  let stood = false;
  try {
    const headers: Record<string, string> = { Accept: 'text/event-stream', ...given, ...(place.id === '' ? {} : { 'Last-Event-ID': place.id }) };
    const response = await fetch(address, { headers, signal: own.signal, cache: 'no-store' });
    // A place that the server no longer takes up is given up.
    if (response.status === 400) place.id = '';
    if (!response.ok || !response.body) return false;
    stood = true;
    follower.onConnected(true);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const messages = new MessageReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      window.clearTimeout(watch);
      watch = window.setTimeout(drop, PATIENCE);
      for (const message of messages.read(value)) {
        place.id = message.id || place.id;
        follower.onMessage(message);
      }
    }
  } catch {
    return stood;
  } finally {
    window.clearTimeout(watch);
    signal.removeEventListener('abort', drop);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      window.clearTimeout(timer);
      resolve();
    });
  });
}
