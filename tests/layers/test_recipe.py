"""Recipes: what is shipped can be followed, what is wrong is told by file and key, no text brings down the reader."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_models.themes import THEMES
from layers import strict_yaml
from layers.automatic import automatic, dataset_name
from layers.formats import open_sources
from layers.recipe import Recipe, RecipeError, mappable, parse_recipe, read_recipe
from tests.layers.sources import source, square, write_squares

CITIES = Path(__file__).parents[2] / "twin" / "recipes"
VOCABULARY = Path(__file__).parents[2] / "cim_models" / "vocabulary"
CITY = """
city: {name: a, title: {zh: 甲, en: A}, srid: 4490, metric_crs: EPSG:4549, time_zone: Asia/Shanghai}
"""
DATASET = (
    CITY
    + """
datasets:
  - name: roofs
    title: {zh: 屋顶, en: Roofs}
    file: a.gpkg
    theme: building
    class: Building
"""
)


def told(text: str) -> str:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, "a.yaml")
    return str(caught.value)


def understood(text: str) -> bool:
    """Whether a text is a recipe, or is told not to be one; anything else comes through."""
    try:
        return isinstance(parse_recipe(text), Recipe)
    except RecipeError as error:
        return str(error).startswith("recipe: ")


@pytest.mark.parametrize("city", ["lyon", "monaco", "liechtenstein", "koto"])
def test_shipped_recipes_name_files_that_are_there(shared_data: Path, city: str) -> None:
    recipe = read_recipe(CITIES / f"{city}.yaml")
    assert recipe.city.name == city
    assert recipe.city.spec().title_zh
    for dataset in recipe.datasets:
        assert dataset.sources(shared_data)
        assert dataset.licence
        assert dataset.attribution
        assert dataset.source


@pytest.mark.parametrize("city", ["lyon", "monaco", "liechtenstein", "koto"])
def test_shipped_recipes_speak_the_vocabulary(city: str) -> None:
    lists = {
        name: {str(code[0]) for code in entry["codes"]}
        for name, entry in yaml.safe_load((VOCABULARY / "classes.yaml").read_text(encoding="utf-8")).items()
    }
    for dataset in read_recipe(CITIES / f"{city}.yaml").datasets:
        for part in dataset.parts:
            theme = THEMES.get(part.theme or "")
            if theme is None:
                continue
            attributes = mappable(theme)
            rules: dict[str, Any] = {name: (attributes[name].codes, rule) for name, rule in part.fields.items()}
            rules["class"] = (theme.classes, part.class_)
            for codes, rule in rules.values():
                for value in (rule.value, rule.default, *(rule.map or {}).values()):
                    assert value is None or codes not in lists or value in lists[codes], f"{value} in {codes}"


def test_a_small_recipe_in_full() -> None:
    recipe = parse_recipe(
        DATASET
        + """
    uid: {hash: [geometry, number]}
    edition_date: 2024-05-01
    fields:
      height: {field: h, unit: ft, default: 3}
      function: {field: use, map: {"01": residential, no: office}}
    keep: [number]
    missing_height: {per_storey: 2.8, default: 6}
"""
    )
    (dataset,) = recipe.datasets
    (part,) = dataset.parts
    assert dataset.edition_date == date(2024, 5, 1)
    assert recipe.city.spec().metric_srid == 4549
    assert part.fields["height"].unit == "ft"
    assert part.fields["function"].map == {"01": "residential", "no": "office"}
    assert part.missing_height.per_storey == 2.8


def test_parts_share_what_the_data_set_says_of_the_file() -> None:
    recipe = parse_recipe(
        CITY
        + """
datasets:
  - name: traffic
    title: {zh: 路网, en: Roads}
    file: traffic.gpkg
    crs: EPSG:4549
    parts:
      - {layer: nodes, theme: road_node, class: RoadNode, uid: id}
      - {layer: links, theme: road, class: residential, uid: id, crs: EPSG:4490}
