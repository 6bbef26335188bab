"""The tile matrix sets that another WMTS describes in its capabilities (OGC 07-057r7, 6.1 and 7.1)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote
from xml.etree import ElementTree

from layers.crs import Crs, UnknownCrs, parse_crs, transform_box
from tiles.matrix import Box
from tiles.remote import RemoteFailed

WMTS = "{http://www.opengis.net/wmts/1.0}"
OWS = "{http://www.opengis.net/ows/1.1}"
XLINK = "{http://www.w3.org/1999/xlink}"
# A pixel of the standard's screen (6.1).
PIXEL_M = 0.28e-3
SIZES = ("TileWidth", "TileHeight", "MatrixWidth", "MatrixHeight")


@dataclass(frozen=True)
class Matrix:
    """One zoom. left, top: the corner, x (east) and y (north); pixel: its side; both in units of the CRS."""

    id: str
    pixel: float
    left: float
    top: float
    tile_width: int
    tile_height: int
    columns: int
    rows: int

    def tiles(self, box: Box) -> tuple[range, range]:
        """Columns and rows that a box touches."""
        west, south, east, north = box
        across, down = self.pixel * self.tile_width, self.pixel * self.tile_height
        first, last = math.floor((west - self.left) / across), math.ceil((east - self.left) / across)
        upper, lower = math.floor((self.top - north) / down), math.ceil((self.top - south) / down)
        return range(max(0, first), min(self.columns, last)), range(max(0, upper), min(self.rows, lower))

    def box(self, columns: range, rows: range) -> Box:
        """What a block of tiles covers."""
        across, down = self.pixel * self.tile_width, self.pixel * self.tile_height
        return (
            self.left + columns.start * across,
            self.top - rows.stop * down,
            self.left + columns.stop * across,
            self.top - rows.start * down,
        )


@dataclass(frozen=True)
class MatrixSet:
    """A grid. address: where its tiles are, with {TileMatrix}, {TileCol}, {TileRow}. matrices: coarsest first."""

    crs: Crs
    address: str
    matrices: tuple[Matrix, ...]

    def best(self, pixel: float) -> Matrix:
        """The coarsest matrix whose pixels are no larger than `pixel`, with a little patience; else the finest."""
        return next((each for each in self.matrices if each.pixel <= 1.1 * pixel), self.matrices[-1])


def read_matrix_set(body: bytes, *, url: str, layer: str, style: str, matrix_set: str, form: str) -> MatrixSet:
    """A layer's grid out of the capabilities found at `url`. Raises RemoteFailed."""
    # A document type can hold entities without end, and no WMTS needs one.
    if b"<!DOCTYPE" in body[:4096] or b"<!ENTITY" in body:
        raise RemoteFailed("the capabilities have a document type, which is not read")
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise RemoteFailed(f"the capabilities are no XML: {error}") from None
    contents = root.find(f"{WMTS}Contents")
    if contents is None:
        raise RemoteFailed("the answer is no WMTS capabilities document")
    found = next((each for each in contents.findall(f"{WMTS}Layer") if _text(each, f"{OWS}Identifier") == layer), None)
    grid = next(
        (each for each in contents.findall(f"{WMTS}TileMatrixSet") if _text(each, f"{OWS}Identifier") == matrix_set),
        None,
    )
    if found is None or grid is None:
        raise RemoteFailed(f"the service has no layer {layer!r} in a grid {matrix_set!r}")
    try:
        crs = parse_crs(_text(grid, f"{OWS}SupportedCRS"))
        matrices = sorted((_matrix(each, crs) for each in grid.findall(f"{WMTS}TileMatrix")), key=lambda m: -m.pixel)
    except (UnknownCrs, ValueError) as error:
        raise RemoteFailed(f"the grid {matrix_set!r} cannot be read: {error}") from None
    if not matrices:
        raise RemoteFailed(f"the grid {matrix_set!r} has no tile matrices")
    address = _address(root, found, url, {"Layer": layer, "Style": style, "TileMatrixSet": matrix_set}, form)
    return MatrixSet(crs, address, tuple(matrices))


