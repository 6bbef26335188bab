"""Paints maps with Mapnik: the layers' objects by the layers' styles."""

from dataclasses import dataclass
from xml.etree import ElementTree

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from layers.access import Principal
from layers.catalog import Catalog
from layers.legend import legend
from layers.query import Selection, objects, rows
from layers.statement import inlined
from tiles.map.engine import SAME, mapnik
from tiles.map.request import MapRequest, parsed_crs

EXTENT = "-1e9,-1e9,1e9,1e9"


class Painter:
    """Draws the maps of one database."""

    def __init__(self, url: str, *, application: str, limit_s: float, connections: int) -> None:
        self._connections = str(connections)
        options = f"-c statement_timeout={int(limit_s * 1000)} -c jit=off -c max_parallel_workers_per_gather=0"
        parts = conninfo_to_dict(url)
        name = make_conninfo(dbname=parts.pop("dbname")).removeprefix("dbname=")
        # Mapnik writes host=..., dbname=... one after the other: the name may carry the rest along.
        self._database = name + " " + make_conninfo("", **parts, application_name=application, options=options)

    def drawing(self, request: MapRequest, catalog: Catalog, principal: Principal) -> "Drawing":
        sources = []
        for shown in request.layers:
            layer = catalog.layer(shown.layer.id, principal)
            if layer.theme.table == "terrain":
                continue
            table = objects(layer, catalog)
            found = rows(Selection(layer, shown.view, shown.filter), catalog, principal)
            crs = parsed_crs(request.crs).to_authority() or ("EPSG", "3857")
            text = inlined(found.add_columns(table.c.object_id, table.c.geom))
            sql = (
                f"(select object_id, st_transform(geom, {crs[1]}) as geom from ({text}) o where geom &&"
                f" st_transform(!bbox!, {catalog.city.srid}) /* !@request! */) q"
            )
            entries = legend(layer, catalog, "night" if shown.style == "night" else "day")
            sources.append((sql, entries[0].color if entries else "#888888"))
        return Drawing(request, tuple(sources), self)

    def source(self, sql: str, srid: str) -> "mapnik.Datasource":
        return mapnik.CreateDatasource(
            type="postgis",
            dbname=self._database,
            table=sql,
            geometry_field="geom",
            key_field="object_id",
            srid=srid,
            extent=EXTENT,
            initial_size="1",
            max_size=self._connections,
        )


@dataclass(frozen=True)
class Drawing:
    """A map that is ready to be drawn."""

    request: MapRequest
    sources: tuple[tuple[str, str], ...]
    painter: Painter

    def picture(self, mark: str) -> bytes:
        request = self.request
        drawn = mapnik.Map(request.width, request.height, SAME)
        drawn.aspect_fix_mode = mapnik.aspect_fix_mode.RESPECT
        root = ElementTree.Element("Map", srs=SAME)
        for number, (_, color) in enumerate(self.sources):
            rule = ElementTree.SubElement(ElementTree.SubElement(root, "Style", name=str(number)), "Rule")
            for kind, dimension in (("Polygon", 3), ("Line", 2), ("Point", 1)):
                del kind, dimension
            ElementTree.SubElement(rule, "PolygonSymbolizer", fill=color)
            ElementTree.SubElement(rule, "LineSymbolizer", stroke=color)
            ElementTree.SubElement(rule, "MarkersSymbolizer", fill=color, width="6")
        mapnik.load_map_from_string(drawn, ElementTree.tostring(root, "unicode"))
        srid = (parsed_crs(request.crs).to_authority() or ("EPSG", "3857"))[1]
        for number, (sql, _) in enumerate(self.sources):
            layer = mapnik.Layer(str(number), SAME)
            layer.datasource = self.painter.source(sql, srid if srid.isdigit() else "4326")
            layer.styles.append(str(number))
            drawn.layers.append(layer)
        if not request.transparent:
            drawn.background = mapnik.Color(request.background)
        drawn.zoom_to_box(mapnik.Box2d(*request.box))
        image = mapnik.Image(request.width, request.height)
        mapnik.render_with_vars(drawn, image, {"request": mark}, request.scale_factor)
        encoding = {"image/png": "png", "image/png; mode=8bit": "png8", "image/jpeg": "jpeg90", "image/webp": "webp"}
        return bytes(image.to_string(encoding[request.format]))
