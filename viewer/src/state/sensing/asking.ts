/** Answers that are asked for again as time goes by, and when what they depend on changes. */

import { useEffect, useState } from 'preact/hooks';
import { city } from '../session';

const REFRESH = 60_000;

export interface Answer<T> {
  readonly value: T | null;
  readonly failure: string | null;
}

/**
 * What the server answers to a question, asked each minute; null until the first answer. key: what the question
 * depends on beside the city. ask: gets the city's root.
 */
export function useAnswer<T>(key: string, ask: (root: string, signal: AbortSignal) => Promise<T>): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ value: null, failure: null });
  const root = city.value?.root;
  useEffect(() => {
    if (root === undefined) return;
    const abort = new AbortController();
    const read = (): void => {
      ask(root, abort.signal).then(
        (value) => !abort.signal.aborted && setAnswer({ value, failure: null }),
        (error: unknown) => !abort.signal.aborted && setAnswer((before) => ({ ...before, failure: error instanceof Error ? error.message : String(error) })),
      );
    };
    read();
    const timer = window.setInterval(read, REFRESH);
    return () => {
      abort.abort();
      window.clearInterval(timer);
    };
  }, [root, key]);
  return answer;
}
