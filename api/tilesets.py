"""Tile sets: which there are, what each holds and where its tiles lie (OGC API Tiles, 8 to 10), and their TileJSON."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from api.answers import Language, json_answer, language, said
from api.city import around
from api.documentation import described
from api.exchange import city, exchange
from api.links import JSON, MVT, Link, link, same_query
from api.matrices import JSON_ONLY, address_of, grid_named, scheme_link
from api.pages import city_title
from api.parameters import Parameter, Query
from api.routing import PartRouter
from api.tiles import (
    COLLECTIONS,
    FAMILIES,
    PICTURES,
    TILE_PARAMETERS,
    chosen_layers,
    map_layers,
    operation,
    style_named,
)
from api.views import take_filter, take_view
from cim_models.theme import Attribute
from layers.catalog import Catalog, Layer
from layers.crs import CRS84
from layers.query import Selection, rows
from layers.style import MODES, Mode
from tiles.drawn import drawn_properties
from tiles.limits import Limits, limits_of
from tiles.matrix import MAP_PIXELS, WEB, Grid, grids_of

CONFORMANCE = (
    *(
        f"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/{part}"
        for part in (
            "core",
            "tileset",
            "tilesets-list",
            "dataset-tilesets",
            "geodata-tilesets",
            "collections-selection",
            "datetime",
            "oas30",
            "mvt",
            "png",
            "jpeg",
        )
    ),
    *(
        f"http://www.opengis.net/spec/tms/2.0/conf/{part}"
        for part in (
            "tilematrixset",
            "tilematrixsetlimits",
            "tilesetmetadata",
            "json-tilematrixset",
            "json-tilematrixsetlimits",
            "json-tilesetmetadata",
        )
    ),
)
# Beyond it a viewer enlarges vector tiles: a unit of the tile is 15 cm there.
LAST_VECTOR_ZOOM = 16
FIELD_TYPES = {"text": "String", "integer": "Number", "number": "Number", "boolean": "Boolean"}
SCHEMA_TYPES = {"text": "string", "integer": "integer", "number": "number", "boolean": "boolean"}
DIMENSIONS = {"MultiPolygon": 2, "LineString": 1, "Point": 0}
RELATION = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-"

router = PartRouter(tags=["Tiles"])
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True)
class Family:
    """Tile sets of one content: the city's or one layer's, vector or map, in every grid.

    address: what stands before /tiles. style: of a map. query: with which the tiles are asked for, as the list was.
    """

    request: Request
    catalog: Catalog
    layers: list[Layer]
    address: str
    title: str
    style: Mode | None

    @property
    def is_map(self) -> bool:
        return self.style is not None

    @property
    def base(self) -> str:
        return exchange(self.request).base

    @property
    def spoken(self) -> Language:
        return language(self.request)

    def tileset(self, grid: Grid) -> str:
        return f"{self.base}{self.address}/tiles/{grid.id}"

    def zooms(self, grid: Grid) -> tuple[int, int]:
        """The first and last zoom that the grid has tiles of."""
        first = min((layer.min_zoom for layer in self.layers), default=0) - grid.detail
        last = max((layer.max_zoom for layer in self.layers), default=WEB.last) - grid.detail
        return max(first, grid.first), min(last, grid.last)


def tileset_links(address: str, title: str) -> list[Link]:
    """What a landing page or a collection says of its tile sets. address: of the city or the collection."""
    return [
        link(f"{RELATION}vector", f"{address}/tiles?f=json", JSON, f"Vector tiles of {title}"),
        link(f"{RELATION}map", f"{address}/map/tiles?f=json", JSON, f"Map tiles of {title}"),
    ]


async def _family(request: Request, query: Query, *, is_map: bool) -> Family:
    """What the address and the query of a request name. Raises LayerNotFound, StyleNotFound, BadRequest."""
    catalog, principal = await city(request).catalog(), exchange(request).principal
    layer_id, style_id = (request.path_params.get(name) for name in ("layer_id", "style_id"))
    choose = map_layers if is_map else chosen_layers
    layers = choose(query, catalog, principal, layer_id)
    address = f"/collections/{layers[0].id}" if layer_id is not None else ""
    if style_id is not None:
        address += f"/styles/{style_named(style_id)}"
    title = layers[0].title if layer_id is not None else city_title(catalog)
    style = (style_named(style_id) if style_id is not None else MODES[0]) if is_map else None
    return Family(request, catalog, layers, address + "/map" * is_map, said(title, language(request)), style)


def _list(is_map: bool) -> Handler:
    async def tilesets(request: Request) -> Response:
        """The tile sets there are, one for each grid."""
        query = Query(request)
        query.take(JSON_ONLY)
        family = await _family(request, query, is_map=is_map)
        query.finish()
        found = []
        for grid in grids_of(family.catalog.city).values():
            address = same_query(request, family.tileset(grid), f="json")
            links = [link("self", address, JSON, said(grid.title, family.spoken)), scheme_link(grid, family.base)]
            found.append(_about(family, grid) | {"links": links})
        own = same_query(request, f"{family.base}{family.address}/tiles", f="json")
        return json_answer({"links": [link("self", own, JSON, family.title)], "tilesets": found})

    return tilesets


def _one(is_map: bool) -> Handler:
    async def tileset(request: Request) -> Response:
        """One tile set: its layers, its limits, and how its tiles are addressed."""
        query = Query(request)
        query.take(JSON_ONLY)
        family = await _family(request, query, is_map=is_map)
        query.finish()
        grid = grid_named(request.path_params["tile_matrix_set_id"], family.catalog)
        return json_answer(_metadata(family, grid))

    return tileset


def _tilejson(is_map: bool) -> Handler:
    async def tilejson(request: Request) -> Response:
        """TileJSON 3.0 of one tile set; in another grid than the web's it names the grid."""
        query = Query(request)
        family = await _family(request, query, is_map=is_map)
        # Checked here, so that a fault shows once and not with every tile; the tiles are asked with the same words.
        view, wanted = take_view(query, family.catalog), take_filter(query, family.catalog)
        query.finish()
        for layer in family.layers:
            rows(Selection(layer, view, wanted), family.catalog, exchange(request).principal)
        grid = grid_named(request.path_params["tile_matrix_set_id"], family.catalog)
        return json_answer(_tilejson_document(family, grid))

    return tilejson


