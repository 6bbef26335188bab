"""OpenStreetMap, PBF and XML: one pass over the file gives a source each theme, after three for areas, junctions and
banned turns.

pyosmium assembles areas and keeps node locations in a sparse file on disk; features go straight to a spool file a
theme, so memory does not grow with the file beyond the node ids of its roads.
"""

import struct
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import osmium
import pyarrow as pa
from osmium.osm import Area, Node, Relation, Way

from cim_models.themes import THEMES
from layers.columns import COLUMN_TYPES
from layers.formats.osm import tags as osm_tags
from layers.formats.osm.coast import sea
from layers.formats.osm.restrictions import ATTRIBUTE, Restrictions
from layers.formats.osm.roads import RoadGraph
from layers.formats.osm.spool import Spool
from layers.formats.source import GEOMETRY, Format, FormatError, Reading, Source

OSM_THEMES = (
    "administrative_area",
    "land",
    "water",
    "vegetation",
    "construction",
    "road",
    "road_node",
    "railway",
    "building",
    "facility",
)
# pyosmium reports a broken file as a bare RuntimeError; the others come from ids and tags that are no such thing.
BROKEN = (RuntimeError, OSError, ValueError, UnicodeDecodeError, osmium.InvalidLocationError)

SEA_ATTRIBUTES = '{"drawn_from":"natural=coastline"}'


def theme_schema(theme: str) -> pa.Schema:
    """Columns of a source that is in the model's terms: shared ones, the theme's own, further tags as JSON."""
    own = [pa.field(attribute.name, COLUMN_TYPES[attribute.type]) for attribute in THEMES[theme].attributes]
    shared = [pa.field(name, pa.string()) for name in ("uid", "class", "name", "name_en")]
    return pa.schema([*shared, *own, pa.field("attributes", pa.string()), pa.field(GEOMETRY, pa.binary())])


