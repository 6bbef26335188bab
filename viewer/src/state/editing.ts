/** An object being made or changed: what was read, what a person has made of it, and what came of saving it. */

import type { Geometry } from 'geojson';
import { itemAddress } from '../api/city';
import { getJson, ServerRefused } from '../api/client';
import type { Attributes, Collection } from '../api/documents';
import { changeItem, createItem, deleteItem, isConflict, readForEditing, type Cause } from '../api/writing';
import { t } from '../i18n/text';
import { sameShape } from '../geo/rings';
import * as session from './session';
import type { Editing } from './session';
import { update, view } from './store';
import { askToken, forgetToken, token } from './token';

interface Schema {
  readonly properties: Readonly<Record<string, { readonly readOnly?: boolean; readonly format?: string }>>;
  readonly required?: readonly string[];
}

/** Begins to change an object. */
export async function startEditing(layer: Collection, id: string): Promise<void> {
  if (token.peek() === null) return askToken(() => void startEditing(layer, id));
  try {
    const [{ item, etag }, schema] = await Promise.all([readForEditing(addressOf(layer.id, id), token.peek() ?? ''), schemaOf(layer)]);
    begin({ layer, id, etag, before: item.properties ?? {}, shapeBefore: item.geometry, shape: item.geometry, ...fields(layer, schema) });
  } catch (error) {
    fail(error);
  }
}

/** Lets a person draw a new object, then say what it is. */
export async function startCreating(layer: Collection): Promise<void> {
  if (token.peek() === null) return askToken(() => void startCreating(layer));
  const map = session.map.peek();
  if (!map) return;
  try {
    const schema = await schemaOf(layer);
    const format = schema.properties['geometry']?.format ?? '';
    const kind = format.includes('polygon') ? 'polygon' : format.includes('line') ? 'linestring' : format.includes('point') ? 'point' : 'polygon';
    update({ is3d: false, selected: null });
    const shape = await map.drawShape(kind);
    if (shape) begin({ layer, id: null, etag: null, before: {}, shapeBefore: null, shape, ...fields(layer, schema) });
  } catch (error) {
    fail(error);
  }
}

function begin(given: Pick<Editing, 'layer' | 'id' | 'etag' | 'before' | 'shapeBefore' | 'shape' | 'writable' | 'required'>): void {
  update({ is3d: false });
  session.editing.value = { ...given, values: {}, status: 'open', problem: null, conflict: false };
}

/** What a form may ask for: properties that are not the server's own. */
function fields(layer: Collection, schema: Schema): Pick<Editing, 'writable' | 'required'> {
  const writable = layer.twin.properties.map((property) => property.name).filter((name) => schema.properties[name] !== undefined && !schema.properties[name].readOnly && name !== 'uid');
  return { writable, required: schema.required ?? [] };
}

function schemaOf(layer: Collection): Promise<Schema> {
  return getJson<Schema>(`${rootOf()}/collections/${layer.id}/schema`);
}

export function changeValue(name: string, value: unknown): void {
  const now = session.editing.peek();
  if (now) session.editing.value = { ...now, values: { ...now.values, [name]: value } };
}

export function changeShape(shape: Geometry): void {
  const now = session.editing.peek();
  if (now) session.editing.value = { ...now, shape };
}

export function stopEditing(): void {
  session.editing.value = null;
}

/** The properties that differ from what was read. */
export function changes({ before, values }: Pick<Editing, 'before' | 'values'>): Attributes {
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => (value ?? null) !== (before[name] ?? null)));
}

export function isChanged(editing: Editing): boolean {
  return editing.id === null || Object.keys(changes(editing)).length > 0 || !sameShape(editing.shape, editing.shapeBefore);
}

/** Saves what was made; stays open, and says why, where that fails. */
export async function save(cause: Cause): Promise<void> {
  await attempt(async (now, key) => {
    const properties = changes(now);
    if (now.id === null) {
      if (now.shape === null) return;
      const id = await createItem(`${rootOf()}/collections/${now.layer.id}/items`, key, { properties, geometry: now.shape }, cause.why);
      finish(t('edit.created'), id === '' ? null : { layer: now.layer.id, id });
      return;
    }
    const geometry = now.shape !== null && !sameShape(now.shape, now.shapeBefore) ? { geometry: now.shape } : {};
    await changeItem(addressOf(now.layer.id, now.id), key, now.etag, { properties, ...geometry }, cause);
    finish(t('edit.saved'), { layer: now.layer.id, id: now.id });
  });
}

export async function remove(cause: Cause): Promise<void> {
  await attempt(async (now, key) => {
    if (now.id === null) return;
    await deleteItem(addressOf(now.layer.id, now.id), key, now.etag, cause);
    finish(t('edit.deleted'), null);
  });
}

/** After a conflict: takes what the other wrote as read; what was made here stays, or goes as well. */
export async function readAgain(keep: boolean): Promise<void> {
  await attempt(async (now, key) => {
    if (now.id === null) return;
    const { item, etag } = await readForEditing(addressOf(now.layer.id, now.id), key);
    const theirs = { etag, before: item.properties ?? {}, shapeBefore: item.geometry };
    session.editing.value = { ...now, ...theirs, ...(keep ? {} : { values: {}, shape: item.geometry }), status: 'open', conflict: false, problem: null };
    const shape = session.editing.peek()?.shape;
    if (!keep && shape) session.map.peek()?.showShape(shape);
  });
}

async function attempt(work: (now: Editing, key: string) => Promise<void>): Promise<void> {
  const now = session.editing.peek();
  const key = token.peek();
  if (!now || key === null) return;
  session.editing.value = { ...now, status: 'saving', problem: null };
  try {
    await work(now, key);
  } catch (error) {
    const held = session.editing.peek();
    if (held) session.editing.value = { ...held, status: 'open', conflict: isConflict(error), problem: reason(error) };
  }
}

function finish(said: string, selected: { layer: string; id: string } | null): void {
  session.editing.value = null;
  session.announcement.value = said;
  update({ selected });
  session.written.value += 1;
  session.map.peek()?.reloadTiles();
}

function fail(error: unknown): void {
  if (error instanceof ServerRefused && error.status === 401) forgetToken();
  session.trouble.value = { kind: 'unknown', reason: reason(error), retry: () => (session.trouble.value = null) };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function rootOf(): string {
  return session.city.peek()?.root ?? '';
}

function addressOf(layer: string, id: string): string {
  return itemAddress(rootOf(), layer, id, view.peek().date);
}
