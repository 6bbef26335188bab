/** Coordinates against outside figures: the degrees, and what PROJ 9.5.1 gives for them in metres. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Box } from '../src/api/documents';
import { formatPlace, parseMetres, parsePlace, toMercator } from '../src/geo/coordinates';
import { loadProjection } from '../src/geo/metric';
import { boxOf, formatLength, metresPerPixel, scaleBar } from '../src/geo/scale';
import { placeOf } from '../src/state/search';

const COAST: Box = [120.8, 27.8, 121.2, 28.2];
const LYON: Box = [4.8, 45.7, 4.9, 45.8];

// pyproj.Transformer from 4326 to 3857, from 4490 to 4549, from 4171 to 3946, in metres.
const MERCATOR = { east: 13464092.4114, north: 3247713.0769 };
const GK = { east: 593454.8127, north: 3097697.1881 };
const CC46 = { east: 1842346.0596, north: 5174961.7910 };

// CGCS2000 / 3-degree Gauss-Kruger CM 120E, and RGF93 / CC46: the metric systems of a Chinese city and of Lyon.
const EPSG_4549 = '+proj=tmerc +lat_0=0 +lon_0=120 +k=1 +x_0=500000 +y_0=0 +ellps=GRS80 +units=m +no_defs +type=crs';
const EPSG_3946 =
  '+proj=lcc +lat_0=46 +lon_0=3 +lat_1=45.25 +lat_2=46.75 +x_0=1700000 +y_0=5200000 +ellps=GRS80 +units=m +no_defs +type=crs';

describe('parsing a place', () => {
  const expected = { lng: 120.95, lat: 27.99 };
  it.each([
    '120.95, 27.99',
    '27.99 120.95',
    '27.99N 120.95E',
    '120.95E, 27.99N',
    'N27.99 E120.95',
    '北纬27.99 东经120.95',
    '东经120.95°，北纬27.99°',
    '27°59\'24"N 120°57\'0"E',
    '27°59′24.0″N, 120°57′00.0″E',
    '北纬27度59分24秒 东经120度57分',
    '  27.99 ; 120.95 ',
  ])('reads %s', (text) => {
    const place = parsePlace(text, COAST);
    expect(place?.lng).toBeCloseTo(expected.lng, 9);
    expect(place?.lat).toBeCloseTo(expected.lat, 9);
  });

  it('takes the order in which the place lies in the city', () => {
    expect(parsePlace('45.76, 4.83', LYON)).toEqual({ lng: 4.83, lat: 45.76 });
    expect(parsePlace('4.83, 45.76', LYON)).toEqual({ lng: 4.83, lat: 45.76 });
    expect(parsePlace('45.76, 4.83', null)).toEqual({ lng: 45.76, lat: 4.83 });
  });

  it('knows the southern and western halves', () => {
    expect(parsePlace("33°51'S 151°12'E", null)).toEqual({ lng: 151.2, lat: -33.85 });
    expect(parsePlace('-33.85, -70.6', [-71, -34, -70, -33])).toEqual({ lng: -70.6, lat: -33.85 });
    expect(parsePlace('0.5W 10S', null)).toEqual({ lng: -0.5, lat: -10 });
  });

  it.each(['', 'Main Street', '12', '1, 2, 3', '91N 10E', '10N 20N', '200, 100', '学院路12号', 'B-12', '27.99N'])('finds none in "%s"', (text) =>
    expect(parsePlace(text, COAST)).toBeNull(),
  );

  it.each(['degrees', 'dms'] as const)('reads what it writes in %s', (format) => {
    const place = fc.record({
      lng: fc.double({ min: -179.9, max: 179.9, noNaN: true }),
      lat: fc.double({ min: -89.9, max: 89.9, noNaN: true }),
    });
    fc.assert(
      fc.property(place, fc.constantFrom('zh' as const, 'en' as const), (written, language) => {
        const read = parsePlace(formatPlace(written, format, null, language), null);
        // Half a unit of the last written digit.
        const precision = format === 'degrees' ? 5.01e-7 : 1.4e-5;
        expect(Math.abs((read?.lng ?? NaN) - written.lng)).toBeLessThan(precision);
        expect(Math.abs((read?.lat ?? NaN) - written.lat)).toBeLessThan(precision);
      }),
    );
  });
});

describe('writing a place', () => {
  it('carries seconds into minutes and degrees', () => {
    expect(formatPlace({ lng: 120.99999, lat: 27.999999 }, 'dms', null, 'en')).toBe('28°00′00.0″ N  121°00′00.0″ E');
  });

  it('names the axes of metres', () => {
    expect(formatPlace({ lng: 0, lat: 0 }, 'metric', { east: 593421.06, north: 3097312.44 }, 'zh')).toBe('东 593421.1  北 3097312.4');
  });
});

describe('metres', () => {
  it('agree with PROJ in Web Mercator', () => {
    const { east, north } = toMercator({ lng: 120.95, lat: 27.99 });
    expect(east).toBeCloseTo(MERCATOR.east, 3);
    expect(north).toBeCloseTo(MERCATOR.north, 3);
  });

  it.each([
    ['EPSG:4549', EPSG_4549, { lng: 120.95, lat: 27.99 }, [GK.east, GK.north]],
    ['EPSG:3946', EPSG_3946, { lng: 4.83, lat: 45.76 }, [CC46.east, CC46.north]],
  ] as const)('agree with PROJ in %s', async (_, definition, place, [east, north]) => {
    const projection = await loadProjection(definition);
    const metres = projection.forward(place);
    expect(metres.east).toBeCloseTo(east, 2);
    expect(metres.north).toBeCloseTo(north, 2);
    const back = projection.inverse(metres);
    expect(back.lng).toBeCloseTo(place.lng, 8);
    expect(back.lat).toBeCloseTo(place.lat, 8);
  });

  it('of the city are found in both orders', async () => {
    const city = { bbox: COAST, metric_crs_proj4: EPSG_4549 };
    for (const text of [`${GK.east}, ${GK.north}`, `${GK.north} ${GK.east}`, `N${GK.north} E${GK.east}`]) {
      const place = await placeOf(text, city);
      expect(place?.lng).toBeCloseTo(120.95, 6);
      expect(place?.lat).toBeCloseTo(27.99, 6);
    }
    expect(await placeOf('1234567, 7654321', city)).toBeNull();
  });

  it.each(['120.95, 27.99', '123456', 'abc 123456'])('are not read from "%s"', (text) => expect(parseMetres(text)).toBeNull());
});

describe('scale bar', () => {
  it('knows the ground size of a pixel', () => {
    // The equator, 40,075,016.686 m, on 512 pixels at zoom 0.
    expect(metresPerPixel(0, 0)).toBeCloseTo(40075016.686 / 512, 3);
    expect(metresPerPixel(60, 4)).toBeCloseTo(40075016.686 / 512 / 16 / 2, 3);
  });

  it('is a round length that fits and fills at least 40 % of its room', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 100000, noNaN: true }), (perPixel) => {
        const bar = scaleBar(perPixel, 96);
        expect(bar.pixels).toBeLessThanOrEqual(96 + 1e-9);
        expect(bar.pixels).toBeGreaterThanOrEqual(96 * 0.4 - 1e-9);
        expect(formatLength(bar.metres)).toMatch(/^[125]0*(\.\d)? (cm|m|km)$/);
      }),
    );
  });
});

describe('box of a shape', () => {
  it('holds all its points', () => {
    expect(boxOf({ type: 'MultiPolygon', coordinates: [[[[1, 2], [3, 5], [0, 4], [1, 2]]], [[[9, 1], [9, 2], [8, 1], [9, 1]]]] })).toEqual([0, 1, 9, 5]);
    expect(boxOf({ type: 'Point', coordinates: [4, 5, 6] })).toEqual([4, 5, 4, 5]);
    expect(boxOf({ type: 'GeometryCollection', geometries: [{ type: 'Point', coordinates: [1, 1] }, { type: 'Point', coordinates: [2, 3] }] })).toEqual([1, 1, 2, 3]);
    expect(boxOf(null)).toBeNull();
  });
});