def _about(family: Family, grid: Grid) -> dict[str, Any]:
    """What a list says of a tile set (OGC 17-083r4, table 15)."""
    return {
        "title": f"{family.title} ({said(grid.title, family.spoken)})",
        "dataType": "map" if family.is_map else "vector",
        "crs": grid.crs.uri,
        "tileMatrixSetURI": address_of(grid, family.base),
        "tileMatrixSetId": grid.id,
    }


def _metadata(family: Family, grid: Grid) -> dict[str, Any]:
    first, last = family.zooms(grid)
    document = _about(family, grid) | {
        "attribution": "; ".join(dict.fromkeys(name for layer in family.layers for name in layer.attribution)),
        "layers": [_layer(layer, family, grid) for layer in family.layers],
        "links": _links(family, grid),
    }
    if (box := around(family.layers)) is not None:
        document["boundingBox"] = _bounding_box(box)
        document["centerPoint"] = {"coordinates": [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2], "crs": CRS84.uri}
        document["tileMatrixSetLimits"] = [
            _limits(zoom, limits)
            for zoom in range(first, last + 1)
            if (limits := limits_of(grid, zoom, family.layers)) is not None
        ]
    if family.style is not None:
        document["style"] = {"id": family.style, "title": family.style.title()}
    return document


def _limits(zoom: int, limits: Limits) -> dict[str, Any]:
    x0, y0, x1, y1 = limits
    return {"tileMatrix": str(zoom), "minTileRow": y0, "maxTileRow": y1, "minTileCol": x0, "maxTileCol": x1}


def _bounding_box(box: tuple[float, float, float, float]) -> dict[str, Any]:
    west, south, east, north = box
    axes = [axis.abbrev for axis in CRS84.proj.axis_info]
    return {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84.uri, "orderedAxes": axes}


def _links(family: Family, grid: Grid) -> list[Link]:
    request, address, title = family.request, family.tileset(grid), family.title
    kinds = dict(PICTURES) if family.is_map else {"mvt": MVT}
    tile = f"{address}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    query = {name: value for name, value in request.query_params.items() if name != "f"}
    more = "".join(f"&{name}={value}" for name, value in query.items())
    return [
        link("self", same_query(request, address, f="json"), JSON, title),
        scheme_link(grid, family.base),
        *(
            link("item", f"{tile}?f={name}{more}", kind, f"Tiles of {title}") | {"templated": True}
            for name, kind in kinds.items()
        ),
        link("describedby", f"{address}/tilejson.json", JSON, "TileJSON"),
    ]


