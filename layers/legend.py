"""Legends: what a layer's style means, read from the style itself, so that both always agree."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from cim_models.database import Connection
from layers.catalog import Catalog, Code, Layer, Title
from layers.ramps import ramp_of
from layers.style import Mode, layer_style, palette, resolved

Kind = Literal["fill", "line", "circle"]
COLOR_OF: dict[str, tuple[Kind, str]] = {
    "fill": ("fill", "fill-color"),
    "line": ("line", "line-color"),
    "circle": ("circle", "circle-color"),
}
OTHER = Title("其他", "Other")
LIT, SHADED = (
    Title("山体阴影：向光坡", "Hillshade: slope in the light"),
    Title("山体阴影：背光坡", "Hillshade: slope in shade"),
)
STATISTICS_SQL = """
    select most_common_vals::text::text[] from pg_stats
    where schemaname = current_schema and tablename = $1 and attname = $2
"""


@dataclass(frozen=True)
class Entry:
    """One line of a legend.

    color, outline: #rrggbb. values: of the property that tells the classes apart; none of one colour or all others.
    """

    title: Title
    color: str
    kind: Kind
    outline: str | None = None
    values: tuple[str, ...] = ()


def legend(layer: Layer, catalog: Catalog, mode: Mode = "day", *, in_use: Collection[str] | None = None) -> list[Entry]:
    """The legend of a layer.

    in_use: the values there are of the property that colours the layer (see `values_in_use`); None lists all that
    the style knows.
    """
    if layer.is_raster:
        return _of_ramp(layer, mode) if layer.theme.table == "coverage" else _of_relief(mode)
    kind, color, outline = _telling(layer, catalog, mode)
    if isinstance(color, str):
        return [Entry(layer.title, color, kind, outline)]
    if _tells(color):
        classes = _classes(layer, catalog, color, in_use)
        return [Entry(title, shown, kind, outline, values) for title, shown, values in classes]
    return [Entry(title, shown, kind, outline) for title, shown in _grades(layer, color)]


def _grades(layer: Layer, color: Any) -> list[tuple[Title, str]]:
    """What each colour of a number says: from where to where of steps, the value at each stop of what goes on evenly.

    Empty for any other expression. Each has the unit; the first one names the number, too.
    """
    match color:
        case ["step", ["get", str(name)], first, *stops]:
            bounds, colors = [_number(value) for value in stops[::2]], [first, *stops[1::2]]
            between = [f"{low} – {high}" for low, high in pairwise(bounds)]
            told = [f"< {bounds[0]}", *between, f"≥ {bounds[-1]}"]
        case ["interpolate", ["linear"], ["get", str(name)], *stops]:
            told, colors = [_number(value) for value in stops[::2]], stops[1::2]
        case _:
            return []
    attribute = layer.property(name)
    unit = f" {attribute.unit}" if attribute and attribute.unit not in (None, "1") else ""
    zh, en = (attribute.zh, attribute.en) if attribute else (name, name)
    first, *others = [f"{text}{unit}" for text in told]
    titles = [Title(f"{zh} {first}", f"{en} {first}"), *(Title(text, text) for text in others)]
    return list(zip(titles, colors, strict=True))


def _number(value: float) -> str:
    # A hyphen would be read as the dash between two bounds.
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def _of_ramp(layer: Layer, mode: Mode) -> list[Entry]:
    """The stops of a raster's ramp, but those that are clear."""
    ramp = ramp_of(layer)
    told = zip(ramp.labels, ramp.stops, ramp.of(mode), strict=True)
    return [
        Entry(title, shown.color, "fill", values=(f"{by_day.value:g}",))
        for title, by_day, shown in told
        if by_day.opacity
    ]


def _of_relief(mode: Mode) -> list[Entry]:
    """Terrain is shaded, not tinted: its colours tell of slopes, and of no height."""
    colors = palette(mode)
    return [
        Entry(LIT, colors["hill_light"], "fill", values=("light",)),
        Entry(SHADED, colors["hill_shadow"], "fill", values=("shadow",)),
    ]


async def values_in_use(connection: Connection, layer: Layer, catalog: Catalog) -> set[str] | None:
    """The values that the planner's statistics have seen of the property that colours a layer, None if they have none.

    Statistics cost no scan, however large the city is; land use codes come as "scheme:code", as in the code list.
    """
    name = colouring_property(layer, catalog)
    if name is None or name not in {a.name for a in layer.theme.attributes} | {"class"}:
        return None
    seen = {
        column: set(await connection.fetchval(STATISTICS_SQL, f"{layer.theme.table}_current", column) or ())
        for column in ({name, "scheme"} if name == "code" else {name})
    }
    if name == "code":
        return {f"{scheme}:{code}" for scheme in seen["scheme"] for code in seen["code"]} or None
    return seen[name] or None


def colouring_property(layer: Layer, catalog: Catalog) -> str | None:
    """The property whose values the legend lists, None for a layer of one colour."""
    _, color, _ = _telling(layer, catalog, "day")
    return _property(color[1]) if _tells(color) else None


def telling_input(layer: Layer, catalog: Catalog) -> Any:
    """The expression of whose values the legend lists the colours, None for a layer of one colour."""
    _, color, _ = _telling(layer, catalog, "day")
    return color[1] if _tells(color) else None


def _telling(layer: Layer, catalog: Catalog, mode: Mode) -> tuple[Kind, Any, str | None]:
    """Kind, colour and outline of the style layer that tells most classes apart, of the first one among equals."""
    found: tuple[Kind, Any, str | None] = ("fill", None, None)
    for part in layer_style(layer):
        if part["type"] in COLOR_OF and "of" not in part:
            kind, key = COLOR_OF[part["type"]]
            color = resolved(part["paint"][key], catalog, mode)
            if found[1] is None or _tells(color) > _tells(found[1]):
                found = (kind, color, resolved(part["paint"].get("fill-outline-color"), catalog, mode))
    return found


def _tells(color: Any) -> int:
    """Into how many classes a colour divides the objects, 0 for one colour."""
    return len(color) // 2 - 1 if isinstance(color, list) and color[0] == "match" else 0


def _property(expression: list[Any]) -> str:
    # Land use is coloured by ["concat", scheme, ":", code].
    return "code" if expression[0] == "concat" else str(expression[1])


def _classes(
    layer: Layer, catalog: Catalog, match: list[Any], in_use: Collection[str] | None
) -> list[tuple[Title, str, tuple[str, ...]]]:
    codes = _codes(layer, catalog, _property(match[1]))
    entries = []
    *pairs, fallback = match[2:]
    for values, color in zip(pairs[::2], pairs[1::2], strict=True):
        wanted = values if isinstance(values, list) else [values]
        shown = [v for v in wanted if v in codes and (in_use is None or v in in_use)]
        if shown:
            entries.append((_joined([codes[v].title for v in shown]), color, tuple(shown)))
    matched = {v for values in pairs[::2] for v in (values if isinstance(values, list) else [values])}
    if in_use is None or set(in_use) - matched:
        entries.append((OTHER, fallback, ()))
    return entries


def _codes(layer: Layer, catalog: Catalog, name: str) -> dict[str, Code]:
    known = layer.property(name)
    list_id = layer.theme.classes if name == "class" else known and known.codes
    return dict(catalog.codes.get(list_id or "", {}))


def _joined(titles: list[Title]) -> Title:
    """Several values of one colour stand on one line; past three the rest is understood."""
    more = len(titles) > 3
    zh, en = "、".join(t.zh for t in titles[:3]), ", ".join(t.en for t in titles[:3])
    return Title(zh + "等" * more, en + ", …" * more)
