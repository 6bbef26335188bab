"""What a WMTS request names: a layer, a style, a tile of a grid, and the moment that is looked at."""

from dataclasses import dataclass

from api.errors import NotFound
from api.matrices import grid_named
from api.wms.call import Call
from api.wms.content import take_style
from api.wms.dimensions import take_time, take_view
from api.wms.names import WHOLE, layers_of
from api.wmts.faults import INVALID, MISSING, Fault
from layers.catalog import Layer
from layers.style import MODES, Mode
from layers.view import View
from tiles.map.request import Format
from tiles.matrix import Tile, TileOutOfRange, tile_at

# What tiles come as, and the ending of their addresses.
FORMATS: dict[Format, str] = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
# Tianditu's clients ask for what they call tiles.
OTHER_NAMES: dict[str, Format] = {"tiles": "image/png", "image/jpg": "image/jpeg", "image/png8": "image/png"}


@dataclass(frozen=True)
class TileAsked:
    """name: of the layer or group. layers: the undermost first."""

    name: str
    layers: tuple[Layer, ...]
    style: Mode
    tile: Tile
    view: View

    @property
    def is_whole_map(self) -> bool:
        return self.name == WHOLE


def take_tile(call: Call) -> TileAsked:
    """LAYER, STYLE, the tile and the dimensions (OGC 07-057r7, table 29). Raises Fault, TileOutOfRange."""
    kvp = call.kvp
    name = kvp.required("LAYER")
    layers = layers_of(name, call.catalog, call.principal)
    if "STYLE" not in kvp.values():
        raise Fault(MISSING, f"STYLE is missing: {' or '.join(MODES)}", "STYLE")
    style = take_style(kvp.get("STYLE"), "STYLE")
    try:
        grid = grid_named(kvp.required("TILEMATRIXSET"), call.catalog)
    except NotFound as error:
        raise Fault(INVALID, f"TILEMATRIXSET: {error}", "TILEMATRIXSET") from None
    zoom = kvp.required("TILEMATRIX")
    if not (zoom.isascii() and zoom.isdigit() and len(zoom) < 3 and grid.first <= int(zoom) <= grid.last):
        detail = f"TILEMATRIX={zoom[:40]!r}: {grid.id} has {grid.first} to {grid.last}"
        raise Fault(INVALID, detail, "TILEMATRIX")
    row, column = (_number(call, key) for key in ("TILEROW", "TILECOL"))
    try:
        tile = tile_at(int(zoom), column, row, grid)
    except TileOutOfRange as error:
        locator = "TILEROW" if row >= grid.rows(int(zoom)) else "TILECOL"
        raise Fault("TileOutOfRange", str(error), locator) from None
    view = take_view(kvp, call.catalog, take_time(kvp.get("TIME"), call.catalog.zone))
    return TileAsked(name, layers, style, tile, view)


def take_format(call: Call) -> Format:
    """FORMAT, in any case. Raises Fault."""
    asked = call.kvp.required("FORMAT")
    plain = asked.lower()
    found = next((kind for kind in FORMATS if kind == plain), None) or OTHER_NAMES.get(plain)
    if found is None:
        raise Fault(INVALID, f"FORMAT={asked[:60]!r}: tiles come as {', '.join(FORMATS)}", "FORMAT")
    return found


def _number(call: Call, name: str) -> int:
    text = call.kvp.required(name)
    if not (text.isascii() and text.isdigit()):
        raise Fault(INVALID, f"{name}={text[:40]!r}: a whole number from 0 on is wanted", name)
    # Longer than any row is counted: beyond every grid.
    return int(text[:12])