def _layer(layer: Layer, family: Family, grid: Grid) -> dict[str, Any]:
    """One layer of a tile set (OGC 17-083r4, table 17)."""
    found: dict[str, Any] = {
        "id": layer.id,
        "title": said(layer.title, family.spoken),
        "dataType": "map" if family.is_map else "vector",
        "minTileMatrix": str(max(layer.min_zoom - grid.detail, grid.first)),
        "maxTileMatrix": str(min(layer.max_zoom - grid.detail, grid.last)),
        "links": [link("related", f"{family.base}/collections/{layer.id}?f=json", JSON, layer.title.en)],
    }
    if layer.theme.geometry in DIMENSIONS:
        found["geometryDimension"] = DIMENSIONS[layer.theme.geometry]
    if layer.extent is not None:
        found["boundingBox"] = _bounding_box(layer.extent)
    if not family.is_map:
        properties = {attribute.name: _schema(attribute, family.spoken) for attribute in drawn_properties(layer)}
        found["propertiesSchema"] = {"type": "object", "properties": properties}
    return found


def _schema(attribute: Attribute, spoken: Language) -> dict[str, Any]:
    title = attribute.zh if spoken == "zh" else attribute.en
    told = {"title": title, "type": SCHEMA_TYPES[attribute.type]}
    return told | {"x-ogc-unit": attribute.unit} if attribute.unit else told


def _tilejson_document(family: Family, grid: Grid) -> dict[str, Any]:
    first, last = family.zooms(grid)
    if not family.is_map:
        last = min(last, LAST_VECTOR_ZOOM - grid.detail)
    address = f"{family.tileset(grid)}/{{z}}/{{y}}/{{x}}"
    document: dict[str, Any] = {
        "tilejson": "3.0.0",
        "name": family.title,
        "scheme": "xyz",
        "tiles": [same_query(family.request, address)],
        "minzoom": first,
        "maxzoom": last,
        "attribution": "; ".join(dict.fromkeys(name for layer in family.layers for name in layer.attribution)),
    }
    if family.is_map:
        document["tileSize"] = MAP_PIXELS
    else:
        document["vector_layers"] = [_vector_layer(layer, grid, last) for layer in family.layers]
    if not grid.is_web:
        # TileJSON knows no other grid: who does reads of it here.
        document["crs"], document["tileMatrixSet"] = grid.crs.code, f"{family.base}/tileMatrixSets/{grid.id}"
    if (box := around(family.layers)) is not None:
        west, south, east, north = box
        document["bounds"] = box
        document["center"] = [(west + east) / 2, (south + north) / 2, min(12, last)]
    return document


def _vector_layer(layer: Layer, grid: Grid, last: int) -> Mapping[str, Any]:
    return {
        "id": layer.id,
        "description": layer.title.en,
        "minzoom": max(layer.min_zoom - grid.detail, grid.first),
        "maxzoom": last,
        "fields": {attribute.name: FIELD_TYPES[attribute.type] for attribute in drawn_properties(layer)},
    }


def _serve(of_layer: bool, is_map: bool, is_styled: bool) -> None:
    """The routes of one family of tile sets."""
    address = "/collections/{layer_id}" * of_layer + "/styles/{style_id}" * is_styled + "/map" * is_map + "/tiles"
    name = operation(of_layer, is_map, is_styled).removesuffix("getTile")
    chosen: tuple[Parameter[Any], ...] = () if of_layer else (COLLECTIONS,)
    one = f"{address}/{{tile_matrix_set_id}}"
    for path, handler, documentation in (
        (address, _list(is_map), described(f"{name}getTileSetsList", *chosen, JSON_ONLY)),
        (one, _one(is_map), described(f"{name}getTileSet", *chosen, JSON_ONLY)),
        (f"{one}/tilejson.json", _tilejson(is_map), described(f"{name}getTileJson", *chosen, *TILE_PARAMETERS)),
    ):
        router.add_api_route(path, handler, methods=["GET"], **documentation)


for _of_layer, _is_map, _is_styled in FAMILIES:
    _serve(_of_layer, _is_map, _is_styled)
