"""QGIS reads our SLD, of both versions, and draws objects in the colours that the map draws them in."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cim_models.database import Database
from layers.access import SYSTEM
from layers.catalog import load_catalog
from layers.drawing import read_styles
from layers.expressions import Source, StyleError
from layers.looks import GEOMETRY, look_of
from layers.sld import VERSIONS, WORLD_SCALE, Version, sld

SYSTEM_PYTHON = "/usr/bin/python3"
# Reads [{file, geometry, object, scale}] and says of each the colours of the symbols, the lowest first, and the labels.
DESKTOP = """
import json, sys
from qgis.core import (QgsApplication, QgsExpressionContext, QgsFeature, QgsGeometry, QgsRenderContext, QgsVectorLayer)
app = QgsApplication([], False)
app.initQgis()
SHAPES = {"Polygon": "POLYGON((0 0,1 0,1 1,0 0))", "LineString": "LINESTRING(0 0,1 1)", "Point": "POINT(0 0)"}
KINDS = {str: "string", bool: "boolean", int: "integer", float: "double"}
told = []
for case in json.load(sys.stdin):
    fields = "".join(f"&field={name}:{KINDS[type(value)]}" for name, value in case["object"].items())
    layer = QgsVectorLayer(f"{case['geometry']}?crs=EPSG:4326{fields}", "layer", "memory")
    message, ok = layer.loadSldStyle(case["file"])
    assert ok, message
    feature = QgsFeature(layer.fields())
    feature.setAttributes(list(case["object"].values()))
    feature.setGeometry(QgsGeometry.fromWkt(SHAPES[case["geometry"]]))
    context = QgsRenderContext()
    context.setRendererScale(case["scale"])
    context.setExpressionContext(QgsExpressionContext())
    context.expressionContext().setFields(layer.fields())
    context.expressionContext().setFeature(feature)
    renderer = layer.renderer()
    renderer.startRender(context, layer.fields())
    symbols = renderer.originalSymbolsForFeature(feature, context)
    colors = sorted(symbol.symbolLayer(0).color().name() for symbol in symbols)
    renderer.stopRender(context)
    told.append({"colors": colors, "labels": layer.labelsEnabled()})
print("TOLD" + json.dumps(told))
app.exitQgis()
"""
# Of each layer an object, as what it is drawn.
OBJECTS: list[tuple[str, str, dict[str, Any], float]] = [
    ("roads", "LineString", {"class": "motorway", "tunnel": False, "name": "环城路"}, 14),
    ("roads", "LineString", {"class": "residential", "tunnel": True, "name": "弄"}, 17),
    ("roads", "LineString", {"class": "footway", "tunnel": False, "name": "径"}, 16),
    ("roads", "LineString", {"class": "primary", "tunnel": False, "name": "大道"}, 10),
    ("buildings", "Polygon", {"function": "medical", "name": "医院"}, 15),
    ("buildings", "Polygon", {"function": "unheard of", "name": "院"}, 15),
    ("land", "Polygon", {"scheme": "OSM", "code": "farmland"}, 15),
    ("land", "Polygon", {"scheme": "GB/T 21010", "code": "0301"}, 15),
    ("water", "Polygon", {"class": "Sea", "name": "海"}, 15),
    ("water", "LineString", {"class": "River", "name": "江"}, 12),
    ("facilities", "Point", {"class": "School", "name": "小学"}, 15),
    ("sensors", "Point", {"kind": "rain", "name": "雨量站"}, 15),
    ("administrative_areas", "Polygon", {"level": "township", "name": "镇"}, 12),
    ("utility_pipes", "LineString", {"medium": "gas"}, 15),
]
# Layers whose objects may be of any geometry.
MIXED = ("water", "facilities")
COLORS = {"fill": "fill-color", "line": "line-color", "circle": "circle-color"}


@pytest.mark.skipif(
    not os.path.exists(SYSTEM_PYTHON)
    or subprocess.run([SYSTEM_PYTHON, "-c", "import qgis"], check=False, capture_output=True).returncode != 0,
    reason="python3-qgis is not installed",
)
@pytest.mark.parametrize("version", VERSIONS)
async def test_qgis_draws_what_the_map_draws(database: Database, tmp_path: Path, version: Version) -> None:
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
    cases, expected = [], []
    for name, geometry, about, zoom in OBJECTS:
        layer = catalog.layer(name, SYSTEM)
        file = tmp_path / f"{name}.sld"
        file.write_bytes(sld([layer], catalog, version, ["day"]))
        # In the middle between two whole zooms, as the rules are made for.
        scale = WORLD_SCALE / 2 ** (zoom + 0.5)
        cases.append({"file": str(file), "geometry": geometry, "object": about, "scale": scale})
        colors = []
        for style in read_styles(layer, "day", catalog):
            if style.type in COLORS and style.shows_at(zoom + 0.5):
                look = look_of(style.tree(zoom + 0.5, layer.theme.geometry), seen(about, geometry))
                if look is not None:
                    colors.append(look.values[COLORS[style.type]])
        expected.append(sorted(colors))
    environ = os.environ | {"QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(  # noqa: ASYNC221 - nothing else waits
        [SYSTEM_PYTHON, "-c", DESKTOP],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=False,
        env=environ,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.partition("TOLD")[2])
    for (name, _, about, zoom), ours, theirs in zip(OBJECTS, expected, told, strict=True):
        # QGIS passes over SemanticTypeIdentifier, and draws lines around polygons where a layer has both.
        wanted = theirs["colors"] if name not in MIXED else sorted(set(theirs["colors"]) & set(ours))
        assert wanted == ours, (name, about, zoom)
        if "name" in about and name != "administrative_areas":
            assert theirs["labels"], name


def seen(about: dict[str, Any], geometry: str) -> dict[Source, Any]:
    """An object as the looks see it; what no style names is taken for any other."""
    values: dict[Source, Any] = {GEOMETRY: geometry, Source("has", ("name",)): ("truth", True)}
    for name, value in about.items():
        known = None if value == "unheard of" or value is False else value
        values[Source("get", (name,))] = ("truth", True) if value is True else known
    if about.get("class") == "residential":
        values[Source("get", ("class",))] = None
    if "scheme" in about:
        parts = (Source("get", ("scheme",)), Source("literal", (":",)), Source("get", ("code",)))
        values[Source("concat", parts)] = f"{about['scheme']}:{about['code']}"
    return values


async def test_what_sld_cannot_ask_is_said(database: Database) -> None:
    """A style by something put together of three properties has no filter in SLD."""
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
    three = ["concat", ["get", "class"], "-", ["get", "name"], "-", ["get", "name_en"]]
    part = {"id": "a", "type": "line", "paint": {"line-color": ["match", three, "a-b-c", "#ff0000", "#00ff00"]}}
    odd = replace(catalog.layer("roads", SYSTEM), style={"layers": [part]})
    with pytest.raises(StyleError, match="SLD"):
        sld([odd], catalog)
