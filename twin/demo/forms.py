"""Kinds of buildings: size, spacing, storeys, function and roof, and which of them stand on which land."""

from dataclasses import dataclass
from enum import IntEnum
from importlib import resources

import numpy as np
import yaml

from twin.demo.footprints import Shape
from twin.demo.grid import Floats, Ints
from twin.demo.uses import Use


class Kind(IntEnum):
    """Kinds of buildings."""

    NONE = 0
    SLAB = 1
    MID_RISE = 2
    TOWER = 3
    VILLA = 4
    OLD_HOUSE = 5
    VILLAGE_HOUSE = 6
    CITY_VILLAGE_HOUSE = 7
    SHOP = 8
    MALL = 9
    OFFICE = 10
    HOTEL = 11
    FACTORY_HALL = 12
    WAREHOUSE = 13
    SCHOOL = 14
    COLLEGE = 15
    HOSPITAL = 16
    CIVIC = 17
    CULTURE = 18
    TEMPLE = 19
    MARKET = 20
    UTILITY = 21
    TANK = 22
    SHED = 23
    STATION = 24


@dataclass(frozen=True)
class Form:
    """How buildings of one kind are built; `forms.yaml` tells what the columns mean."""

    function: str
    length: tuple[float, float]
    depth: tuple[float, float]
    gap: tuple[float, float]
    storeys: tuple[int, int]
    storey: float
    setback: float
    fill: float
    shapes: dict[Shape, float]
    roofs: dict[str, float]
    below: int = 0
    dwelling: float = 0.0
    southward: bool = False


def _forms() -> dict[Kind, Form]:
    table = yaml.safe_load(resources.files(__package__).joinpath("forms.yaml").read_bytes())
    forms = {}
    for name, row in table.items():
        row["shapes"] = {Shape[shape]: weight for shape, weight in row["shapes"].items()}
        forms[Kind[name]] = Form(**row)
    return forms


FORMS = _forms()

BY_USE: dict[Use, Kind] = {
    Use.FARMYARD: Kind.SHED, Use.URBAN_VILLAGE: Kind.CITY_VILLAGE_HOUSE, Use.OLD_HOUSES: Kind.OLD_HOUSE,
    Use.VILLAGE_HOUSES: Kind.VILLAGE_HOUSE, Use.VILLAS: Kind.VILLA, Use.SHOPS: Kind.SHOP, Use.MALL: Kind.MALL,
    Use.MARKET: Kind.MARKET, Use.OFFICES: Kind.OFFICE, Use.HOTEL: Kind.HOTEL, Use.FACTORY: Kind.FACTORY_HALL,
    Use.WAREHOUSE: Kind.WAREHOUSE, Use.PORT: Kind.WAREHOUSE, Use.PRIMARY_SCHOOL: Kind.SCHOOL,
    Use.MIDDLE_SCHOOL: Kind.SCHOOL, Use.COLLEGE: Kind.COLLEGE, Use.HOSPITAL: Kind.HOSPITAL, Use.CLINIC: Kind.CIVIC,
    Use.GOVERNMENT: Kind.CIVIC, Use.CULTURE: Kind.CULTURE, Use.SPORT: Kind.CULTURE, Use.TEMPLE: Kind.TEMPLE,
    Use.UTILITY: Kind.UTILITY, Use.FIRE_STATION: Kind.CIVIC, Use.POLICE: Kind.CIVIC, Use.BUS_STATION: Kind.MARKET,
    Use.RAILWAY_STATION: Kind.STATION,
}  # fmt: skip


def kinds_of(use: Ints, year: Ints, core: Floats, area: Floats, rng: np.random.Generator) -> Ints:
    """The kind of building on each parcel. year: when it was built up; core: nearness to a centre, 0 to 1; area: m2."""
    kind = np.array([BY_USE.get(what, Kind.NONE) for what in Use])[use]
    throw = rng.random(len(use))
    late = year + 9 * core > 2004 + 8 * throw
    mid = year > 1996
    homes = np.where(late & (throw < 0.62), Kind.TOWER, np.where(mid & (throw > 0.45), Kind.MID_RISE, Kind.SLAB))
    homes = np.where((homes == Kind.TOWER) & (area < 5000), Kind.MID_RISE, homes)
    homes = np.where((homes != Kind.SLAB) & (area < 2500), Kind.SLAB, homes)
    kind = np.where(use == Use.HOUSING, homes, kind)
    # Too little room for a large house: a smaller one of like purpose.
    kind = np.where((kind == Kind.MALL) & (area < 9000), Kind.SHOP, kind)
    kind = np.where((kind == Kind.OFFICE) & (area < 2600), Kind.SHOP, kind)
    kind = np.where((kind == Kind.SHOP) & (area < 900), Kind.OLD_HOUSE, kind)
    kind = np.where((kind == Kind.HOTEL) & (area < 4500), Kind.SHOP, kind)
    kind = np.where((kind == Kind.UTILITY) & (area > 15_000) & (throw < 0.6), Kind.TANK, kind)
    result: Ints = np.where((kind == Kind.WAREHOUSE) & (area < 6000), Kind.FACTORY_HALL, kind).astype(np.int64)
    return result


def year_built(use: Ints, age: Floats, rng: np.random.Generator) -> Ints:
    """Year in which each parcel was built up; later further out. age: 0 in the old town to 1 at the newest edge."""
    spread = rng.standard_normal(len(use))
    year = 1962 + 54 * age**0.6 + 7 * spread
    village = np.isin(use, (Use.VILLAGE_HOUSES, Use.URBAN_VILLAGE, Use.TEMPLE))
    year = np.where(village, 1999 + 9 * spread, year)
    year = np.where(use == Use.OLD_HOUSES, 1948 + 30 * spread, year)
    year = np.where(np.isin(use, (Use.OFFICES, Use.MALL, Use.CULTURE, Use.RAILWAY_STATION)), 2009 + 7 * spread, year)
    result: Ints = np.clip(np.round(year), 1860, 2025).astype(np.int64)
    return result
