/** What a person sends: with the token of this tab, asked for where there is none or where it is refused. */

import { ServerRefused } from '../../api/client';
import * as session from '../session';
import { askToken, forgetToken, token } from '../token';

/** done: told why it was not kept, or null and what the server made of it. */
export function send<T>(post: (root: string, token: string) => Promise<T>, done: (problem: string | null, made: T | null) => void): void {
  const root = session.city.peek()?.root;
  const key = token.peek();
  if (root === undefined) return;
  if (key === null) return askToken(() => send(post, done));
  post(root, key).then(
    (made) => done(null, made),
    (error: unknown) => {
      if (error instanceof ServerRefused && error.status === 401) {
        forgetToken();
        askToken(() => send(post, done));
      }
      done(error instanceof Error ? error.message : String(error), null);
    },
  );
}
