/** What of a camera a browser can show, and by which address. Pure. */

import type { Camera } from '../../api/sensing';

export interface Shown {
  /** Of the picture; null where this page can show none. */
  readonly picture: string | null;
  /** Whether the picture can be of another moment than now: those that this server draws. */
  readonly anyTime: boolean;
  readonly hls: string | null;
  /** To open beside this page. */
  readonly link: string | null;
}

/**
 * root: of the city, for pictures of its own. secure: whether this page came by HTTPS, into which browsers take none
 * that comes by HTTP. at: milliseconds since 1970; another picture is asked for with each.
 */
export function shownOf({ snapshot, hls }: Camera, root: string, secure: boolean, at: number): Shown {
  const stream = fetchable(hls, secure);
  const link = webAddress(snapshot);
  if (snapshot?.startsWith('/')) {
    const moment = new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
    return { picture: `${root}${snapshot}?datetime=${moment}`, anyTime: true, hls: stream, link: null };
  }
  const picture = fetchable(snapshot, secure);
  if (picture === null) return { picture, anyTime: false, hls: stream, link };
  const address = new URL(picture);
  // Whatever it means to the camera, the browser has no picture of that address yet.
  address.searchParams.set('_', String(at));
  return { picture: address.href, anyTime: false, hls: stream, link };
}

/** An address that may be opened: of a picture or a stream in the web, and of nothing that runs. */
export function webAddress(text: string | null | undefined): string | null {
  const address = text && URL.canParse(text) ? new URL(text) : null;
  return address && (address.protocol === 'https:' || address.protocol === 'http:') && address.username === '' && address.password === '' ? address.href : null;
}

function fetchable(text: string | null | undefined, secure: boolean): string | null {
  const address = webAddress(text);
  return address !== null && (!secure || address.startsWith('https:')) ? address : null;
}