@dataclass(frozen=True)
class OsmSource:
    """One theme of an OpenStreetMap file, in the columns of the model."""

    name: str
    file: "OsmFile"
    crs: str | None = "EPSG:4326"
    count: int | None = None

    @property
    def schema(self) -> pa.Schema:
        return theme_schema(self.name)

    def read(self, rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        yield from self.file.spooled().read(self.name, rows)


@dataclass(eq=False)
class OsmFile:
    """A file that is read once, when the first of its sources is."""

    path: Path
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _spool: Spool | None = None

    def spooled(self) -> Spool:
        if self._spool is None:
            self._folder = tempfile.TemporaryDirectory(prefix="citytwin-osm-")
            spool = Spool(Path(self._folder.name), {theme: theme_schema(theme) for theme in OSM_THEMES})
            try:
                _Reader(self.path, Path(self._folder.name), spool).run()
            except BROKEN as error:
                unsorted = "out of order" in str(error)
                remedy = "sort it with `osmium sort`" if unsorted else "the file is broken or cut off, fetch it again"
                raise FormatError(
                    f"{self.path.name}: cannot be read as OpenStreetMap data ({error}); {remedy}"
                ) from None
            self._spool = spool
        return self._spool


@dataclass
class _Reader:
    """The pass over one file that fills its spool."""

    path: Path
    folder: Path
    spool: Spool
    wkb: osmium.geom.WKBFactory = field(default_factory=osmium.geom.WKBFactory)
    coastlines: list[Sequence[tuple[float, float]]] = field(default_factory=list)
    assembled: set[int] = field(default_factory=set)
    relations: dict[int, dict[str, str]] = field(default_factory=dict)

    def run(self) -> None:
        self.graph = RoadGraph.scan(self.path)
        self.restrictions = Restrictions.scan(self.path)
        keys = osmium.filter.KeyFilter(*osm_tags.KEYS)
        things = (
            osmium.FileProcessor(self.path)
            .with_locations(f"sparse_file_array,{self.folder / 'locations'}")
            .with_areas(keys)
            .with_filter(keys)
        )
        for thing in things:
            if isinstance(thing, Area):
                self._area(thing)
            elif isinstance(thing, Way):
                self._way(thing)
            elif isinstance(thing, Node):
                self._node(thing)
            elif isinstance(thing, Relation) and thing.tags.get("type") in ("multipolygon", "boundary"):
                self.relations[thing.id] = dict(thing.tags)
        self._road_nodes()
        self._sea()
        self._incomplete()
        self.spool.close()

    def _area(self, area: Area) -> None:
        tags = dict(area.tags)
        kind = "way" if area.from_way() else "relation"
        if kind == "relation":
            self.assembled.add(area.orig_id())
        rows = [(reading.theme, reading.row(f"{kind}/{area.orig_id()}", tags)) for reading in osm_tags.AREAS]
        if any(row for _, row in rows):
            self._add(rows, self._multipolygon(area))

    def _multipolygon(self, area: Area) -> bytes | None:
        try:
            return bytes.fromhex(self.wkb.create_multipolygon(area))
        except RuntimeError:
            # Rings that make no area: the row goes on without geometry and is rejected by name.
            return None

    def _way(self, way: Way) -> None:
        tags = dict(way.tags)
        self._road(way, tags)
        if tags.get("natural") == "coastline":
            self.coastlines.append(_points(way))
        readings: tuple[osm_tags.Reading, ...] = osm_tags.LINES
        # A closed way comes back as an area, unless it says that it is a line.
        if not way.is_closed() or tags.get("area") == "no":
            readings = (*readings, osm_tags.CONSTRUCTION)
        rows = [(reading.theme, reading.row(f"way/{way.id}", tags)) for reading in readings]
        if any(row for _, row in rows):
            self._add(rows, linestring(_points(way)))

    def _road(self, way: Way, tags: dict[str, str]) -> None:
        row = osm_tags.ROAD.row(f"way/{way.id}", tags)
        if row is None:
            return
        for edge in self.graph.edges(way):
            ends = {"uid": edge.uid, "start_node": f"node/{edge.start}", "end_node": f"node/{edge.end}"}
            told = self.restrictions.of(way, edge.start, edge.end)
            if told is not None:
                ends["attributes"] = osm_tags.ROAD.further(tags | {ATTRIBUTE: told})
            self._add([("road", row | ends)], linestring(edge.points))

    def _node(self, node: Node) -> None:
        tags = dict(node.tags)
        rows = [(reading.theme, reading.row(f"node/{node.id}", tags)) for reading in osm_tags.POINTS]
        if any(row for _, row in rows):
            self._add(rows, point((node.lon, node.lat)))

    def _road_nodes(self) -> None:
        for node in self.graph.nodes():
            row = {"uid": node.uid, "class": "RoadNode", "kind": node.kind, "degree": node.degree}
            self._add([("road_node", row)], point(node.point))

    def _sea(self) -> None:
        box = osmium.io.Reader(self.path, osmium.osm.osm_entity_bits.NOTHING).header().box()
        if not self.coastlines or not box.valid():
            return
        low, high = box.bottom_left, box.top_right
        water = sea(self.coastlines, (low.lon, low.lat, high.lon, high.lat))
        if water is not None:
            row = {"uid": "sea", "class": "Sea", "attributes": SEA_ATTRIBUTES}
            self._add([("water", row)], water.wkb)

    def _incomplete(self) -> None:
        """Relations that made no area, as where an extract cuts them: rows without geometry, to be reported."""
        for relation, tags in self.relations.items():
            if relation not in self.assembled:
                uid = f"relation/{relation}"
                self._add([(reading.theme, reading.row(uid, tags)) for reading in osm_tags.AREAS], None)

    def _add(self, rows: Sequence[tuple[str, dict[str, Any] | None]], geometry: bytes | None) -> None:
        for theme, row in rows:
            if row is not None:
                self.spool.add(theme, {**row, GEOMETRY: geometry})


def _points(way: Way) -> list[tuple[float, float]]:
    return [(node.lon, node.lat) for node in way.nodes if node.location.valid()]


def linestring(points: Sequence[tuple[float, float]]) -> bytes | None:
    """WKB of a line, or None for fewer than two points."""
    if len(points) < 2:
        return None
    flat = array("d", (value for place in points for value in place))
    return struct.pack("=BII", 1, 2, len(points)) + flat.tobytes()


def point(place: tuple[float, float]) -> bytes:
    return struct.pack("=BIdd", 1, 1, *place)


def open_osm(path: Path, reading: Reading) -> list[Source]:
    """A source for each theme; all come from one reading of the file, which starts with the first `read`."""
    crs, layer = reading.crs, reading.layer
    if layer is not None and layer not in OSM_THEMES:
        raise FormatError(f"{path.name}: no layer {layer!r} in OpenStreetMap data; it has {', '.join(OSM_THEMES)}")
    if crs is not None and crs.upper() != "EPSG:4326":
        raise FormatError(f"{path.name}: OpenStreetMap data are in EPSG:4326, not in {crs}; leave the CRS out")
    file = OsmFile(path)
    return [OsmSource(theme, file) for theme in OSM_THEMES if layer in (None, theme)]


PBF = Format("OpenStreetMap PBF", (".osm.pbf", ".pbf"), lambda head: b"OSMHeader" in head[:32], open_osm)
XML = Format("OpenStreetMap XML", (".osm", ".osm.xml"), lambda head: b"<osm" in head, open_osm)
