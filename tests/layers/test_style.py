"""Styles are valid MapLibre styles, and legends say what the styles draw."""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cim_models.database import Database
from layers.access import PUBLIC
from layers.catalog import Catalog, load_catalog
from layers.legend import legend, values_in_use
from layers.style import MODES, Mode, compose, layer_style, shaded

VALIDATOR = (
    Path(__file__).parents[2] / "viewer/node_modules/@maplibre/maplibre-gl-style-spec/dist/gl-style-validate.mjs"
)
BASE = "http://127.0.0.1:8000"


@pytest.fixture
async def catalog(database: Database) -> Catalog:
    """A city in which every theme has a loaded data set."""
    async with database.writing() as connection:
        await connection.execute(
            "insert into dataset (name, themes, title_zh, title_en, loaded_at, extent)"
            " select 'd-' || theme, array[theme], '数据', 'Data', now(), array[120.9, 28.0, 121.1, 28.2] from layer"
        )
    async with database.reading() as connection:
        return await load_catalog(connection, database.city)


@pytest.mark.parametrize("mode", MODES)
def test_the_composed_style_is_valid(catalog: Catalog, mode: Mode, tmp_path: Path) -> None:
    """Judged by MapLibre's own validator."""
    assert VALIDATOR.exists(), "run `npm ci` in viewer/ first"
    file = tmp_path / "style.json"
    file.write_text(json.dumps(compose(catalog, PUBLIC, mode, base=BASE, terrain=True)))
    verdict = subprocess.run(["node", str(VALIDATOR), str(file)], capture_output=True, text=True, check=False)
    assert (verdict.returncode, verdict.stdout + verdict.stderr) == (0, "")


def test_every_layer_is_drawn_and_ground_lies_under_labels(catalog: Catalog) -> None:
    style = compose(catalog, PUBLIC, "day", base=BASE, terrain=True)
    drawn = [part["metadata"]["twin:layer"] for part in style["layers"][1:]]
    assert set(drawn) == {layer.id for layer in catalog.layers(PUBLIC)}
    kinds = [part["type"] for part in style["layers"]]
    assert kinds.index("symbol") > max(i for i, kind in enumerate(kinds) if kind != "symbol")
    assert drawn.index("land") < drawn.index("water") < drawn.index("roads") < drawn.index("buildings")


def test_a_city_without_data_or_terrain_has_an_empty_map(catalog: Catalog) -> None:
    empty = replace(catalog, _layers={})
    style = compose(empty, PUBLIC, "day", base=BASE, terrain=False)
    assert style["sources"] == {}
    assert [part["type"] for part in style["layers"]] == ["background"]


@pytest.mark.parametrize("mode", MODES)
def test_legend_colours_are_the_styles_colours(catalog: Catalog, mode: Mode) -> None:
    style = json.dumps(compose(catalog, PUBLIC, mode, base=BASE, terrain=True))
    for layer in catalog.layers(PUBLIC):
        if layer.theme.table == "terrain":
            continue
        entries = legend(layer, catalog, mode)
        assert entries, layer.id
        for entry in entries:
            assert re.fullmatch("#[0-9a-f]{6}", entry.color)
            assert entry.color in style
            assert entry.title.zh
            assert entry.title.en


def test_the_ground_is_shaded_under_water_and_streets(catalog: Catalog) -> None:
    style = compose(catalog, PUBLIC, "day", base=BASE, terrain=True)
    order = [part["id"] for part in style["layers"]]
    places = [order.index(each) for each in ("land-fill", "terrain-hillshade", "water-fill", "roads-fill")]
    assert places == sorted(places)
    # Its colours tell of slopes, and say so.
    told = [entry.title.en for entry in legend(catalog.layer("terrain", PUBLIC), catalog)]
    assert told == ["Hillshade: slope in the light", "Hillshade: slope in shade"]


def test_a_legend_is_of_what_tells_most_classes_apart(catalog: Catalog) -> None:
    """Roads have paths and casings before their carriageways, facilities areas before their points."""
    roads = [entry.title.en for entry in legend(catalog.layer("roads", PUBLIC), catalog)]
    assert any("Motorway" in title for title in roads)
    facilities = [entry.title.en for entry in legend(catalog.layer("facilities", PUBLIC), catalog)]
    assert any("Hospital" in title for title in facilities)


def test_every_value_a_style_names_is_in_its_code_list(catalog: Catalog) -> None:
    """A misspelt class would be drawn as "other" for ever."""

    def matches(value: object) -> list[list[object]]:
        if isinstance(value, dict):
            return [m for item in value.values() for m in matches(item)]
        if isinstance(value, list):
            own = [value] if value[:1] == ["match"] and isinstance(value[1], list) and value[1][0] == "get" else []
            return own + [m for item in value for m in matches(item)]
        return []

    for layer in catalog.layers(PUBLIC):
        for _, (_, name), *pairs in matches(layer_style(layer)):  # type: ignore[misc]
            codes = layer.theme.classes if name == "class" else layer.theme.attribute(name).codes
            for value in pairs[:-1:2]:
                assert set(value if isinstance(value, list) else [value]) <= set(catalog.codes[codes or ""]), layer.id


async def test_a_legend_lists_only_what_is_there(catalog: Catalog, database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(
            "insert into building (dataset_id, uid, content_hash, class, function, geom)"
            " select 1, n::text, '', 'Building', case when n % 2 = 0 then 'medical' else 'office' end,"
            " st_multi(st_makeenvelope(121, 28, 121.001, 28.001, 4490)) from generate_series(1, 100) n"
        )
        await connection.execute("analyze building")
        layer = catalog.layer("buildings", PUBLIC)
        seen = await values_in_use(connection, layer, catalog)
    assert seen == {"medical", "office"}
    assert [entry.title.en for entry in legend(layer, catalog, in_use=seen)] == ["Office", "Medical"]


def test_night_is_darker_than_day() -> None:
    assert shaded("#f3efc6", "day") == "#f3efc6"
    assert max(int(shaded("#f3efc6", "night")[i : i + 2], 16) for i in (1, 3, 5)) < 96
