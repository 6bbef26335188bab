"""Trips from zone to zone: matrices and lists of them, read, checked and put together."""

import csv
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from twin.traffic.errors import InvalidDemand
from twin.traffic.network import Flags, Floats, Ids, Integers
from twin.traffic.readers.tables import read_rows

MOST_TRIPS = 1e12


@dataclass(frozen=True, eq=False)
class VehicleClass:
    """Who drives: what a vehicle takes of the road, what its way costs besides time, where it may not go.

    pcu: passenger-car units a vehicle. seconds_per_toll, seconds_per_metre: what money and distance count as time.
    fixed_s: seconds besides, one a link. barred: flags of links that are closed to the class.
    """

    name: str = "car"
    pcu: float = 1.0
    seconds_per_toll: float = 0.0
    seconds_per_metre: float = 0.0
    fixed_s: Floats | None = None
    barred: Flags | None = None

    def __post_init__(self) -> None:
        if not self.pcu > 0:
            raise InvalidDemand(f"class {self.name}: {self.pcu} passenger-car units; a number above 0 is needed")
        if not (self.seconds_per_toll >= 0 and self.seconds_per_metre >= 0):
            raise InvalidDemand(f"class {self.name}: a toll or distance that pays back; use 0 or more")
        if self.fixed_s is not None and not (np.asarray(self.fixed_s) >= 0).all():
            raise InvalidDemand(f"class {self.name}: fixed_s below 0 or no number")


CAR = VehicleClass()


@dataclass(frozen=True, eq=False)
class Demand:
    """Trips of one class in an hour: `trips` vehicles from zones[origin] to zones[destination], each pair once."""

    zones: Ids
    origin: Integers
    destination: Integers
    trips: Floats
    vehicle: VehicleClass = CAR

    @classmethod
    def from_matrix(cls, matrix: npt.ArrayLike, zones: Iterable[Hashable], vehicle: VehicleClass = CAR) -> Self:
        """Demand from a square matrix, rows from, columns to. Raises InvalidDemand, naming the zones."""
        table, ids = np.asarray(matrix, np.float64), np.asarray(list(zones))
        if table.shape != (len(ids), len(ids)):
            raise InvalidDemand(f"a matrix of {table.shape} for {len(ids)} zones; it must be {len(ids)} x {len(ids)}")
        wrong = np.argwhere(~((table >= 0) & (table <= MOST_TRIPS)))
        if len(wrong):
            a, b = wrong[0]
            raise InvalidDemand(f"{table[a, b]} trips from zone {ids[a]} to zone {ids[b]} ({len(wrong)} such entries)")
        origin, destination = np.nonzero(table)
        return cls(ids, origin, destination, table[origin, destination], vehicle)

    @classmethod
    def from_pairs(
        cls,
        origins: Iterable[Hashable],
        destinations: Iterable[Hashable],
        trips: npt.ArrayLike,
        zones: Iterable[Hashable] | None = None,
        vehicle: VehicleClass = CAR,
    ) -> Self:
        """Demand from a list; pairs that stand twice add up. `zones`: those allowed, by default those named.

        Raises InvalidDemand for an unknown zone or a negative number, naming the line.
        """
        from_ids, to_ids = list(origins), list(destinations)
        numbers = np.broadcast_to(np.asarray(trips, np.float64), (len(from_ids),))
        ids = list(dict.fromkeys([*from_ids, *to_ids])) if zones is None else list(zones)
        index = {each: n for n, each in enumerate(ids)}
        for line, (a, b, number) in enumerate(zip(from_ids, to_ids, numbers, strict=True), 1):
            missing = next((each for each in (a, b) if each not in index), None)
            if missing is not None:
                raise InvalidDemand(f"trip {line}: zone {missing!r} is unknown; known are {_some(ids)}")
            if not 0 <= number <= MOST_TRIPS:
                raise InvalidDemand(f"trip {line}, {a!r} to {b!r}: {number} trips; use 0 or more")
        pairs = np.array([index[a] for a in from_ids], np.int64) * len(ids) + [index[b] for b in to_ids]
        unique, where = np.unique(pairs.astype(np.int64), return_inverse=True)
        sums = np.bincount(where, numbers, len(unique)).astype(np.float64)
        used = sums > 0
        origin, destination = np.divmod(unique[used], max(len(ids), 1))
        return cls(np.asarray(ids), origin, destination, sums[used], vehicle)

    @property
    def total(self) -> float:
        """Trips altogether."""
        return float(self.trips.sum())

    def matrix(self) -> Floats:
        """The square matrix, zones x zones."""
        out = np.zeros((len(self.zones), len(self.zones)))
        out[self.origin, self.destination] = self.trips
        return out

    def scaled(self, factor: float | Floats) -> Self:
        """The same demand times a number, or one number a pair."""
        return replace(self, trips=self.trips * factor)


def read_csv(path: Path, zones: Iterable[Hashable] | None = None, vehicle: VehicleClass = CAR) -> Demand:
    """Demand from a file with the columns origin, destination, trips (any order, more are passed over).

    Columns are parted by commas, semicolons or tabs. zones: ids of the network's zones, by which those of the file are
    recognised (as text). Raises InvalidDemand, naming the line.
    """
    known: dict[str, Any] | None = None if zones is None else {str(each): each for each in zones}
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidDemand(f"{path.name}: no UTF-8 text; save it as CSV in UTF-8") from None
    rows: list[tuple[Any, Any, float]] = []
    for row in read_rows(text, path.name, ("origin", "destination", "trips")):
        ends = [row.texts["origin"], row.texts["destination"]]
        unknown = next((each for each in ends if known is not None and each not in known), None)
        if unknown is not None:
            raise InvalidDemand(f"{path.name}, line {row.line}: zone {unknown!r} is unknown")
        try:
            trips = row.number("trips")
        except ValueError:
            raise InvalidDemand(f"{path.name}, line {row.line}: {row.texts['trips']!r} is no number") from None
        if not 0 <= trips <= MOST_TRIPS:
            raise InvalidDemand(f"{path.name}, line {row.line}: {trips} trips; use 0 or more")
        a, b = ends if known is None else (known[each] for each in ends)
        rows.append((a, b, trips))
    return Demand.from_pairs(
        [a for a, _, _ in rows],
        [b for _, b, _ in rows],
        [trips for _, _, trips in rows],
        None if known is None else known.values(),
        vehicle,
    )


def write_csv(path: Path, demand: Demand) -> None:
    """The table that `read_csv`, and the scenario as od_csv, reads: origin, destination, trips; pairs without none."""
    ends = demand.zones[demand.origin].tolist(), demand.zones[demand.destination].tolist()
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["origin", "destination", "trips"])
        table.writerows(zip(*ends, demand.trips.tolist(), strict=True))


def _some(ids: list[Any]) -> str:
    return ", ".join(map(str, ids[:5])) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
