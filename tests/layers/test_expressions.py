"""Styles mean what MapLibre takes them to mean: held to its own evaluator, and what is not drawn is refused."""

import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cim_models.database import Database
from layers.access import SYSTEM
from layers.catalog import Catalog, Layer, load_catalog
from layers.colors import is_color, parse_color
from layers.drawing import StyleLayer, check_style, read_style_layer
from layers.expressions import Expression, Source, StyleError
from layers.looks import GEOMETRY, KINDS_OF, Leaf, look_of
from layers.style import MODES, layer_style, resolved
from layers.style_properties import LAYOUT, PAINT

VIEWER = Path(__file__).parents[2] / "viewer"
SPECIFICATION = "@maplibre/maplibre-gl-style-spec"
# Reads [{type, filter, properties: {name: value}, zoom, geometry, object}] and says what each comes to, null if unseen.
JUDGE = """
import {createPropertyExpression, featureFilter, latest} from '@maplibre/maplibre-gl-style-spec';
import {readFileSync} from 'node:fs';
const told = JSON.parse(readFileSync(0, 'utf8')).map(({type, filter, properties, zoom, geometry, object}) => {
  const feature = {type: {Point: 1, LineString: 2, Polygon: 3}[geometry], properties: object, geometry: []};
  if (filter && !featureFilter(filter, 'filter').filter({zoom}, feature)) return null;
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => {
    if (Array.isArray(value) && typeof value[0] !== 'string') return [name, value];
    const spec = latest[`paint_${type}`][name] ?? latest[`layout_${type}`][name];
    const {result, value: expression} = createPropertyExpression(value, name, spec);
    if (result !== 'success') throw new Error(`${name}: ${JSON.stringify(expression)}`);
    const found = expression.evaluate({zoom}, feature);
    return [name, found && typeof found === 'object' && 'r' in found ? [found.r, found.g, found.b, found.a] : found];
  }));
});
console.log(JSON.stringify(told));
"""


@pytest.fixture
async def catalog(database: Database) -> Catalog:
    async with database.reading() as connection:
        return await load_catalog(connection, database.city)


def judged(cases: list[dict[str, Any]]) -> list[dict[str, Any] | None]:
    """What MapLibre makes of them."""
    assert (VIEWER / "node_modules" / SPECIFICATION).exists(), "run `npm ci` in viewer/ first"
    command = ["node", "--input-type=module", "--eval", JUDGE]
    done = subprocess.run(command, cwd=VIEWER, input=json.dumps(cases), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any] | None] = json.loads(done.stdout)
    return found


def styles(layer: Layer, catalog: Catalog) -> Iterator[tuple[dict[str, Any], StyleLayer]]:
    """A layer's style layers by day and night that draw objects, as they are written and as they are read."""
    for mode in MODES:
        for index, part in enumerate(layer_style(layer)):
            given = {key: resolved(value, catalog, mode) for key, value in part.items()}
            read = read_style_layer(given, f"{layer.id}.layers[{index}]")
            if read.type != "hillshade" and read.of is None:
                yield given, read


def expressions(read: StyleLayer) -> list[Expression]:
    return [*read.properties.values(), *([read.filter] if read.filter else [])]


def objects(read: StyleLayer, luck: random.Random) -> dict[str, Any]:
    """Properties that a style layer looks at, each with a value that it names, another, or none."""
    found: dict[str, Any] = {}
    for expression in expressions(read):
        for source, kind, values in expression.axes:
            for name in source.properties():
                known = [v[1] if isinstance(v, tuple) else v for v in values]
                if source.kind == "concat" and values:
                    scheme, _, code = luck.choice(known).partition(":")
                    found |= {"scheme": scheme, "code": code}
                elif kind == "number":
                    found[name] = luck.choice([*known, *(v + luck.uniform(-2, 2) for v in known), -1e6, 1e6])
                elif source.kind == "has":
                    found[name] = luck.choice(["名", None])
                else:
                    found[name] = luck.choice([*known, "neither", None])
    return {name: value for name, value in found.items() if value is not None}


