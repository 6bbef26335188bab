"""Colour ramps: what the values of a raster look like, by day and by night, and what a legend says of it."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from layers import LayerError
from layers.catalog import Layer, Title
from layers.colors import parse_color
from layers.style import Mode

Values = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
# Into so many looks an even ramp is divided: a step of the finest of them is less than one of a colour's 255.
LOOKS = 16_384


class RampError(LayerError):
    """No ramp of that name, or one that does not fit the values."""


@dataclass(frozen=True)
class Stop:
    """A value and what it looks like. color: #rrggbb. opacity: 0 to 1."""

    value: float
    color: str
    opacity: float


@dataclass(frozen=True)
class Ramp:
    """Stops in the order of their values, of which the colours between are interpolated or, of classes, stay.

    unit: UCUM symbol; "1" is no unit. source: of the classes, where they are somebody's. labels: of the stops.
    """

    name: str
    title: Title
    unit: str
    stops: tuple[Stop, ...]
    at_night: tuple[Stop, ...]
    is_classed: bool
    source: str | None
    labels: tuple[Title, ...]

    def of(self, mode: Mode) -> tuple[Stop, ...]:
        """The stops of a mode."""
        return self.at_night if mode == "night" else self.stops

    def paint(self, values: Values, mode: Mode) -> Pixels:
        """Red, green, blue and opacity of each value, as a further axis of four bytes; NaN is clear."""
        looks, first, scale = _table(self, mode)
        place: npt.NDArray[Any] = (np.nan_to_num(values) - first) * scale + np.float32(0.5)
        if self.is_classed:
            at = np.array([stop.value for stop in self.stops], np.float32)
            place = np.searchsorted(at, values.ravel(), side="right").reshape(values.shape) - 1
        painted = looks[np.clip(place, 0, len(looks) - 1).astype(np.uint16)]
        painted[np.isnan(values)] = 0
        return np.asarray(painted.view(np.uint8).reshape(*values.shape, 4))


@cache
def _table(ramp: Ramp, mode: Mode) -> tuple[npt.NDArray[np.uint32], np.float32, np.float32]:
    """Looks by number, each four bytes as one; of an even ramp also the first value and the looks to a unit."""
    stops = ramp.of(mode)
    at = np.array([stop.value for stop in stops])
    colors = np.array([(*parse_color(stop.color)[:3], stop.opacity) for stop in stops])
    first, scale = at[0], 0.0
    if not ramp.is_classed:
        # Colour and opacity go on each by itself: a clear stop lends its neighbours no darkness.
        scale = (LOOKS - 1) / (at[-1] - first)
        values = np.linspace(first, at[-1], LOOKS)
        colors = np.stack([np.interp(values, at, colors[:, channel]) for channel in range(4)], axis=1)
    looks = np.rint(colors * 255).astype(np.uint8).view(np.uint32).ravel()
    return looks, np.float32(first), np.float32(scale)


@cache
def ramps() -> dict[str, Ramp]:
    """All ramps by name, as layers/styles/ramps.yaml has them."""
    source = resources.files("layers").joinpath("styles", "ramps.yaml").read_bytes()
    return {name: _ramp(name, said) for name, said in yaml.load(source, Loader=yaml.CSafeLoader).items()}


def ramp_named(name: str) -> Ramp:
    """Raises RampError."""
    found = ramps().get(name)
    if found is None:
        raise RampError(f"no colour ramp {name[:60]!r}; there are {', '.join(ramps())}")
    return found


def ramp_of(layer: Layer) -> Ramp:
    """The ramp of a raster layer, by the name in its style. Raises RampError."""
    return ramp_named((layer.style or {}).get("ramp", ""))


def _ramp(name: str, said: dict[str, Any]) -> Ramp:
    stops = tuple(Stop(*stop) for stop in said["stops"])
    unit = said["unit"]
    labels = [Title(*each) for each in said.get("labels", ())] or _labels(stops, unit, is_classed="classes" in said)
    return Ramp(
        name=name,
        title=Title(*said["title"]),
        unit=unit,
        stops=stops,
        at_night=tuple(Stop(*stop) for stop in said.get("night", ())) or stops,
        is_classed=said.get("classes", False),
        source=said.get("source"),
        labels=tuple(labels),
    )


def _labels(stops: tuple[Stop, ...], unit: str, *, is_classed: bool) -> list[Title]:
    """What a legend says beside the stops: their value, or from where to where a class goes."""
    shown = "" if unit == "1" else f" {unit}"
    found = []
    for number, stop in enumerate(stops):
        told = f"{stop.value:g}{shown}"
        if is_classed:
            last = number == len(stops) - 1
            told = f"≥ {told}" if last else f"{stop.value:g} – {stops[number + 1].value:g}{shown}"
        found.append(Title(told, told))
    return found
