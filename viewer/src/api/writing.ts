/** Writing objects (OGC API Features Part 4): every write needs a token, every change says which state it changes. */

import type { Geometry } from 'geojson';
import type { Attributes, Item } from './documents';
import { ServerRefused, ServerUnreachable, refusal } from './client';

export interface Read {
  readonly item: Item;
  readonly etag: string | null;
}

/** Why and since when: an error is put right, or the world has changed on a day. */
export interface Cause {
  readonly mode: 'correct' | 'supersede';
  /** YYYY-MM-DD; null: now. */
  readonly asOf: string | null;
  readonly why: string;
}

export interface Change {
  readonly properties: Attributes;
  /** Left out where the shape stays. */
  readonly geometry?: Geometry;
}

/** An object with the tag of the state that was read. */
export async function readForEditing(address: string, token: string): Promise<Read> {
  const response = await send(`${address}${address.includes('?') ? '&' : '?'}f=json`, 'GET', token);
  return { item: (await response.json()) as Item, etag: response.headers.get('ETag') };
}

/** Adds an object; its number. */
export async function createItem(items: string, token: string, change: Change, why: string): Promise<string> {
  const query = why === '' ? '' : `?${new URLSearchParams({ why })}`;
  const response = await send(items + query, 'POST', token, { type: 'Feature', ...change });
  return response.headers.get('Location')?.split('/').at(-1) ?? '';
}

export async function changeItem(address: string, token: string, etag: string | null, change: Change, cause: Cause): Promise<void> {
  await send(`${address}?${causeValues(cause)}`, 'PATCH', token, { type: 'Feature', ...change }, etag);
}

export async function deleteItem(address: string, token: string, etag: string | null, cause: Cause): Promise<void> {
  await send(`${address}?${causeValues(cause)}`, 'DELETE', token, undefined, etag);
}

function causeValues({ mode, asOf, why }: Cause): URLSearchParams {
  const values = new URLSearchParams({ mode });
  if (asOf !== null && mode === 'supersede') values.set('as_of', asOf);
  if (why !== '') values.set('why', why);
  return values;
}

/** Whether somebody else has changed the object since it was read. */
export function isConflict(error: unknown): boolean {
  return error instanceof ServerRefused && (error.status === 412 || error.status === 409);
}

async function send(address: string, method: string, token: string, body?: unknown, etag: string | null = null): Promise<Response> {
  const headers: Record<string, string> = { Authorization: `Bearer ${token}`, 'Accept-Language': document.documentElement.lang };
  if (body !== undefined) headers['Content-Type'] = method === 'PATCH' ? 'application/merge-patch+json' : 'application/geo+json';
  if (etag !== null) headers['If-Match'] = etag;
  let response: Response;
  try {
    response = await fetch(address, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  } catch {
    throw new ServerUnreachable(`${new URL(address).host} does not answer`);
  }
  if (!response.ok) throw await refusal(response);
  return response;
}
