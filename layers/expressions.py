"""Expressions of styles: the stated subset of the MapLibre style specification (docs/styles.md), read and evaluated.

An expression is read once, which refuses whatever is not in the subset and names its place. What it depends on beside
the zoom are axes: a property or a few put together. Evaluated with a zoom and a value on each axis it gives a constant.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from layers import LayerError
from layers.colors import format_color, is_color, parse_color

Axis = Literal["name", "number"]
# What a property is when it is none of the values that a style names: absent, or another.
OTHER = ("other",)
# In how many steps a value between two stops is drawn where it depends on a property.
STEPS = 8
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
DEEPEST = 32


class StyleError(LayerError):
    """A style that is not in the subset that is drawn; the message begins with the path of the fault."""


class NoValue(Exception):
    """An expression has no value for an object: its property takes its default, as MapLibre has it."""


@dataclass(frozen=True)
class Source:
    """What a value is read from: a property, the kind of geometry, or several put together.

    kind: get, has, geometry-type, coalesce, concat or literal. parts: names, values or other sources.
    """

    kind: str
    parts: tuple[Any, ...]

    def properties(self) -> set[str]:
        """The properties that it reads."""
        if self.kind in ("get", "has"):
            return {self.parts[0]}
        return set().union(*(p.properties() for p in self.parts if isinstance(p, Source)))


Values = Mapping[Source, Any]
# What an expression depends on, with the values that it tells apart.
Axes = tuple[tuple[Source, Axis, tuple[Any, ...]], ...]


@dataclass(frozen=True)
class Place:
    """Where one looks: zoom, and the value on each axis: of names the key of one or OTHER, else a number or None."""

    zoom: float
    values: Values


@dataclass(frozen=True)
class Expression:
    """A read expression.

    value: its constant at a place. axes: what it depends on, with the values that it tells apart; of numbers, the
    limits between them. as_it_is: whether it gives a property's own value, of which there are too many to be classes.
    """

    value: Callable[[Place], Any]
    axes: Axes = ()
    as_it_is: bool = False

    @property
    def is_constant(self) -> bool:
        return not self.axes

    def at(self, place: Place) -> Any:
        """Raises NoValue."""
        return self.value(place)


def read(node: Any, path: str) -> Expression:
    """Read an expression. Raises StyleError that begins with `path` and the way on from it."""
    return _read(node, path, 0)


def read_source(node: Any, path: str) -> Source:
    """Read what a text is put together from, or what an axis is. Raises StyleError."""
    if isinstance(node, list) and node and isinstance(node[0], str):
        kind, *parts = node
        if kind in ("get", "has") and len(parts) == 1 and isinstance(parts[0], str):
            return Source(kind, (parts[0],))
        if kind == "geometry-type" and not parts:
            return Source(kind, ())
        if kind in ("coalesce", "concat") and parts:
            return Source(kind, tuple(read_source(p, f"{path}[{i}]") for i, p in enumerate(parts, 1)))
        if kind in ("to-string", "to-number", "string", "number") and len(parts) == 1:
            return read_source(parts[0], f"{path}[1]")
    elif isinstance(node, str | int | float | bool):
        return Source("literal", (node,))
    raise StyleError(f"{path}: {_shown(node)} is not drawn; a value comes from get, coalesce, concat or geometry-type")


def key_of(value: Any) -> Any:
    """A value as it stands on an axis of names: 1 and 1.0 are one, 1 and true are two."""
    return ("truth", value) if isinstance(value, bool) else value


# --- reading


def _read(node: Any, path: str, depth: int) -> Expression:
    if depth > DEEPEST:
        raise StyleError(f"{path}: nested deeper than {DEEPEST} levels")
    if not isinstance(node, list):
        if isinstance(node, str | int | float | bool):
            return Expression(lambda _: node)
        raise StyleError(f"{path}: {_shown(node)} is no value")
    if not node or not isinstance(node[0], str):
        return Expression(lambda _: node)
    reader = READERS.get(node[0])
    if reader is None:
        known = ", ".join(sorted(READERS))
        raise StyleError(f"{path}: {_shown(node[0])} is not drawn; there are {known}")
    return reader(_Arguments(node, path, depth))


@dataclass(frozen=True)
class _Arguments:
    """The arguments of one expression, each with its path."""

    node: list[Any]
    path: str
    depth: int

    def __len__(self) -> int:
        return len(self.node) - 1

    def need(self, least: int, most: int | None = None) -> None:
        if not least <= len(self) <= (most or len(self)):
            raise StyleError(f"{self.path}: {self.node[0]} with {len(self)} arguments")

    def expression(self, index: int) -> Expression:
        return _read(self.node[index], f"{self.path}[{index}]", self.depth + 1)

    def source(self, index: int) -> Source:
        return read_source(self.node[index], f"{self.path}[{index}]")

    def fault(self, index: int, said: str) -> StyleError:
        return StyleError(f"{self.path}[{index}]: {_shown(self.node[index])} {said}")


def _literal(given: _Arguments) -> Expression:
    given.need(1, 1)
    value = given.node[1]
    return Expression(lambda _: value)


def _zoom(given: _Arguments) -> Expression:
    given.need(0, 0)
    return Expression(lambda place: place.zoom)


def _match(given: _Arguments) -> Expression:
    given.need(4)
    if len(given) % 2:
        raise StyleError(f"{given.path}: match takes an input, pairs of labels and value, and a value for all others")
    source = given.source(1)
    table: dict[Any, Expression] = {}
    outputs = []
    for index in range(2, len(given), 2):
        labels = given.node[index] if isinstance(given.node[index], list) else [given.node[index]]
        output = given.expression(index + 1)
        outputs.append(output)
        for label in labels:
            if not isinstance(label, str | int):
                raise given.fault(index, "is no label; a label is a text or a whole number")
            table.setdefault(key_of(label), output)
    otherwise = given.expression(len(given))
    axes: Axes = ((source, "name", tuple(table)),)
    return _joined(lambda place: table.get(place.values[source], otherwise).at(place), axes, [*outputs, otherwise])


def _step(given: _Arguments) -> Expression:
    given.need(2)
    if len(given) % 2:
        raise StyleError(f"{given.path}: step takes an input, a first value, and pairs of a stop and a value")
    number, stops = _number_input(given), _stops(given, range(3, len(given), 2))
    outputs = [given.expression(2), *(given.expression(index) for index in range(4, len(given) + 1, 2))]
    return _joined(
        lambda place: outputs[sum(stop <= number.at(place) for stop in stops)].at(place),
        _limits(number, stops),
        outputs,
    )


def _interpolate(given: _Arguments) -> Expression:
    given.need(4)
    kind = given.node[1]
    base = 1.0
    if isinstance(kind, list) and len(kind) == 2 and kind[0] == "exponential" and isinstance(kind[1], int | float):
        base = float(kind[1])
    elif kind != ["linear"]:
        raise given.fault(1, "is not drawn; interpolate linear or exponential")
    if not len(given) % 2 == 0:
        raise StyleError(f"{given.path}: interpolate takes a way, an input, and pairs of a stop and a value")
    inner = _Arguments([given.node[0], *given.node[2:]], given.path, given.depth)
    number, stops = _number_input(inner), _stops(inner, range(2, len(inner), 2))
    outputs = [given.expression(index) for index in range(4, len(given) + 1, 2)]
    by_property = bool(number.axes)
    steps = stops if not by_property else _in_steps(stops)

    def value(place: Place) -> Any:
        x = number.at(place)
        if by_property:
            x = _middle_of_step(x, steps)
        above = sum(stop <= x for stop in stops)
        if above in (0, len(stops)):
            return outputs[max(0, above - 1)].at(place)
        low, high = stops[above - 1], stops[above]
        share = (x - low) / (high - low)
        if base != 1.0:
            share = (base ** (x - low) - 1) / (base ** (high - low) - 1)
        return _mixed(outputs[above - 1].at(place), outputs[above].at(place), share, given.path)

    return _joined(value, _limits(number, steps), outputs)


def _case(given: _Arguments) -> Expression:
    given.need(3)
    if len(given) % 2 == 0:
        raise StyleError(f"{given.path}: case takes pairs of a condition and a value, and a value for all others")
    pairs = [(given.expression(i), given.expression(i + 1)) for i in range(1, len(given) - 1, 2)]
    otherwise = given.expression(len(given))

    def value(place: Place) -> Any:
        return next((output for condition, output in pairs if condition.at(place) is True), otherwise).at(place)

    return _joined(value, (), [each for pair in pairs for each in pair] + [otherwise])


def _comparison(given: _Arguments) -> Expression:
    given.need(2, 2)
    operator = given.node[0]
    compare = COMPARISONS[operator]
    left, right = given.node[1:]
    if isinstance(right, list) and right != ["zoom"] and not isinstance(left, list):
        # Written the other way round: the property stands to the left from here on.
        turned = operator.translate(str.maketrans("<>", "><"))
        return _comparison(_Arguments([turned, right, left], given.path, given.depth))
    if isinstance(right, list):
        raise given.fault(2, "is not drawn; compare with a constant")
    if left == ["zoom"]:
        return Expression(lambda place: compare(place.zoom, right))
    source = given.source(1)
    if operator in ("==", "!="):
        key = key_of(right)
        return Expression(lambda place: compare(place.values[source], key), ((source, "name", (key,)),))
    if isinstance(right, bool) or not isinstance(right, int | float):
        raise given.fault(2, "is not drawn; only numbers have an order")

    def ordered(place: Place) -> bool:
        return compare(_number(place.values[source]), right)

    return Expression(ordered, ((source, "number", (float(right),)),))


def _within(given: _Arguments) -> Expression:
    given.need(2, 2)
    source, members = given.source(1), given.node[2]
    if isinstance(members, list) and len(members) == 2 and members[0] == "literal" and isinstance(members[1], list):
        keys = tuple(key_of(member) for member in members[1])
        return Expression(lambda place: place.values[source] in keys, ((source, "name", keys),))
    raise given.fault(2, 'is not drawn; in takes ["literal", [...]]')


def _has(given: _Arguments) -> Expression:
    given.need(1, 1)
    source = read_source(given.node, given.path)
    there = key_of(True)
    return Expression(lambda place: place.values[source] == there, ((source, "name", (there,)),))


def _all(given: _Arguments) -> Expression:
    parts = [given.expression(index) for index in range(1, len(given) + 1)]
    return _joined(lambda place: all(part.at(place) is True for part in parts), (), parts)


def _any(given: _Arguments) -> Expression:
    parts = [given.expression(index) for index in range(1, len(given) + 1)]
    return _joined(lambda place: any(part.at(place) is True for part in parts), (), parts)


def _not(given: _Arguments) -> Expression:
    given.need(1, 1)
    part = given.expression(1)
    return _joined(lambda place: part.at(place) is not True, (), [part])


def _as_it_is(given: _Arguments) -> Expression:
    read_source(given.node, given.path)

    def value(_: Place) -> Any:
        raise NoValue

    return Expression(value, as_it_is=True)


READERS: dict[str, Callable[[_Arguments], Expression]] = {
    "literal": _literal,
    "zoom": _zoom,
    "match": _match,
    "step": _step,
    "interpolate": _interpolate,
    "case": _case,
    "in": _within,
    "has": _has,
    "all": _all,
    "any": _any,
    "!": _not,
    "get": _as_it_is,
    "coalesce": _as_it_is,
    "concat": _as_it_is,
    **dict.fromkeys(COMPARISONS, _comparison),
}


# --- parts of expressions


def _joined(value: Callable[[Place], Any], axes: Axes, parts: list[Expression]) -> Expression:
    every = axes + tuple(axis for part in parts for axis in part.axes)
    return Expression(value, every, any(part.as_it_is for part in parts))


def _number_input(given: _Arguments) -> Expression:
    """What step and interpolate look at: the zoom, or a number of the object's."""
    if given.node[1] == ["zoom"]:
        return Expression(lambda place: place.zoom)
    source = given.source(1)
    return Expression(lambda place: _number(place.values[source]), ((source, "number", ()),))


