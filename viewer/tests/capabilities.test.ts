/** Capabilities documents as services write them. */

import { DOMParser } from '@xmldom/xmldom';
import { describe, expect, it } from 'vitest';
import { approvalNumber, crsCode, readCapabilities } from '../src/api/capabilities';
import { offer } from '../src/api/foreign';

const parse = (text: string): Document => new DOMParser().parseFromString(text, 'text/xml') as unknown as Document;
const AT = 'https://gis.example/ows?REQUEST=GetCapabilities';
const WAY = { way: { allowed: false, key: false }, served: false, keyName: '' };

const WMS = `<WMS_Capabilities version="1.3.0" xmlns="http://www.opengis.net/wms" xmlns:xlink="http://www.w3.org/1999/xlink">
<Service><Title>规划局</Title><Abstract>审图号：GS（2024）0650号</Abstract></Service>
<Capability><Request><GetMap><Format>image/jpeg</Format><Format>image/png</Format><DCPType><HTTP><Get><OnlineResource xlink:href="http://gis.example/ows?map=a"/></Get></HTTP></DCPType></GetMap></Request>
<Layer><Title>All</Title><CRS>EPSG:4490</CRS>
 <Layer><Name>plan</Name><Title>Plan</Title><CRS>EPSG:3857</CRS><Style><Name>s</Name><LegendURL><OnlineResource xlink:href="https://gis.example/legend.png"/></LegendURL></Style></Layer>
 <Layer><Name>old</Name><Title>Old plan</Title></Layer>
</Layer></Capability></WMS_Capabilities>`;

const matrix = (id: string, scale: number) => `<TileMatrix><ows:Identifier>${id}</ows:Identifier><ScaleDenominator>${scale}</ScaleDenominator><TileWidth>256</TileWidth></TileMatrix>`;
const WMTS = `<Capabilities version="1.0.0" xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows="http://www.opengis.net/ows/1.1" xmlns:xlink="http://www.w3.org/1999/xlink">
<ows:OperationsMetadata><ows:Operation name="GetTile"><ows:DCP><ows:HTTP><ows:Get xlink:href="https://gis.example/wmts"/></ows:HTTP></ows:DCP></ows:Operation></ows:OperationsMetadata>
<Contents>
<Layer><ows:Identifier>img</ows:Identifier><ows:Title>Imagery</ows:Title><Style isDefault="true"><ows:Identifier>default</ows:Identifier></Style><Format>tiles</Format>
<TileMatrixSetLink><TileMatrixSet>c</TileMatrixSet></TileMatrixSetLink><TileMatrixSetLink><TileMatrixSet>w</TileMatrixSet></TileMatrixSetLink></Layer>
<Layer><ows:Identifier>cva</ows:Identifier><Style><ows:Identifier>d</ows:Identifier></Style><Format>image/png</Format><TileMatrixSetLink><TileMatrixSet>c</TileMatrixSet></TileMatrixSetLink></Layer>
<Layer><ows:Identifier>day</ows:Identifier><Style><ows:Identifier>s</ows:Identifier></Style><Format>image/png</Format><Dimension><ows:Identifier>Time</ows:Identifier><Default>current</Default></Dimension><TileMatrixSetLink><TileMatrixSet>w</TileMatrixSet></TileMatrixSetLink>
<ResourceURL resourceType="tile" format="image/png" template="https://gis.example/day/{style}/{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}.png?time={Time}"/></Layer>
<TileMatrixSet><ows:Identifier>c</ows:Identifier><ows:SupportedCRS>urn:ogc:def:crs:EPSG::4490</ows:SupportedCRS>${matrix('1', 295829355.45)}</TileMatrixSet>
<TileMatrixSet><ows:Identifier>w</ows:Identifier><ows:SupportedCRS>urn:ogc:def:crs:EPSG::3857</ows:SupportedCRS>${matrix('web:0', 559082264.0287178)}${matrix('web:1', 279541132.0143589)}</TileMatrixSet>
</Contents></Capabilities>`;

describe('a WMS', () => {
  const found = readCapabilities(parse(WMS), AT);

  it('hands CRS down its tree and says where maps are asked for, by the TLS it was reached with', () => {
    expect(found).toMatchObject({ kind: 'wms', version: '1.3.0', title: '规划局', address: 'https://gis.example/ows?map=a', approval: 'GS（2024）0650号' });
    expect(found?.layers.map((layer) => [layer.name, layer.grids.map((grid) => grid.name)])).toEqual([['plan', ['EPSG:4490', 'EPSG:3857']], ['old', ['EPSG:4490']]]);
  });

  it('is drawn as it is where it offers the web’s grid, else by our server, else not, with the reason', () => {
    const [plan, old] = found?.layers ?? [];
    if (!found || !plan || !old) throw new Error('no layers');
    expect(offer(found, plan, AT, WAY).extra).toMatchObject({ served: false, grid: 'EPSG:3857', format: 'image/png', attribution: '规划局 · 审图号：GS（2024）0650号' });
    expect(offer(found, old, AT, WAY)).toMatchObject({ extra: null, problem: 'not-allowed' });
    expect(offer(found, old, AT, { ...WAY, way: { allowed: true, key: true }, keyName: 'tk' }).extra).toMatchObject({ served: true, grid: 'EPSG:4490', keyName: '' });
  });
});

describe('a WMTS', () => {
  const found = readCapabilities(parse(WMTS), AT);

  it('has tiles by z, x and y where a grid is the web’s, whatever its matrices are called', () => {
    const grids = found?.layers[0]?.grids ?? [];
    expect(grids.map((grid) => [grid.name, grid.crs, grid.isWeb])).toEqual([['c', 'EPSG:4490', false], ['w', 'EPSG:3857', true]]);
    expect(grids[1]?.tiles).toBe('https://gis.example/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=img&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX=web:{z}&TILEROW={y}&TILECOL={x}');
  });

  it('fills the places of a template, with the service’s default for a time', () => {
    expect(found?.layers[2]?.grids[0]?.tiles).toBe('https://gis.example/day/s/w/web:{z}/{y}/{x}.png?time=current');
  });

  it('of CGCS2000 alone goes by our server', () => {
    const layer = found?.layers[1];
    if (!found || !layer) throw new Error('no layer');
    expect(offer(found, layer, AT, { ...WAY, way: { allowed: true, key: false } }).extra).toMatchObject({ kind: 'wmts', served: true, grid: 'c', style: 'd', tiles: '' });
  });
});

describe('names', () => {
  it.each([['urn:ogc:def:crs:EPSG::4490', 'EPSG:4490'], ['urn:ogc:def:crs:OGC:1.3:CRS84', 'OGC:CRS84'], ['http://www.opengis.net/def/crs/EPSG/0/3857', 'EPSG:3857'], ['EPSG:900913', 'EPSG:900913']])('%s is %s', (name, code) => expect(crsCode(name)).toBe(code));

  it('finds the number a map was approved under', () => {
    expect(approvalNumber('国家地理信息公共服务平台 审图号：GS(2023)336号 甲测资字1100471')).toBe('GS(2023)336号');
    expect(approvalNumber('no such thing')).toBe('');
  });
});

it('anything else is no map', () => expect(readCapabilities(parse('<html><body/></html>'), AT)).toBeNull());