def values_of(read: StyleLayer, properties: dict[str, Any], geometry: str) -> dict[Source, Any]:
    """The same object as the trees see it: on an axis, its value if the axis names it."""
    found: dict[Source, Any] = {GEOMETRY: geometry}
    for expression in expressions(read):
        for source, kind, _ in expression.axes:
            if source == GEOMETRY:
                continue
            parts = source.parts
            if source.kind == "concat":
                value: Any = "".join(
                    str(properties.get(p.parts[0], "")) if p.kind == "get" else p.parts[0] for p in parts
                )
            elif source.kind == "has":
                value = ("truth", source.parts[0] in properties)
            else:
                value = properties.get(source.parts[0])
                value = ("truth", value) if isinstance(value, bool) else value
            every = {v for e in expressions(read) for s, _, vs in e.axes if s == source for v in vs}
            is_seen = isinstance(value, int | float) if kind == "number" else value in every
            found[source] = value if is_seen else None
    return found


def alike(one: Any, other: Any) -> bool:
    """Equal to MapLibre's value, which gives colours as premultiplied numbers."""
    if is_color(one):
        red, green, blue, alpha = parse_color(one)
        ours = (red * alpha, green * alpha, blue * alpha, alpha)
        return max(abs(a - b) for a, b in zip(ours, other, strict=True)) < 0.004
    if isinstance(one, tuple):
        return list(one) == other
    return bool(one == other or (isinstance(one, int | float) and abs(one - other) < 1e-6 * max(1, abs(one))))


def test_every_look_is_what_maplibre_shows(catalog: Catalog) -> None:
    """Every style layer by day and night, at whole and broken zooms, for objects that each rule is about."""
    luck = random.Random(20)
    cases: list[dict[str, Any]] = []
    looks: list[Leaf | None] = []
    for layer in catalog.layers(SYSTEM):
        for given, read in styles(layer, catalog):
            known = PAINT[read.type] | LAYOUT[read.type]
            properties = {
                name: value
                for part in ("layout", "paint")
                for name, value in given.get(part, {}).items()
                if name in known and known[name].kind != "height"
            }
            for zoom in (9.0, 12.5, 14.0, 16.75, 19.0):
                for _ in range(12):
                    geometry = luck.choice(KINDS_OF[layer.theme.geometry])
                    tree = read.tree(zoom, layer.theme.geometry)
                    about = objects(read, luck)
                    look = look_of(tree, values_of(read, about, geometry))
                    if look is None and geometry not in str(tree):
                        continue
                    case = {"type": read.type, "filter": given.get("filter"), "properties": properties}
                    cases.append(case | {"zoom": zoom, "geometry": geometry, "object": about})
                    looks.append(look)
    assert len(cases) > 1000
    shown = 0
    for case, look, truth in zip(cases, looks, judged(cases), strict=True):
        assert (look is None) == (truth is None), case
        if look is not None and truth is not None:
            shown += 1
            wrong = {n: (look.values[n], v) for n, v in truth.items() if not alike(look.values[n], v)}
            assert not wrong, (case, wrong)
    assert shown > 500


def circle(**paint: Any) -> dict[str, Any]:
    return {"id": "a", "type": "circle", "paint": {"circle-color": "#ff0000"} | paint}


BY_HEIGHT = ["interpolate", ["linear"], ["get", "height"], 0, "#000000", 100, "#ffffff"]


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"id": "a", "type": "heatmap"}, "layers[3].type"),
        ({"id": "a", "type": "fill", "interactive": True}, "layers[3].interactive"),
        ({"id": "a", "type": "fill", "paint": {"fill-pattern": "dots"}}, "layers[3].paint.fill-pattern"),
        ({"id": "a", "type": "symbol", "layout": {"icon-image": "x"}}, "layers[3].layout.text-field"),
        ({"id": "a", "type": "fill", "minzoom": "12"}, "layers[3].minzoom"),
        ({"id": "a", "type": "line", "layout": {"line-cap": "pointed"}}, "layers[3].layout.line-cap"),
        (circle(**{"circle-color": "tomato"}), "layers[3].paint.circle-color"),
        (circle(**{"circle-radius": -1}), "layers[3].paint.circle-radius"),
        (circle(**{"circle-radius": ["sqrt", 4]}), "layers[3].paint.circle-radius"),
        (circle(**{"circle-radius": ["get", "height"]}), "layers[3].paint.circle-radius"),
        (
            circle(**{"circle-radius": ["match", ["get", "a"], "x", ["rgb", 1, 2, 3], 2]}),
            "layers[3].paint.circle-radius[3]",
        ),
        (
            circle(**{"circle-radius": ["interpolate", ["cubic-bezier", 0, 0, 1, 1], ["zoom"], 1, 2]}),
            "circle-radius[1]",
        ),
        (circle(**{"circle-radius": ["step", ["zoom"], 1, 5, 2, 5, 3]}), "circle-radius[5]"),
        (circle(**{"circle-radius": ["case", [">", ["zoom"], 5], 2, 3]}), "layers[3].paint.circle-radius"),
        (
            circle(**{"circle-pitch-alignment": ["match", ["get", "a"], "x", "map", "viewport"]}),
            "circle-pitch-alignment",
        ),
        (circle() | {"filter": ["<", ["get", "height"], "ten"]}, "layers[3].filter[2]"),
        (circle() | {"filter": ["within", {}]}, "layers[3].filter"),
        ({"id": "a", "type": "symbol", "layout": {"text-field": ["format", "a", {}]}}, "layers[3].layout.text-field"),
        (["fill"], "layers[3]"),
    ],
)
def test_what_is_not_drawn_is_refused_by_its_place(part: Any, place: str) -> None:
    with pytest.raises(StyleError) as refused:
        read_style_layer(part, "layers[3]")
    assert place in str(refused.value).partition(": ")[0]


