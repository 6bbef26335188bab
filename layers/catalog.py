"""The catalogue: every layer of a city with its theme, source and typed properties, as one immutable snapshot."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from cim_models.database import City, Connection
from cim_models.theme import SHARED, Attribute, Theme
from cim_models.themes import THEMES
from layers import LayerError
from layers.access import Forbidden, Grant, Policy, Principal

LAYERS_SQL = """
    select l.id, l.theme, l.dataset_id, l.title_zh, l.title_en, l.description_zh, l.description_en, l."group",
           l.position, l.visible, l.filter, l.properties, l.style, l.min_zoom, l.max_zoom, l.restricted, l.version,
           d.extent, d.attribution, d.licence, d.sharing, d.made_up, d.schemas,
           own.run, own.times, l.published
    from layer l
    cross join lateral (
        select array[min(extent[1]), min(extent[2]), max(extent[3]), max(extent[4])] as extent,
               array_agg(distinct attribution) filter (where attribution is not null) as attribution,
               array_agg(distinct licence) filter (where licence is not null) as licence,
               array_agg(distinct sharing) as sharing,
               coalesce(bool_or(made_up), false) as made_up,
               jsonb_agg(properties) filter (where properties is not null) as schemas
        from dataset
        where loaded_at is not null and case
            when l.published is not null then dataset.id = l.dataset_id
            else l.theme = any(dataset.themes) and (l.dataset_id is null or dataset.id = l.dataset_id)
        end
    ) d
    left join dataset own on own.id = l.dataset_id
    order by l.position, l.id
"""
GENERIC = THEMES["generic_object"].layer
RASTERS = ("terrain", "coverage")
CODES_SQL = "select list, scheme, code, title_zh, title_en, color from code order by list, position"


class LayerNotFound(LayerError):
    """No such layer, or none that the principal may know of: both read the same."""


@dataclass(frozen=True)
class Title:
    zh: str
    en: str


@dataclass(frozen=True)
class Code:
    """A value of a code list; color is #rrggbb where the list has one."""

    title: Title
    color: str | None = None


@dataclass(frozen=True)
class Layer:
    """A window on a theme.

    properties: what it shows; whole: also whatever else the source gave. extent: west, south, east, north in the
    city's CRS, None while nothing is loaded. run: of which it is a result; such a layer is in maps and tiles of many
    layers only where it is named. times: of the states that a result has, in order. published: the table that it shows
    as it is; what others change in that is in no feed. read_with: a layer that who reads this one must be let read too.
    """

    id: str
    theme: Theme
    dataset_id: int | None
    title: Title
    description: Title | None
    group: str
    position: int
    visible: bool
    filter: Mapping[str, Any] | None
    properties: tuple[Attribute, ...]
    whole: bool
    style: Mapping[str, Any] | None
    min_zoom: int
    max_zoom: int
    restricted: bool
    version: int
    extent: tuple[float, float, float, float] | None
    attribution: tuple[str, ...]
    licence: tuple[str, ...]
    sharing: tuple[str, ...]
    made_up: bool
    run: str | None = None
    times: tuple[datetime, ...] = ()
    published: str | None = None
    read_with: str | None = None

    @property
    def is_raster(self) -> bool:
        """Whether it shows cells of files, not objects."""
        return self.theme.table in RASTERS

    @property
    def is_shown(self) -> bool:
        """Whether it belongs on a map of the whole city: results are too many for one, unless one is put there."""
        return self.run is None or self.visible

    @property
    def tells_whole(self) -> bool:
        """Whether what else the source gave is told as `attributes`; a generic object's are its properties already."""
        return self.whole and self.theme.layer != GENERIC

    def property(self, name: str) -> Attribute | None:
        return next((p for p in self.properties if p.name == name), None)


