"""From a source's CRS to the city's: a transformation that is known to be good, and a check that it lands there.

Nothing is guessed: a CRS that is not stated, a transformation that PROJ can only do roughly, swapped axes and data that
lie elsewhere are refused, with what to do.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.exceptions import CRSError
from pyproj.transformer import TransformerGroup

from layers import offset
from layers.control import LOCAL, Control
from layers.formats import CrsUnknown
from layers.mapping.batch import MappingError

# How far from the city anything of it may lie, unless told otherwise.
REACH_KM = 100.0
# How far data may spill over the edge of a CRS's formal zone: cities do not end at a meridian.
SPILL_KM = 100.0
KM_PER_DEGREE = 111.32

# Metres; the older Chinese and Japanese datums have transformations of 9 to 29 m, by which a house lands in the street.
WORST_ACCURACY = 5.0

Box = tuple[float, float, float, float]
Floats = NDArray[np.float64]


class TransformationUnavailable(MappingError):
    """PROJ knows no accurate way between two CRS, or lacks the grid for it."""


class OutsideCity(MappingError):
    """All of a source lies outside the area of use of its CRS or of the city's, or too far from the city."""


class SwappedAxes(MappingError):
    """A source whose coordinates lie in the city once x and y change places."""


@dataclass(frozen=True)
class Ground:
    """Where the city lies.

    srid: storage CRS, 4326 or 4490. metric_srid: EPSG code of the CRS it is measured in, whose area of use it lies in.
    extent: west, south, east, north in degrees of what it holds so far; None for an empty city. reach_km: how far from
    the extent a new object may lie; infinite for anywhere in the area of use. controls: transformations of the
    operator's own.
    """

    srid: int
    metric_srid: int
    extent: Box | None = None
    reach_km: float = REACH_KM
    controls: tuple[Control, ...] = ()

    @cached_property
    def metric(self) -> CRS:
        return CRS.from_epsg(self.metric_srid)