def _matrix(element: ElementTree.Element, crs: Crs) -> Matrix:
    """Raises ValueError."""
    pixel = float(_text(element, f"{WMTS}ScaleDenominator")) * PIXEL_M / crs.metres_per_unit
    first, second = (float(part) for part in _text(element, f"{WMTS}TopLeftCorner").split())
    left, top = _corner(first, second, crs)
    numbers = [int(_text(element, f"{WMTS}{name}")) for name in SIZES]
    if not (0 < pixel < math.inf and math.isfinite(left) and math.isfinite(top)):
        raise ValueError("a scale or a corner is out of range")
    if not all(0 < number <= 2**31 for number in numbers) or max(numbers[:2]) > 1024:
        raise ValueError("tiles or their number are out of range")
    return Matrix(_text(element, f"{OWS}Identifier"), pixel, left, top, *numbers)


def _corner(first: float, second: float, crs: Crs) -> tuple[float, float]:
    """x (east), y (north) of a corner in the CRS's own order; in the other one where only that is the upper left."""
    own, other = ((second, first), (first, second)) if crs.north_first else ((first, second), (second, first))
    west, _, _, north = crs.area if crs.is_geographic else transform_box(crs.area, parse_crs("OGC:CRS84"), crs)

    def is_upper_left(corner: tuple[float, float]) -> bool:
        return corner[0] <= west + 1e-6 and corner[1] >= north - 1e-6

    return other if is_upper_left(other) and not is_upper_left(own) else own


def _address(root: ElementTree.Element, layer: ElementTree.Element, url: str, named: dict[str, str], form: str) -> str:
    """Where the tiles are: by the layer's template, else by key and value at the service's own address."""
    for resource in layer.findall(f"{WMTS}ResourceURL"):
        if resource.get("resourceType") == "tile" and resource.get("format", form) == form:
            # A template may have further places, such as a time: the service's own default goes there (6.1, table 6).
            further = {_text(each, f"{OWS}Identifier"): _default(each) for each in layer.findall(f"{WMTS}Dimension")}
            return _filled(resource.get("template", ""), further | named)
    get = next(_get_tile(root), url.partition("?")[0])
    given = {**named, "Format": form, "Request": "GetTile", "Service": "WMTS", "Version": "1.0.0"}
    query = "&".join(f"{name}={_quoted(value)}" for name, value in given.items())
    join = "" if get.endswith(("?", "&")) else "&" if "?" in get else "?"
    return f"{get}{join}{query}&TileMatrix={{TileMatrix}}&TileRow={{TileRow}}&TileCol={{TileCol}}"


def _get_tile(root: ElementTree.Element) -> Iterator[str]:
    for operation in root.iterfind(f"{OWS}OperationsMetadata/{OWS}Operation[@name='GetTile']"):
        for get in operation.iterfind(f"{OWS}DCP/{OWS}HTTP/{OWS}Get"):
            # A service may list its other encoding first (07-057r7, table 17); without a word on it, it is KVP.
            ways = [value.text for value in get.iter(f"{OWS}Value")]
            if not ways or "KVP" in ways:
                yield get.get(f"{XLINK}href", "")


def _filled(template: str, named: dict[str, str]) -> str:
    for name, value in named.items():
        for written in (name, name.lower()):
            template = template.replace(f"{{{written}}}", _quoted(value))
    return template


def _default(dimension: ElementTree.Element) -> str:
    return (dimension.findtext(f"{WMTS}Default") or "default").strip()


def _quoted(value: str) -> str:
    return quote(value, safe=":/")


def _text(element: ElementTree.Element, name: str) -> str:
    """Raises RemoteFailed."""
    found = element.findtext(name)
    if found is None:
        raise RemoteFailed(f"the capabilities lack {name.rpartition('}')[2]}")
    return found.strip()
