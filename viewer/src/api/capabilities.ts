/** What a WMS (OGC 01-068r3, 06-042) or a WMTS (OGC 07-057r7) says of its layers. Pure; the XML is parsed by the caller. */

/** A layer that a service offers, and how it can be drawn here. */
export interface OfferedLayer {
  readonly name: string;
  readonly title: string;
  readonly styles: readonly OfferedStyle[];
  /** CRS codes (WMS) or grids (WMTS). */
  readonly grids: readonly OfferedGrid[];
  readonly formats: readonly string[];
  readonly attribution: string;
}

export interface OfferedStyle {
  readonly name: string;
  readonly legend: string;
}

export interface OfferedGrid {
  /** "EPSG:4490" for a WMS, the identifier of a TileMatrixSet for a WMTS. */
  readonly name: string;
  readonly crs: string;
  /** Whether the browser can draw it as it is. */
  readonly isWeb: boolean;
  /** Address of tiles with {z}, {x}, {y}, where the grid is the web's own. */
  readonly tiles: string;
}

export interface Capabilities {
  readonly kind: 'wms' | 'wmts';
  readonly title: string;
  readonly version: string;
  /** Where maps are asked for. */
  readonly address: string;
  readonly layers: readonly OfferedLayer[];
  /** 审图号 of the maps, if the service names one. */
  readonly approval: string;
}

const WEB = new Set(['EPSG:3857', 'EPSG:900913', 'EPSG:102100', 'EPSG:102113', 'EPSG:3785']);
const XLINK = 'http://www.w3.org/1999/xlink';
// 审图号：GS(2024)0650号, 浙S(2023)12号 and the like: the number under which a map was approved for publication in China.
const APPROVAL = /审图号[:：\s]*([^\s,，;；。<]{1,6}[（(]\s*\d{4}\s*[)）]\s*[\w-]+\s*号?)/;

/** The approval number of a map that stands anywhere in a text; empty if none does. */
export function approvalNumber(text: string): string {
  return APPROVAL.exec(text)?.[1] ?? '';
}

/** Reads a capabilities document; null if it is none. at: the address it came from. */
export function readCapabilities(document: Document, at: string): Capabilities | null {
  const root = document.documentElement;
  const name = root?.localName;
  if (name === 'WMS_Capabilities' || name === 'WMT_MS_Capabilities') return readWms(root, at);
  return name === 'Capabilities' && one(root, 'Contents') ? readWmts(root, at) : null;
}

function readWms(root: Element, at: string): Capabilities {
  const version = root.getAttribute('version')?.startsWith('1.3') ? '1.3.0' : '1.1.1';
  const capability = one(root, 'Capability');
  const service = one(root, 'Service');
  const getMap = capability && one(capability, 'Request', 'GetMap');
  const get = getMap && one(getMap, 'DCPType', 'HTTP', 'Get', 'OnlineResource');
  const formats = getMap ? all(getMap, 'Format').map(textOf) : [];
  const layers: OfferedLayer[] = [];
  const walk = (element: Element, crs: readonly string[], attribution: string, styles: readonly OfferedStyle[]): void => {
    const own = [...all(element, 'CRS'), ...all(element, 'SRS')].flatMap((each) => textOf(each).split(/\s+/));
    const inherited = [...new Set([...crs, ...own.filter(Boolean)])];
    const source = text(element, 'Attribution', 'Title') || attribution;
    const named = [...all(element, 'Style').map(wmsStyle), ...styles];
    const layer = text(element, 'Name');
    if (layer !== '') {
      const grids = inherited.map((code) => ({ name: code, crs: code, isWeb: WEB.has(code), tiles: '' }));
      layers.push({ name: layer, title: text(element, 'Title') || layer, styles: named, grids, formats, attribution: source });
    }
    for (const child of all(element, 'Layer')) walk(child, inherited, source, named);
  };
  for (const top of capability ? all(capability, 'Layer') : []) walk(top, [], '', []);
  return {
    kind: 'wms',
    title: service ? text(service, 'Title') : '',
    version,
    address: asAddress(get ? (get.getAttributeNS(XLINK, 'href') ?? '') : '', at),
    layers,
    approval: approvalNumber(service?.textContent ?? ''),
  };
}

function wmsStyle(element: Element): OfferedStyle {
  const legend = one(element, 'LegendURL', 'OnlineResource');
  return { name: text(element, 'Name'), legend: legend?.getAttributeNS(XLINK, 'href') ?? '' };
}

interface MatrixSet {
  readonly crs: string;
  /** What stands before the zoom in the matrices' names, if each is the web's own of that zoom; else null. */
  readonly prefix: string | null;
}

function readWmts(root: Element, at: string): Capabilities {
  const contents = one(root, 'Contents');
  const service = one(root, 'ServiceIdentification');
  const sets = new Map((contents ? all(contents, 'TileMatrixSet') : []).map((set) => [text(set, 'Identifier'), matrixSet(set)]));
  const address = getTile(root, at);
  const layers = (contents ? all(contents, 'Layer') : []).map((layer) => wmtsLayer(layer, sets, address));
  return {
    kind: 'wmts',
    title: service ? text(service, 'Title') : '',
    version: '1.0.0',
    address,
    layers: layers.filter((layer) => layer.name !== ''),
    approval: approvalNumber(service?.textContent ?? ''),
  };
}