@dataclass(frozen=True)
class Catalog:
    """What a city holds at one moment: its layers, code lists, policy, and the ids of its plans."""

    city: City
    policy: Policy
    codes: Mapping[str, Mapping[str, Code]]
    plans: frozenset[int]
    _layers: Mapping[str, Layer]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.city.time_zone)

    def layers(self, principal: Principal) -> Iterator[Layer]:
        """The layers that `principal` may read, ground first."""
        for layer in self._layers.values():
            grant = self.grant(layer, principal)
            if grant is not None:
                yield self._as_granted(layer, grant)

    def layer(self, layer_id: str, principal: Principal) -> Layer:
        """Raises LayerNotFound, in the same words whether it is absent or hidden."""
        layer = self._layers.get(layer_id)
        grant = None if layer is None else self.grant(layer, principal)
        if layer is None or grant is None:
            raise LayerNotFound(f"no layer {layer_id!r} in {self.city.name}; /collections lists those there are")
        return self._as_granted(layer, grant)

    def whole_layer(self, layer_id: str, principal: Principal) -> Layer:
        """A layer for who may read all of it: what is not asked row by row must not tell of hidden rows.

        Raises LayerNotFound, Forbidden for who may read a part.
        """
        layer = self.layer(layer_id, principal)
        if not self.reads_whole(layer, principal):
            raise Forbidden(
                f"{principal.role} may read some of {layer_id} alone, and this tells of all; ask for the layer's items"
            )
        return layer

    def reads_whole(self, layer: Layer, principal: Principal) -> bool:
        """Whether `principal` may read every row of a layer."""
        grant = self.grant(layer, principal)
        return grant is not None and grant.row_filter is None

    def _as_granted(self, layer: Layer, grant: Grant) -> Layer:
        """The layer without word of where those rows lie that the grant leaves out: it may be anywhere in the city."""
        if grant.row_filter is None or layer.extent is None:
            return layer
        return replace(layer, extent=self._extent)

    @cached_property
    def _extent(self) -> tuple[float, float, float, float]:
        """What all open layers cover, west, south, east, north."""
        boxes = [layer.extent for layer in self._layers.values() if layer.extent and not layer.restricted]
        west, south, east, north = zip(*(boxes or [(-180.0, -90.0, 180.0, 90.0)]), strict=True)
        return min(west), min(south), max(east), max(north)

    def grant(self, layer: Layer, principal: Principal) -> Grant | None:
        """The grant by which `principal` reads `layer`; None where it may not, or not the one that it is read with."""
        if layer.read_with is not None:
            other = self._layers.get(layer.read_with)
            if other is None or not self.reads_whole(other, principal):
                return None
        return self.policy.grant(principal, "read", layer.id, restricted=layer.restricted)


async def load_catalog(connection: Connection, city: City) -> Catalog:
    """Read the catalogue in a few short queries; no query touches the objects."""
    codes: dict[str, dict[str, Code]] = {}
    for row in await connection.fetch(CODES_SQL):
        key = f"{row['scheme']}:{row['code']}" if row["scheme"] else row["code"]
        codes.setdefault(row["list"], {})[key] = Code(Title(row["title_zh"], row["title_en"]), row["color"])
    layers = [_layer(dict(row)) for row in await connection.fetch(LAYERS_SQL)]
    policy = Policy.from_rows(
        [dict(row) for row in await connection.fetch("select role, layer, action, row_filter from permission")]
    )
    plans = frozenset(row["id"] for row in await connection.fetch("select id from plan"))
    return Catalog(city, policy, codes, plans, {layer.id: layer for layer in layers})


def _layer(row: Mapping[str, Any]) -> Layer:
    theme = _theme(row)
    extent = row["extent"]
    return Layer(
        id=row["id"],
        theme=theme,
        dataset_id=row["dataset_id"],
        title=Title(row["title_zh"], row["title_en"]),
        description=Title(row["description_zh"] or "", row["description_en"] or "")
        if row["description_zh"] or row["description_en"]
        else None,
        group=row["group"],
        position=row["position"],
        visible=row["visible"],
        filter=row["filter"],
        properties=_properties(theme, row["properties"], row["schemas"] or []),
        whole=row["properties"] is None,
        style=row["style"],
        min_zoom=row["min_zoom"],
        max_zoom=row["max_zoom"],
        restricted=row["restricted"],
        version=row["version"],
        extent=None if extent is None or extent[0] is None else tuple(extent),
        attribution=tuple(row["attribution"] or ()),
        licence=tuple(row["licence"] or ()),
        sharing=tuple(row["sharing"] or ()),
        made_up=row["made_up"],
        run=row["run"],
        times=tuple(row["times"] or ()),
        published=row["published"]["source"] if row["published"] else None,
        read_with=row["published"].get("read_with") if row["published"] else None,
    )


def _theme(row: Mapping[str, Any]) -> Theme:
    """The theme of a layer; of a published table, a theme of its own whose rows its view tells."""
    theme = THEMES[row["theme"]]
    if row["published"] is None:
        return theme
    return replace(theme, table=row["published"]["relation"], geometry=row["published"]["geometry"])


def _properties(theme: Theme, allowed: list[str] | None, schemas: list[dict[str, Any]]) -> tuple[Attribute, ...]:
    """Shared and hot columns, then the generic data sets' own properties, in the white list's limits."""
    own = {a.name: a for a in (*SHARED, *theme.attributes)}
    if theme.layer == GENERIC:
        for schema in schemas:
            for name, said in schema.items():
                # A type alone, or with titles, unit and code list, as columns of results and events have them.
                told = said if isinstance(said, dict) else {"type": said}
                titles = told.get("zh") or name, told.get("en") or name
                own.setdefault(name, Attribute(name, told["type"], *titles, told.get("unit"), told.get("codes")))
    return tuple(a for a in own.values() if allowed is None or a.name in allowed)