def test_too_many_classes_are_refused() -> None:
    """Each property with a hundred values: their combinations are no map."""
    many = [part for value in range(100) for part in (f"v{value}", value / 100)]
    names = ("circle-opacity", "circle-stroke-opacity")
    paint = {name: ["match", ["get", name], *many, 1] for name in names}
    paint["circle-color"] = ["step", ["get", "height"], "#000000", *[p for i in range(9) for p in (i, f"#{i}00000")]]
    with pytest.raises(StyleError, match="classes"):
        read_style_layer(circle(**paint), "layers[0]").tree(14, "Point")


def test_between_two_stops_a_property_is_drawn_in_eight_steps() -> None:
    """Each step in the colour of its middle, so nothing is further off than half a step."""
    tree = read_style_layer(circle(**{"circle-color": BY_HEIGHT}), "a").tree(14, "Point")
    source = Source("get", ("height",))
    shades = set()
    for height in range(1, 100):
        look = look_of(tree, {source: float(height)})
        assert look is not None
        shade = parse_color(look.values["circle-color"])[0]
        shades.add(shade)
        assert abs(shade - height / 100) <= 1 / 16 + 0.003
    assert len(shades) == 8
    absent = look_of(tree, {})
    assert absent is not None
    assert absent.values["circle-color"] == "#000000"


def test_filters_are_held_to_every_kind_of_comparison() -> None:
    """Of numbers, texts, truths and what is absent, by MapLibre's own filters."""
    filters = [[operator, ["get", "a"], 5] for operator in ("==", "!=", "<", "<=", ">", ">=")] + [
        ["in", ["get", "a"], ["literal", [5, "x", True]]],
        ["!", ["has", "a"]],
        ["==", ["get", "a"], True],
    ]
    cases, looks = [], []
    for wanted in filters:
        read = read_style_layer(circle() | {"filter": wanted}, "a")
        for value in (4, 5, 6, 5.5, "x", "5", True, False, None):
            about = {} if value is None else {"a": value}
            cases.append(
                {"type": "circle", "filter": wanted, "properties": {}, "zoom": 10, "geometry": "Point", "object": about}
            )
            looks.append(look_of(read.tree(10, "Point"), values_of(read, about, "Point")))
    for case, look, truth in zip(cases, looks, judged(cases), strict=True):
        assert (look is None) == (truth is None), case


def test_a_style_is_checked_before_it_is_kept(catalog: Catalog) -> None:
    """In both modes and at every zoom; the default styles pass."""
    for layer in catalog.layers(SYSTEM):
        check_style(layer_style(layer), catalog)
    with pytest.raises(StyleError, match=r"layers\[1\]: .*@no such colour"):
        check_style([circle() | {"id": "b"}, circle(**{"circle-color": "@no such colour"})], catalog)
    with pytest.raises(StyleError, match="twice"):
        check_style([circle(), circle()], catalog)
    # Below nought from zoom 15 on.
    shrinking = ["interpolate", ["linear"], ["zoom"], 10, 5, 20, -5]
    with pytest.raises(StyleError, match="at zoom 16"):
        check_style([circle(**{"circle-radius": shrinking})], catalog)