class Placement:
    """Takes coordinates of one source to the city, and says which of them land there.

    Raises CrsUnknown where the source's CRS is not stated or not known, TransformationUnavailable where there is no
    accurate way.
    """

    def __init__(self, name: str, crs: str | None, ground: Ground, *, north_first: bool = False) -> None:
        """north_first: the source writes its northing before its easting."""
        if crs is None:
            raise CrsUnknown(f"{name}: no CRS in the file; name it with --crs, e.g. --crs EPSG:4549")
        self._name = name
        self._north_first = north_first
        self._offset = crs if crs in offset.SYSTEMS else None
        self._control = _control(name, crs, ground)
        self.source = self._system(crs)
        self._landed = False
        self._limits = _limits(self.source, ground)
        self._refuse_other_country(ground)
        try:
            self._transformer = _transformer(self.source, ground)
        except TransformationUnavailable as error:
            raise TransformationUnavailable(f"{name}: {error}") from None
        if self._transformer is not None and self._transformer.area_of_use is not None:
            self._limits.append((self._transformer.area_of_use.bounds, f"the area of {self._transformer.description}"))

    def _system(self, crs: str) -> CRS:
        """What coordinates are in once shifts and the operator's own parameters are applied."""
        if self._offset is not None:
            return CRS.from_epsg(4326)
        try:
            # Heights stay what they are: only the horizontal part is transformed.
            return CRS.from_user_input(self._control.target if self._control else crs).to_2d()
        except CRSError:
            raise CrsUnknown(f"{self._name}: {crs!r} is no CRS that PROJ knows; name one as EPSG:4549") from None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report should say of the way."""
        return (str(self._control),) if self._control else ()

    @property
    def way(self) -> str:
        """All that decides where a coordinate lands, for a digest."""
        own = f"{self._offset or ''}{'yx' if self._north_first else ''}{self._control.digest if self._control else ''}"
        return self.source.to_wkt() + own

    def _refuse_other_country(self, ground: Ground) -> None:
        """Raise OutsideCity for a CRS that is used nowhere near the city; no row need be read for that."""
        here, there = _area(ground.metric), _area(self.source)
        if here and there and not shapely.box(*here).intersects(shapely.box(*there)):
            raise OutsideCity(
                f"{self._name}: {label(self.source)} is for {_range(*there)}, outside the area of use of the city's"
                f" {label(ground.metric)} ({_range(*here)}); name the right CRS with --crs"
            )

    @property
    def srid(self) -> int | None:
        """EPSG code of the source's CRS, if it has one."""
        code: int | None = None if self._offset or self._control else self.source.to_epsg()
        return code

    def to_city(self, coordinates: Floats) -> Floats:
        """x, y in the source's CRS (east first) to longitude, latitude in the city's; infinite where impossible."""
        if self._north_first:
            coordinates = coordinates[:, ::-1]
        if self._offset is not None:
            coordinates = np.column_stack(offset.to_wgs84(self._offset, coordinates[:, 0], coordinates[:, 1]))
        if self._control is not None:
            coordinates = self._control.to_target(coordinates)
        if self._transformer is None:
            return coordinates
        lon, lat = self._transformer.transform(coordinates[:, 0], coordinates[:, 1])
        return np.column_stack((lon, lat))

    def outside(self, bounds: Floats) -> list[tuple[NDArray[np.bool_], str]]:
        """For each limit, which boxes (west, south, east, north; degrees, of objects in the city's CRS) pass it."""
        found = []
        for (west, south, east, north), what in self._limits:
            inside = (bounds[:, 0] >= west) & (bounds[:, 1] >= south) & (bounds[:, 2] <= east) & (bounds[:, 3] <= north)
            found.append((~inside, f"outside {what} ({_range(west, south, east, north)})"))
        return found

    def refuse_elsewhere(self, bounds: Floats, outside: NDArray[np.bool_], reasons: Sequence[str]) -> None:
        """Refuse a source that is not of this city: single objects outside are its reader's to reject.

        bounds: of the objects of a batch, in the source's CRS. outside: which of them do not land in the city.
        Raises SwappedAxes where at least half of them would land with x and y exchanged, OutsideCity where none of
        them, nor any of an earlier batch, landed.
        """
        if outside.any():
            self._refuse_swapped(bounds, outside)
        self._landed |= not outside.all()
        if not self._landed:
            raise OutsideCity(self._elsewhere(bounds, reasons))

    def _refuse_swapped(self, bounds: Floats, outside: NDArray[np.bool_]) -> None:
        centres = np.column_stack((bounds[:, [1, 3]].mean(axis=1), bounds[:, [0, 2]].mean(axis=1)))[outside]
        swapped = self.to_city(centres)
        landed = np.isfinite(swapped).all(axis=1)
        for lost, _ in self.outside(np.column_stack((swapped, swapped))):
            landed &= ~lost
        if 2 * landed.sum() >= bounds.shape[0]:
            raise SwappedAxes(
                f"{self._name}: x and y are swapped: {int(landed.sum())} of {bounds.shape[0]} objects lie outside the"
                f" city as they are and inside with x and y exchanged; write the easting or longitude first, or confirm"
                f" it with --axis {'xy' if self._north_first else 'yx'}"
            )

    def _elsewhere(self, bounds: Floats, reasons: Sequence[str]) -> str:
        west, south, east, north = bounds[:, 0].min(), bounds[:, 1].min(), bounds[:, 2].max(), bounds[:, 3].max()
        hint = f"it was read as {label(self.source)}"
        if self.source.is_geographic and max(abs(west), abs(south), abs(east), abs(north)) > 360:
            hint += ", but these are no degrees"
        return (
            f"{self._name}: nothing of it lies in the city: x {west:.10g} to {east:.10g}, y {south:.10g} to"
            f" {north:.10g} is {reasons[0]}; {hint}: name the right CRS with --crs"
        )