"""
    )
    nodes, links = recipe.datasets[0].parts
    assert (nodes.file, nodes.layer, nodes.crs) == ("traffic.gpkg", "nodes", "EPSG:4549")
    assert (links.file, links.layer, links.crs) == ("traffic.gpkg", "links", "EPSG:4490")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.yaml: city: Field required"),
        ("[1, 2]", "a.yaml: the recipe: Input should be a valid dictionary"),
        ("city: [", "a.yaml: line 1, column 8: "),
        (CITY.replace("4490", "2000"), "a.yaml: city.srid: Input should be '4326' or '4490' (not '2000')"),
        (CITY.replace("EPSG:4549", "EPSG:4490"), "city.metric_crs: 'EPSG:4490' is no projected CRS in metres"),
        (CITY.replace("EPSG:4549", "EPSG:1"), "city.metric_crs: 'EPSG:1' is no CRS that PROJ knows"),
        (CITY.replace("Asia/Shanghai", "Asia/Pingyang"), "city.time_zone: 'Asia/Pingyang' is no time zone"),
        (CITY + "city: {}", "line 3, column 1: city stands here twice"),
        (CITY + "x: &a 1\ny: *a", "anchors, aliases and tags are not read"),
        (CITY + "colour: red", "a.yaml: colour: no such key here"),
        (
            DATASET.replace("theme: building", "theme: bridge"),
            "datasets[0].parts[0].theme: no theme 'bridge'; there are",
        ),
        (DATASET + "    fields: {hight: h}", "fields: no attribute 'hight' in building; there are "),
        (DATASET + "    fields: {height: {field: h, unit: mph}}", "fields: 'mph' cannot be converted to m; known: m, "),
        (DATASET + "    fields: {storeys: {value: many}}", "fields: storeys is a whole number, not 'many'"),
        (DATASET + "    fields: {height: {value: nan}}", "fields: height is a number, not 'nan'"),
        (DATASET + "    fields: {function: {field: a, unit: m}}", "function has no unit; leave out unit: m"),
        (DATASET + "    fields: {height: {}}", "fields.height: either a field or a value"),
        (DATASET + "    fields: {height: {value: 3, unit: m}}", "fields.height: a value stands alone"),
        (DATASET + "    uid: {}", "uid: either fields or hash"),
        (DATASET + "    crs: EPSG:99", "crs: 'EPSG:99' is no CRS that PROJ knows"),
        (DATASET.replace("a.gpkg", "../a.gpkg"), "file: a path inside the data folder, without '..'"),
        (DATASET.replace("a.gpkg", "/etc/passwd"), "file: a path inside the data folder, without '..'"),
        (DATASET.replace("name: roofs", "name: 屋顶"), "datasets[0].name: String should match pattern"),
        (DATASET + "    edition_date: soon", "edition_date: Input should be a valid date"),
        (DATASET + DATASET.split("datasets:")[1], "datasets: roofs stands here twice"),
        (DATASET + "    parts: [{layer: x}]", "datasets[0]: theme, class must stand in the parts"),
        (DATASET.replace("    theme: building\n", ""), "fields and class need a theme"),
    ],
)
def test_what_is_wrong_is_told_by_file_and_key(text: str, message: str) -> None:
    assert message in told(text)


def test_every_mistake_is_told_at_once() -> None:
    lines = told(CITY.replace("4490", "1").replace("Asia/Shanghai", "x")).splitlines()
    assert len(lines) == 2
    assert all(line.startswith("a.yaml: city.") for line in lines)


def test_files_that_are_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be opened"):
        read_recipe(tmp_path / "absent.yaml")
    (tmp_path / "gbk.yaml").write_bytes("city: 平阳".encode("gbk"))
    with pytest.raises(RecipeError, match=r"gbk\.yaml: byte 8 is no UTF-8"):
        read_recipe(tmp_path / "gbk.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * 2_000_000)
    with pytest.raises(RecipeError, match=r"large\.yaml: over 1 MB"):
        read_recipe(tmp_path / "large.yaml")


def test_texts_stay_what_was_written() -> None:
    loaded = strict_yaml.load("{a: no, b: 0101, c: 1.10, d: 2024-01-01, e: null, f: ~}")
    assert loaded == {"a": "no", "b": "0101", "c": "1.10", "d": "2024-01-01", "e": "null", "f": "~"}


yaml_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=25,
)
KEYS = ["city", "datasets", "name", "title", "zh", "en", "file", "theme", "class", "uid", "fields", "height", "keep"]
KEYS += ["field", "value", "map", "unit", "where", "parts", "missing_height", "srid", "view", "center", "solid", "hash"]
recipe_like = st.recursive(
    st.sampled_from([None, "building", "EPSG:4549", "4490", "m", "all", "lyon", "nan", "1e999", "-1", "", "[", "平阳"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=30,
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), yaml_values.map(lambda v: yaml.safe_dump(v, allow_unicode=True))))
def test_any_text_is_a_recipe_or_a_recipe_error(text: str) -> None:
    assert understood(text)


@settings(max_examples=200, deadline=None)
@given(st.fixed_dictionaries({"city": recipe_like, "datasets": st.lists(recipe_like, max_size=3)}))
def test_anything_that_looks_like_a_recipe_is_one_or_is_told(content: dict[str, Any]) -> None:
    for text in (yaml.safe_dump(content, allow_unicode=True), DATASET + f"    fields: {yaml.safe_dump(content)}"):
        assert understood(text)


def test_deep_nesting_ends_in_a_message() -> None:
    assert "nested deeper than 20" in told("a: " + "[" * 5000)
    assert "nested deeper than 20" in told("a: " + "[" * 100 + "]" * 100)


def test_a_file_without_recipe_maps_what_it_knows(tmp_path: Path, shared_data: Path) -> None:
    monaco = shared_data / "monaco" / "monaco-latest-20210419.osm.pbf"
    ((dataset, members),) = automatic(monaco, open_sources(monaco))
    assert dataset.name == "monaco-latest-20210419"
    assert len(members) == len(dataset.parts) == 10
    write_squares(tmp_path)
    ((dataset, ((part, opened),)),) = automatic(tmp_path / "a.gpkg", open_sources(tmp_path / "a.gpkg"))
    assert (dataset.name, part.theme, opened.name) == ("a", None, "a")


def test_two_unknown_layers_are_two_data_sets() -> None:
    sources = [source([square(120, 27)], name=name) for name in ("红线", "b")]
    names = [dataset.name for dataset, _ in automatic(Path("plan.gpkg"), sources)]
    assert names == ["plan-u7ea2u7ebf", "plan-b"]


def test_a_layer_that_is_asked_for_is_the_data_set_it_is_among_all() -> None:
    """Else the next one of the file would end the first one's objects, as a newer edition of them."""
    ((dataset, _),) = automatic(Path("plan.gpkg"), [source([square(120, 27)], name="b")], layer="b")
    assert dataset.name == "plan-b"


@given(st.text(min_size=1, max_size=300))
def test_any_title_makes_a_name(title: str) -> None:
    name = dataset_name(title)
    assert len(name) <= 63
    assert name[0].isalpha()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