function wmtsLayer(layer: Element, sets: ReadonlyMap<string, MatrixSet>, address: string): OfferedLayer {
  const name = text(layer, 'Identifier');
  const elements = all(layer, 'Style').sort((a, b) => Number(b.getAttribute('isDefault') === 'true') - Number(a.getAttribute('isDefault') === 'true'));
  const styles = elements.map((style) => ({ name: text(style, 'Identifier'), legend: one(style, 'LegendURL')?.getAttributeNS(XLINK, 'href') ?? '' }));
  const formats = all(layer, 'Format').map(textOf);
  const format = formats.find((each) => each === 'image/png') ?? formats[0] ?? 'image/png';
  const resources = all(layer, 'ResourceURL').filter((each) => each.getAttribute('resourceType') === 'tile');
  const dimensions = Object.fromEntries(all(layer, 'Dimension').map((each) => [text(each, 'Identifier'), text(each, 'Default')]));
  const resource = resources.find((each) => each.getAttribute('format') === format) ?? resources[0];
  const grids = all(layer, 'TileMatrixSetLink').flatMap((link): OfferedGrid[] => {
    const grid = text(link, 'TileMatrixSet');
    const set = sets.get(grid);
    if (!set) return [];
    const isWeb = set.prefix !== null && WEB.has(set.crs);
    const named = { layer: name, style: styles[0]?.name ?? '', grid, format, prefix: set.prefix ?? '', dimensions };
    const tiles = isWeb ? tileTemplate(resource?.getAttribute('template') ?? '', address, named) : '';
    return [{ name: grid, crs: set.crs, isWeb, tiles }];
  });
  return { name, title: text(layer, 'Title') || name, styles, grids, formats, attribution: '' };
}

interface Named {
  readonly layer: string;
  readonly style: string;
  readonly grid: string;
  readonly format: string;
  readonly prefix: string;
  /** Further places of a template, such as a time, with what the service takes by default. */
  readonly dimensions: Readonly<Record<string, string>>;
}

function tileTemplate(template: string, address: string, { layer, style, grid, format, prefix, dimensions }: Named): string {
  const base =
    template ||
    `${address}${address.includes('?') ? (/[?&]$/.test(address) ? '' : '&') : '?'}SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=${encodeURIComponent(layer)}` +
      `&STYLE=${encodeURIComponent(style)}&TILEMATRIXSET=${encodeURIComponent(grid)}&FORMAT=${format}&TILEMATRIX={TileMatrix}&TILEROW={TileRow}&TILECOL={TileCol}`;
  const filled: Readonly<Record<string, string>> = {
    ...dimensions,
    Layer: layer,
    Style: style,
    TileMatrixSet: grid,
    TileMatrix: `${prefix}{z}`,
    TileRow: '{y}',
    TileCol: '{x}',
  };
  return base.replace(/\{(\w+)\}/g, (whole, key: string) => {
    const known = Object.keys(filled).find((each) => each.toLowerCase() === key.toLowerCase());
    return known === undefined ? whole : (filled[known] ?? whole);
  });
}

// Scale of zoom 0 of the web's grid with 256 pixels (OGC 17-083r4, annex D.1).
const WEB_SCALE = 559082264.0287178;

function matrixSet(set: Element): MatrixSet {
  const crs = crsCode(text(set, 'SupportedCRS'));
  const matrices = all(set, 'TileMatrix');
  const prefixes = new Set(
    matrices.map((matrix) => {
      const id = text(matrix, 'Identifier');
      const zoom = /\d+$/.exec(id)?.[0] ?? '';
      const scale = Number(text(matrix, 'ScaleDenominator'));
      const fits = zoom !== '' && Math.abs(scale / (WEB_SCALE / 2 ** Number(zoom)) - 1) < 1e-3 && text(matrix, 'TileWidth') === '256';
      return fits ? id.slice(0, id.length - zoom.length) : null;
    }),
  );
  const [prefix = null] = prefixes;
  return { crs, prefix: prefixes.size === 1 ? prefix : null };
}

/** "EPSG:4490" of "urn:ogc:def:crs:EPSG::4490" and of an address; the text itself where it is neither. */
export function crsCode(name: string): string {
  const parts = /(?:crs[:/])(EPSG|OGC)[:/][\d.]*[:/](\w+)$/i.exec(name);
  return parts ? `${parts[1]?.toUpperCase()}:${parts[2]}` : name;
}

function getTile(root: Element, at: string): string {
  const metadata = one(root, 'OperationsMetadata');
  const operation = (metadata ? all(metadata, 'Operation') : []).find((each) => each.getAttribute('name') === 'GetTile');
  const http = operation && one(operation, 'DCP', 'HTTP');
  const gets = http ? all(http, 'Get') : [];
  const kvp = gets.find((get) => !get.textContent?.includes('RESTful')) ?? gets[0];
  return asAddress(kvp?.getAttributeNS(XLINK, 'href') ?? '', at);
}

/** An address in a document, whole; a service behind TLS that names itself without it is asked as it was reached. */
function asAddress(written: string, at: string): string {
  try {
    const found = new URL(written || at, at);
    const from = new URL(at);
    if (found.protocol === 'http:' && from.protocol === 'https:') found.protocol = 'https:';
    if (written === '') found.search = '';
    return found.href;
  } catch {
    return at;
  }
}

function children(element: Element): Element[] {
  return [...Array.from(element.childNodes)].filter((node): node is Element => node.nodeType === 1);
}

function all(element: Element, name: string): Element[] {
  return children(element).filter((child) => child.localName === name);
}

function one(element: Element, ...path: readonly string[]): Element | undefined {
  let found: Element | undefined = element;
  for (const name of path) found = found && all(found, name)[0];
  return found;
}

function text(element: Element, ...path: readonly string[]): string {
  const found = one(element, ...path);
  return found ? textOf(found) : '';
}

function textOf(element: Element): string {
  return (element.textContent ?? '').trim();
}
