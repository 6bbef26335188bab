/** Maps from elsewhere: no key in a link, no address that could act, and tiles asked for as each standard wants. */

import { validateStyleMin } from '@maplibre/maplibre-gl-style-spec';
import { describe, expect, it } from 'vitest';
import { candidates } from '../src/api/foreign';
import { legendAddress, tileAddress, withExtras, type Reaching } from '../src/map/extras';
import { readExtras, withoutSecrets, withParameters, writeExtras, type Extra } from '../src/state/extra';

const WMS: Extra = {
  id: 'a1', kind: 'wms', url: 'https://gis.example/wms?map=city', title: 'Plan', layer: 'plan', style: '', grid: 'EPSG:3857', version: '1.3.0',
  format: 'image/png', tiles: '', legend: 'https://gis.example/legend', attribution: '', served: false, keyName: '', visible: true, opacity: 0.5, place: 'over',
};
const XYZ: Extra = { ...WMS, id: 'b2', kind: 'xyz', url: 'https://t.example/{z}/{x}/{y}.png', tiles: 'https://t.example/{z}/{x}/{y}.png', grid: '', place: 'under' };
const REACHING: Reaching = { server: 'http://city.example/', keyOf: (host) => (host === 'gis.example' ? { tk: 'k' } : {}), accent: '#d9480f' };

describe('secrets', () => {
  it.each([
    ['https://t0.tianditu.gov.cn/vec_c/wmts?tk=abc&layer=vec', 'https://t0.tianditu.gov.cn/vec_c/wmts?layer=vec', { tk: 'abc' }],
    ['https://a.example/{z}/{x}/{y}?APIKEY=a%20b', 'https://a.example/{z}/{x}/{y}', { APIKEY: 'a b' }],
    ['https://user:word@a.example/wms', 'https://a.example/wms', {}],
    ['https://a.example/wms?token=1%', 'https://a.example/wms', { token: '1%' }],
    [' https://a.example/wms?stoken=1 ', 'https://a.example/wms?stoken=1', {}],
  ])('leave %s', (address, url, secrets) => expect(withoutSecrets(address)).toEqual({ url, secrets }));

  it('that somebody wrote into a link are passed over', () => {
    const [extra] = readExtras(writeExtras([{ ...WMS, url: 'https://gis.example/wms?tk=abc' }]));
    expect(extra?.url).toBe('https://gis.example/wms');
  });
});

describe('links', () => {
  it('bring maps back', () => expect(readExtras(writeExtras([WMS, XYZ]))).toEqual([WMS, XYZ]));

  it.each(['', '{}', '[1]', '[["wms"]]', writeExtras([{ ...WMS, url: 'javascript:alert(1)' }]), writeExtras([{ ...WMS, legend: 'data:image/svg+xml,x' }]), writeExtras([{ ...WMS, id: 'a b' }])])(
    'never bring %s',
    (text) => expect(readExtras(text)).toEqual([]),
  );
});

describe('addresses', () => {
  it('of a WMS hold what the standard wants, in the words of each version', () => {
    const address = tileAddress(WMS, REACHING);
    expect(address).toContain('https://gis.example/wms?map=city&SERVICE=WMS&VERSION=1.3.0');
    expect(address).toContain('CRS=EPSG:3857');
    expect(address).toContain('BBOX={bbox-epsg-3857}');
    expect(address).toContain('tk=k');
    expect(tileAddress({ ...WMS, version: '1.1.1' }, REACHING)).toContain('SRS=EPSG:3857');
  });

  it('that go by our server name the service, and hold no key', () => {
    const served = new URL(tileAddress({ ...WMS, served: true, grid: 'EPSG:4490' }, REACHING));
    expect(served.origin + decodeURI(served.pathname)).toBe('http://city.example/remote/tiles/{z}/{x}/{y}');
    expect(Object.fromEntries(served.searchParams)).toMatchObject({ service: 'wms', url: WMS.url, layers: 'plan', crs: 'EPSG:4490', version: '1.3.0' });
    expect(tileAddress({ ...XYZ, served: true }, REACHING)).toContain('url=https%3A%2F%2Ft.example%2F%7Bz%7D%2F%7Bx%7D%2F%7By%7D.png');
    expect(legendAddress({ ...WMS, served: true }, REACHING)).not.toContain('tk=');
  });

  it('replace a parameter of the same name, whatever its case', () => {
    expect(withParameters('https://a.example/wms?request=GetMap&x=1', { REQUEST: 'GetCapabilities' })).toBe('https://a.example/wms?x=1&REQUEST=GetCapabilities');
  });

  it('are guessed the likelier first', () => {
    expect(candidates('https://a.example/wmts')[0]).toContain('SERVICE=WMTS');
    expect(candidates('https://a.example/ows')[0]).toContain('SERVICE=WMS');
    expect(candidates('https://a.example/a.geojson')).toEqual(['https://a.example/a.geojson']);
    expect(candidates('https://a.example/wms?REQUEST=GetCapabilities')).toHaveLength(1);
  });
});

describe('on the map', () => {
  const style = {
    version: 8 as const,
    sources: { city: { type: 'vector' as const, tiles: ['http://city.example/{z}/{y}/{x}'] } },
    layers: [
      { id: 'background', type: 'background' as const },
      { id: 'land', type: 'fill' as const, source: 'city', 'source-layer': 'land' },
      { id: 'name', type: 'symbol' as const, source: 'city', 'source-layer': 'land' },
    ],
  };

  it('lie under the city or under its labels, the first of the list on top', () => {
    const other = { ...WMS, id: 'c3' };
    const drawn = withExtras(style, [WMS, other, XYZ], REACHING);
    expect(drawn.layers.map((layer) => layer.id)).toEqual(['background', 'twin-map-b2', 'land', 'twin-map-c3', 'twin-map-a1', 'name']);
    expect(validateStyleMin(drawn)).toEqual([]);
  });

  it('are not asked for while they are off', () => {
    expect(withExtras(style, [{ ...WMS, visible: false }], REACHING).sources).toEqual(style.sources);
  });
});
