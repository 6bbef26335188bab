"""Prepares maps: which style layers are drawn from which statements, in which order."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
from cachetools import LRUCache

from cim_models.database import Connection
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.coverage import frame_at, read_frames
from layers.drawing import StyleLayer, read_styles
from layers.query import Selection
from layers.ramps import ramp_of
from layers.style import SLOT_OF, SLOTS, Mode
from layers.view import NOW
from tiles.map.ground import Ground
from tiles.map.kit import Kit
from tiles.map.overviews import known_overviews
from tiles.map.picture import LABEL_ROOM, Cells, Drawing, Relief, Shapes
from tiles.map.request import MapLayer, MapRequest
from tiles.map.scale import zoom_of
from tiles.map.sources import Drawn, Group, Place, Wanted, statement
from tiles.matrix import PIXELS
from tiles.overview.recipe import TOP_ZOOM
from tiles.terrain import Terrain, read_terrain

# Up to this zoom a map may hold more objects than it can show.
CROWDED_ZOOM = 14
# Objects of a group in a picture of a tile's size, and in any.
MOST_A_TILE, MOST = 20_000, 400_000
# Statements that are kept.
KEPT = 2_048


class Painter:
    """Prepares the maps of one city; what it has prepared it keeps until the catalogue says something else."""

    def __init__(self, kit: Kit, files: Path) -> None:
        """files: the city's folder, in which its rasters are."""
        self._kit = kit
        self._files = files
        self._catalog: Catalog | None = None
        self._styles: dict[tuple[str, Mode], list[StyleLayer]] = {}
        self._groups: dict[tuple[str, Mode, float], list[tuple[int, Group]]] = {}
        self._statements: LRUCache[Any, str] = LRUCache(KEPT)

    async def drawing(
        self, connection: Connection, request: MapRequest, catalog: Catalog, principal: Principal
    ) -> Drawing:
        """A map ready to be drawn in a thread.

        Raises LayerNotFound, FilterError, StyleError, NoWay for a CRS that cannot be reached from the city's.
        """
        self._adopt(catalog)
        zoom = zoom_of(request, catalog)
        ground = Ground(request, catalog)
        layers = [catalog.layer(shown.layer.id, principal) for shown in request.layers]
        plain = [
            layer for layer, shown in zip(layers, request.layers, strict=True) if _is_plain(shown, catalog, principal)
        ]
        known: set[str] = set()
        if plain and zoom < TOP_ZOOM + 1:
            known = await known_overviews(connection, plain, catalog, int(zoom), ground.web(LABEL_ROOM))
        steps: list[tuple[tuple[int, ...], Shapes | Relief | Cells]] = []
        for number, (layer, shown) in enumerate(zip(layers, request.layers, strict=True)):
            terrain: Terrain | None = None
            place = Place(request.known_crs, int(zoom) if layer.id in known else None, zoom <= CROWDED_ZOOM)
            wanted = Wanted(Selection(layer, shown.view, shown.filter), catalog, principal, place, _most(request))
            for slot, group in self._groups_of(layer, shown.mode, catalog, zoom):
                style = group.parts[0].style
                order = _order(request, number, slot)
                if style.type == "hillshade":
                    terrain = terrain or await read_terrain(connection, catalog, principal, self._files, shown.view)
                    steps.append((order, Relief(terrain, group.parts[0])))
                elif layer.theme.table == "coverage":
                    frames = await read_frames(
                        connection, layer, catalog, principal, folder=self._files, view=shown.view
                    )
                    if (frame := frame_at(frames, shown.view.valid, datetime.now(UTC))) is not None:
                        steps.append((order, Cells(frame, ramp_of(layer), shown.mode, group.parts[0])))
                elif not layer.is_raster:
                    name = f"{shown.style}/{layer.id}/{zoom}"
                    steps.append((order, Shapes(name, group, self._statement(group, wanted), place)))
        steps.sort(key=lambda step: step[0])
        return Drawing(request, tuple(step for _, step in steps), ground, zoom, self._kit)

    def _adopt(self, catalog: Catalog) -> None:
        """Take a newer catalogue; if it says something else, nothing that was prepared holds."""
        if catalog is not self._catalog:
            if catalog != self._catalog:
                self._styles.clear()
                self._groups.clear()
                self._statements.clear()
                self._kit.clear()
            self._catalog = catalog

    def _groups_of(self, layer: Layer, mode: Mode, catalog: Catalog, zoom: float) -> list[tuple[int, Group]]:
        """What a layer draws at a zoom, with the slots of it."""
        key = layer.id, mode, zoom
        found = self._groups.get(key)
        if found is None:
            if (styles := self._styles.get(key[:2])) is None:
                styles = self._styles[key[:2]] = list(read_styles(layer, mode, catalog))
            found = self._groups[key] = list(_grouped(layer, styles, zoom))
        return found

    def _statement(self, group: Group, wanted: Wanted) -> str:
        selection = wanted.selection
        grant = wanted.catalog.grant(selection.layer, wanted.principal)
        filters = [selection.filter and selection.filter.tree, grant and grant.row_filter]
        key = (id(group), wanted.place, selection.view, orjson.dumps(filters, option=orjson.OPT_SORT_KEYS), wanted.most)
        sql = self._statements.get(key)
        if sql is None:
            sql = self._statements[key] = statement(group, wanted)
        return sql


def _grouped(layer: Layer, styles: list[StyleLayer], zoom: float) -> Iterator[tuple[int, Group]]:
    if zoom < layer.min_zoom:
        return
    drawn = [
        Drawn(style, style.tree(zoom, layer.theme.geometry))
        for style in styles
        # What is drawn of the world outside the elevation hides only what the viewer makes up there.
        if style.of is None and style.shows_at(zoom)
    ]
    for slot, parts in groupby(drawn, key=lambda part: _slot(part.style)):
        shapes = [part for part in parts if part.tree is not None]
        for is_alone, some in groupby(shapes, key=lambda part: part.is_alone):
            if is_alone:
                yield from ((slot, Group((part,))) for part in some)
            else:
                yield slot, Group(tuple(some))


def _slot(style: StyleLayer) -> int:
    return SLOTS.index(style.slot or SLOT_OF[style.type])


def _order(request: MapRequest, number: int, slot: int) -> tuple[int, ...]:
    if request.stacked:
        is_label = slot == SLOTS.index("label")
        return is_label, number, slot
    return slot, number


def _is_plain(shown: MapLayer, catalog: Catalog, principal: Principal) -> bool:
    """Whether a layer is asked for as nearly everyone does: as it is now, all of it."""
    grant = catalog.grant(shown.layer, principal)
    return shown.view == NOW and shown.filter is None and grant is not None and grant.row_filter is None


def _most(request: MapRequest) -> int:
    tiles = max(1.0, request.width * request.height / (PIXELS * PIXELS * request.scale_factor**2))
    return int(min(MOST, MOST_A_TILE * tiles))