def _control(name: str, crs: str, ground: Ground) -> Control | None:
    """The operator's own way from a CRS. Raises TransformationUnavailable for a local system without one."""
    wanted = crs
    if not crs.startswith(LOCAL) and crs not in offset.SYSTEMS:
        try:
            code = CRS.from_user_input(crs).to_epsg()
        except CRSError:
            return None
        wanted = f"EPSG:{code}"
    found = next((control for control in ground.controls if control.source == wanted), None)
    if found is None and crs.startswith(LOCAL):
        raise TransformationUnavailable(
            f"{name}: no parameters for {crs} are kept here; write them into control.yaml (docs/formats.md)"
        )
    return found


def _limits(source: CRS, ground: Ground) -> list[tuple[Box, str]]:
    boxes = (
        (_area(source), f"the area of use of {label(source)}"),
        (_area(ground.metric), f"the area of use of the city's {label(ground.metric)}"),
        (around(ground.extent, ground.reach_km), f"{ground.reach_km:g} km around the city"),
    )
    return [(box, what) for box, what in boxes if box is not None]


@lru_cache(maxsize=64)
def _transformer(source: CRS, ground: Ground) -> Transformer | None:
    """The best transformation for the city's area, good to WORST_ACCURACY; None where coordinates stay as they are.

    EPSG holds no transformation between CGCS2000 and WGS 84: both follow ITRF, and WGS 84 as an ensemble is only
    stated to 2 m, so PROJ would call any a ballpark. Here the two are one, as Chinese practice takes them: what reaches
    the one has reached the other. PROJ takes a tenth of a second to find that out, hence the cache.
    """
    missing: list[str] = []
    for target in (ground.srid, *({4326, 4490} - {ground.srid})):
        aimed = CRS.from_epsg(target)
        if source.equals(aimed, ignore_axis_order=True):
            return None
        found = _candidates(source, aimed, _interest(ground))
        good = [way for way in found.transformers if way.accuracy <= WORST_ACCURACY]
        if good and found.best_available:
            transformer: Transformer = good[0]
            return transformer
        missing += [grid.short_name for way in found.unavailable_operations for grid in way.grids if not grid.available]
    if missing:
        raise TransformationUnavailable(
            f"from {label(source)} to EPSG:{ground.srid} PROJ needs a grid that is not here; fetch it with"
            f" `projsync --file {missing[0]}`"
        )
    raise TransformationUnavailable(
        f"no accurate transformation from {label(source)} to EPSG:{ground.srid} is known, only a rough one that may be"
        " off by a hundred metres; give its surveyor's parameters or control points (docs/formats.md, control.yaml)"
    )


def _candidates(source: CRS, target: CRS, interest: AreaOfInterest | None) -> TransformerGroup:
    with warnings.catch_warnings():
        # That the best one lacks its grid is looked at here, and told.
        warnings.simplefilter("ignore", UserWarning)
        return TransformerGroup(
            source,
            target,
            always_xy=True,
            allow_ballpark=False,
            area_of_interest=interest,  # type: ignore[arg-type]  # the same class by two names
        )


def _interest(ground: Ground) -> AreaOfInterest | None:
    if ground.extent is not None:
        return AreaOfInterest(*ground.extent)
    area = ground.metric.area_of_use
    return AreaOfInterest(*area.bounds) if area else None


def _area(crs: CRS) -> Box | None:
    area = crs.area_of_use
    # A zone across the date line has its west east of its east.
    return None if area is None or area.west > area.east else around(area.bounds, SPILL_KM)


def around(box: Box | None, reach_km: float) -> Box | None:
    if box is None or math.isinf(reach_km):
        return None
    west, south, east, north = box
    up = reach_km / KM_PER_DEGREE
    aside = up / max(float(np.cos(np.radians(min(max(abs(south), abs(north)), 89.0)))), 0.01)
    return west - aside, south - up, east + aside, north + up


def label(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code} ({crs.name})" if code else crs.name


def _range(west: float, south: float, east: float, north: float) -> str:
    return f"{west:.2f} to {east:.2f} E, {south:.2f} to {north:.2f} N"
