/** A table of any length: pages by keyset, few of them kept, and the end found where it is. */

import { describe, expect, it } from 'vitest';
import type { ItemPage } from '../src/api/documents';
import { PAGE_ROWS, PagedRows } from '../src/state/rows';

/** A server of so many objects, whose cursor is the number of the page. */
function server(count: number) {
  const asked: number[] = [];
  const read = (address: string): Promise<ItemPage> => {
    const page = Number(address);
    asked.push(page);
    const ids = Array.from({ length: Math.min(PAGE_ROWS, count - page * PAGE_ROWS) }, (_, row) => page * PAGE_ROWS + row);
    const features = ids.map((id) => ({ type: 'Feature' as const, id, geometry: null, properties: {} }));
    const links = (page + 1) * PAGE_ROWS < count ? [{ rel: 'next', href: String(page + 1) }] : [];
    return Promise.resolve({ type: 'FeatureCollection', features, links, numberMatched: count });
  };
  return { asked, rows: new PagedRows('0', read, (page) => page.links?.[0]?.href ?? null) };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

describe('rows', () => {
  it('come as they are wanted, a page after the other', async () => {
    const { rows, asked } = server(1000);
    rows.need(0, 20);
    await settled();
    expect([asked, rows.at(0)?.id, rows.at(PAGE_ROWS)?.id]).toEqual([[0], 0, undefined]);
    expect(rows.extent.value).toMatchObject({ room: 2 * PAGE_ROWS, total: 1000, isExact: true });
    rows.need(2.5 * PAGE_ROWS, 2.6 * PAGE_ROWS);
    await settled();
    expect(rows.at(2 * PAGE_ROWS)?.id).toBe(2 * PAGE_ROWS);
  });

  it('end where the objects end', async () => {
    const { rows } = server(PAGE_ROWS + 7);
    rows.need(0, 2 * PAGE_ROWS);
    await settled();
    expect(rows.extent.value).toMatchObject({ room: PAGE_ROWS + 7, total: PAGE_ROWS + 7 });
    expect(rows.find(String(PAGE_ROWS + 6))).toBe(PAGE_ROWS + 6);
  });

  it('of 200,000 objects are walked to the end and back with few pages kept', async () => {
    const { rows, asked } = server(200_000);
    for (let row = 0; row < 200_000; row += PAGE_ROWS) {
      rows.need(row, row + 30);
      await settled();
      expect(rows.at(row)?.id).toBe(row);
    }
    expect(rows.at(0)).toBeUndefined();
    const before = asked.length;
    rows.need(0, 30);
    await settled();
    expect([rows.at(0)?.id, asked.length]).toEqual([0, before + 1]);
  });

  it('say why they do not come', async () => {
    const rows = new PagedRows('0', () => Promise.reject(new Error('busy')), () => null);
    rows.need(0, 1);
    await settled();
    expect(rows.extent.value.failure).toBe('busy');
  });
});