def _stops(given: _Arguments, indices: range) -> list[float]:
    stops = [given.node[index] for index in indices]
    for index, (low, high) in zip(indices, zip([None, *stops], stops, strict=False), strict=False):
        is_number = isinstance(high, int | float) and not isinstance(high, bool)
        if not is_number or (low is not None and high <= low):
            raise given.fault(index, "is no stop; stops are numbers, each above the one before")
    return [float(stop) for stop in stops]


def _limits(number: Expression, stops: list[float]) -> Axes:
    return tuple((source, kind, tuple(stops)) for source, kind, _ in number.axes)


def _in_steps(stops: list[float]) -> list[float]:
    inner = [low + (high - low) * step / STEPS for low, high in itertools.pairwise(stops) for step in range(STEPS)]
    return [*inner, stops[-1]]


def _middle_of_step(x: float, steps: list[float]) -> float:
    above = sum(step <= x for step in steps)
    return x if above in (0, len(steps)) else (steps[above - 1] + steps[above]) / 2


def _mixed(low: Any, high: Any, share: float, path: str) -> Any:
    if is_color(low) and is_color(high):
        a, b = parse_color(low), parse_color(high)
        red, green, blue, alpha = (x + (y - x) * share for x, y in zip(a, b, strict=True))
        return format_color((red, green, blue, alpha))
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in (low, high)):
        return low + (high - low) * share
    raise StyleError(
        f"{path}: between {_shown(low)} and {_shown(high)} there is nothing; interpolate numbers or colours"
    )


def _number(value: Any) -> float:
    if not isinstance(value, int | float):
        raise NoValue
    return value


def _shown(node: Any) -> str:
    text = repr(node)
    return text if len(text) <= 60 else text[:57] + "..."
