"""Transformations that only the operator knows: 4 or 7 parameters, or control points, for older and local systems.

They are kept in `control.yaml` in the city's directory, which only the server's user may read. What is in it goes into
no log, no message and no answer; of control points, the residuals are told.
"""

import hashlib
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from layers import LayerError, strict_yaml

Floats = NDArray[np.float64]

FILE = "control.yaml"
LARGEST = 1 << 20
LOCAL = "local:"
ARC_SECOND = np.pi / 648_000
FEWEST_POINTS = 3


class ControlError(LayerError):
    """A file of parameters that is open to others, or cannot be read; the message tells none of them."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Four(_Strict):
    """East and north shift in metres, rotation counter-clockwise in arc seconds, scale in ppm."""

    dx: float
    dy: float
    rotation: float
    scale: float


class _Seven(_Strict):
    """Shifts in metres, rotations in arc seconds, scale in ppm. rotations: which way they turn (EPSG 9606, 9607)."""

    dx: float
    dy: float
    dz: float
    rx: float
    ry: float
    rz: float
    scale: float
    rotations: Literal["position_vector", "coordinate_frame"]


class _Entry(_Strict):
    source: Annotated[str, Field(alias="from", pattern=r"^(EPSG:\d+|local:[a-z0-9][a-z0-9_-]*)$")]
    target: Annotated[str, Field(alias="to", pattern=r"^EPSG:\d+$")]
    four: _Four | None = None
    seven: _Seven | None = None
    points: tuple[tuple[float, float, float, float], ...] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(each is not None for each in (self.four, self.seven, self.points)) != 1:
            raise ValueError("one of four, seven and points")
        if self.seven is not None and self.source.startswith(LOCAL):
            raise ValueError("seven parameters are between datums; a local system takes four or points")
        if self.points is not None and len(self.points) < FEWEST_POINTS:
            raise ValueError(f"at least {FEWEST_POINTS} points, so that a wrong one is noticed")
        return self


@dataclass(frozen=True)
class Control:
    """A transformation from one CRS (EPSG:2437, local:name) to another; what it is made of is shown nowhere.

    to_target: x east, y north in the one to x, y in the other, (n, 2).
    """

    source: str
    target: str
    _entry: _Entry = field(repr=False)

    def to_target(self, coordinates: Floats) -> Floats:
        if self._entry.seven is not None:
            x, y = self._pipeline.transform(coordinates[:, 0], coordinates[:, 1])
            return np.column_stack((x, y))
        east, north, a, b = self._plane
        x, y = coordinates[:, 0], coordinates[:, 1]
        return np.column_stack((east + a * x - b * y, north + b * x + a * y))

    @cached_property
    def digest(self) -> str:
        """Tells other parameters from these, and nothing of them."""
        return hashlib.sha256(self._entry.model_dump_json().encode()).hexdigest()

    def __str__(self) -> str:
        kind = "seven parameters" if self._entry.seven else "four parameters"
        if self._entry.points is None:
            return f"{self.source} brought to {self.target} by the operator's {kind}"
        misses = self.residuals
        return (
            f"{self.source} brought to {self.target} by {misses.size} control points: residuals"
            f" {np.sqrt((misses**2).mean()):.3f} m, the largest {misses.max():.3f} m at point {misses.argmax() + 1}"
        )

    @cached_property
    def residuals(self) -> Floats:
        """By how many metres each control point is missed."""
        points = np.array(self._entry.points or np.empty((0, 4)), dtype=float)
        missed: Floats = np.hypot(*(self.to_target(points[:, :2]) - points[:, 2:]).T)
        return missed

    @cached_property
    def _plane(self) -> tuple[float, float, float, float]:
        """Shift and the two parts of a similarity: x' = east + a x - b y, y' = north + b x + a y."""
        four = self._entry.four
        if four is not None:
            turn, scale = four.rotation * ARC_SECOND, 1 + four.scale * 1e-6
            return four.dx, four.dy, scale * np.cos(turn), scale * np.sin(turn)
        points = np.array(self._entry.points, dtype=float)
        middle, aim = points[:, :2].mean(axis=0), points[:, 2:].mean(axis=0)
        x, y = (points[:, :2] - middle).T
        u, v = (points[:, 2:] - aim).T
        weight = (x * x + y * y).sum()
        a, b = (x * u + y * v).sum() / weight, (x * v - y * u).sum() / weight
        return aim[0] - a * middle[0] + b * middle[1], aim[1] - b * middle[0] - a * middle[1], float(a), float(b)

    @cached_property
    def _pipeline(self) -> "_Chain":
        seven = self._entry.seven
        assert seven is not None
        source, target = CRS.from_user_input(self.source), CRS.from_user_input(self.target)
        steps = (
            "+step +proj=unitconvert +xy_in=deg +xy_out=rad",
            f"+step +proj=cart {_ellipsoid(source)}",
            f"+step +proj=helmert +x={seven.dx} +y={seven.dy} +z={seven.dz} +rx={seven.rx} +ry={seven.ry}"
            f" +rz={seven.rz} +s={seven.scale} +convention={seven.rotations}",
            f"+step +inv +proj=cart {_ellipsoid(target)}",
            "+step +proj=unitconvert +xy_in=rad +xy_out=deg",
        )
        return _Chain(
            Transformer.from_crs(source, source.geodetic_crs, always_xy=True),
            Transformer.from_pipeline(f"+proj=pipeline {' '.join(steps)}"),
            Transformer.from_crs(target.geodetic_crs, target, always_xy=True),
        )


@dataclass(frozen=True)
class _Chain:
    """Transformers one after the other."""

    first: Transformer
    middle: Transformer
    last: Transformer

    def transform(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        for step in (self.first, self.middle, self.last):
            x, y = step.transform(x, y)
        return x, y


def _ellipsoid(crs: CRS) -> str:
    ellipsoid = crs.ellipsoid
    assert ellipsoid is not None
    return f"+a={ellipsoid.semi_major_metre} +rf={ellipsoid.inverse_flattening}"


def read_controls(home: Path) -> tuple[Control, ...]:
    """What the operator keeps in a city's directory; nothing where there is no file. Raises ControlError."""
    file = home / FILE
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(file.stat().st_mode)
            content = opened.read(LARGEST + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ControlError(f"{file}: cannot be opened ({error.strerror})") from None
    if mode & 0o077:
        raise ControlError(f"{file}: others may read it; `chmod 600 {file}` first")
    if len(content) > LARGEST:
        raise ControlError(f"{file}: over {LARGEST >> 20} MB; it holds parameters alone")
    try:
        listed = strict_yaml.load(content.decode("utf-8"))
        entries = [_Entry.model_validate(each) for each in (listed if isinstance(listed, list) else [None])]
        for entry in entries:
            CRS.from_user_input(entry.target)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "an entry"
        raise ControlError(f"{file}: {where}: {first['msg'].removeprefix('Value error, ')}") from None
    except (strict_yaml.StrictYamlError, UnicodeDecodeError, CRSError):
        raise ControlError(f"{file}: is no list of from, to and parameters; docs/formats.md shows one") from None
    return tuple(Control(entry.source, entry.target, entry) for entry in entries)
