"""Kinds of buildings: size, spacing, storeys, function and roof, and which of them stand on which land."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

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
    """How buildings of one kind are built.

    length, depth: range, m. gap: free space beside and behind each, m. storeys: range. storey: height of one, m.
    setback: from the parcel's edge, m. fill: share of places that are built on. shapes: weights. roofs: weights.
    dwelling: floor area of a dwelling, m2, where people live.
    """

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
    # Rows run east to west where the parcel's bearing allows, for the sun.
    southward: bool = False


FLAT = {"flat": 1.0}
MIXED_ROOF = {"flat": 0.55, "gabled": 0.35, "hipped": 0.1}
OLD_ROOF = {"gabled": 0.8, "hipped": 0.15, "flat": 0.05}
R, ST, L, U, C, H, X, T, E, O = Shape  # noqa: E741

FORMS: dict[Kind, Form] = {
    Kind.NONE: Form("other", (1, 1), (1, 1), (1, 1), (1, 1), 3.0, 1.0, 0.0, {R: 1}, FLAT),
    Kind.SLAB: Form(
        "residential", (32, 60), (11.5, 14), (7, 14.5), (5, 7), 2.9, 5, 0.97, {R: 0.6, ST: 0.4},
        {"flat": 0.75, "gabled": 0.25}, dwelling=95, southward=True,
    ),
    Kind.MID_RISE: Form(
        "residential", (30, 52), (14, 17), (9, 22), (9, 12), 3.0, 7, 0.95, {R: 0.3, ST: 0.55, T: 0.15}, FLAT, 1, 110, True
    ),
    Kind.TOWER: Form(
        "residential", (25, 36), (19, 24), (15, 29), (16, 33), 3.0, 9, 0.94, {X: 0.45, T: 0.2, H: 0.2, R: 0.15}, FLAT, 2,
        115, True,
    ),
    Kind.VILLA: Form(
        "residential", (12, 17), (10, 14), (8, 11), (2, 3), 3.3, 5, 0.93, {L: 0.5, R: 0.3, T: 0.2},
        {"hipped": 0.7, "gabled": 0.3}, 1, 260, True,
    ),
    Kind.OLD_HOUSE: Form(
        "residential", (8, 17), (8, 13), (0.8, 2.2), (1, 3), 3.1, 1.2, 0.93, {R: 0.6, L: 0.16, C: 0.12, U: 0.12}, OLD_ROOF,
        0, 110,
    ),
    Kind.VILLAGE_HOUSE: Form(
        "rural_residential", (9, 16), (9.5, 13), (1.4, 6.5), (2, 5), 3.2, 2.0, 0.88, {R: 0.82, L: 0.18}, MIXED_ROOF, 0, 180,
        True,
    ),
    Kind.CITY_VILLAGE_HOUSE: Form(
        "rural_residential", (9, 15), (10, 14), (1.6, 4.2), (4, 6), 3.1, 2.0, 0.95, {R: 0.9, L: 0.1}, FLAT, 0, 120, True
    ),
    Kind.SHOP: Form(
        "commercial", (22, 48), (14, 24), (8, 12), (2, 5), 4.2, 4, 0.93, {R: 0.5, L: 0.3, U: 0.2}, FLAT, 0
    ),
    Kind.MALL: Form("commercial", (70, 125), (48, 85), (16, 20), (4, 7), 5.2, 10, 1.0, {R: 0.35, C: 0.35, L: 0.3}, FLAT, 2),
    Kind.OFFICE: Form("office", (28, 44), (24, 36), (22, 24), (9, 32), 3.9, 9, 0.95, {R: 0.55, X: 0.2, L: 0.1, O: 0.15}, FLAT, 2),
    Kind.HOTEL: Form("hotel", (42, 62), (18, 24), (20, 24), (9, 24), 3.5, 9, 1.0, {R: 0.4, T: 0.3, L: 0.3}, FLAT, 1),
    Kind.FACTORY_HALL: Form(
        "industrial", (44, 96), (24, 48), (13, 14), (1, 4), 6.2, 8, 0.93, {R: 0.8, L: 0.12, U: 0.08},
        {"flat": 0.45, "gabled": 0.35, "sawtooth": 0.2},
    ),
    Kind.WAREHOUSE: Form("warehouse", (60, 125), (28, 48), (18, 20), (1, 2), 9.0, 12, 0.9, {R: 1}, {"gabled": 0.7, "flat": 0.3}),
    Kind.SCHOOL: Form(
        "education", (42, 66), (13, 34), (12, 15), (4, 5), 3.9, 7, 0.85, {R: 0.3, U: 0.3, L: 0.2, C: 0.1, E: 0.1}, FLAT
    ),
    Kind.COLLEGE: Form(
        "education", (55, 85), (16, 52), (22, 26), (5, 8), 3.9, 12, 0.85, {R: 0.35, U: 0.2, L: 0.2, C: 0.15, H: 0.1}, FLAT, 1
    ),
    Kind.HOSPITAL: Form("medical", (55, 85), (18, 46), (18, 22), (6, 14), 3.9, 10, 0.9, {H: 0.4, R: 0.25, T: 0.2, E: 0.15}, FLAT, 1),
    Kind.CIVIC: Form("public", (40, 76), (16, 40), (16, 18), (3, 9), 3.8, 8, 0.92, {U: 0.35, R: 0.35, H: 0.2, C: 0.1}, FLAT, 1),
    Kind.CULTURE: Form("culture", (60, 105), (50, 85), (24, 26), (2, 4), 6.0, 14, 1.0, {R: 0.3, O: 0.4, C: 0.3}, {"flat": 0.5, "dome": 0.5}, 1),
    Kind.TEMPLE: Form("religious", (16, 34), (14, 30), (6, 7), (1, 1), 7.0, 3, 0.9, {C: 0.6, R: 0.3, U: 0.1}, {"hipped": 1.0}),
    Kind.MARKET: Form("commercial", (48, 80), (30, 46), (12, 14), (1, 2), 6.0, 7, 1.0, {R: 1}, {"gabled": 0.6, "flat": 0.4}),
    Kind.UTILITY: Form("utility", (18, 34), (12, 20), (14, 16), (1, 2), 4.5, 8, 0.75, {R: 0.9, L: 0.1}, FLAT),
    Kind.TANK: Form("utility", (26, 34), (26, 34), (9, 9), (1, 1), 5.0, 10, 0.85, {O: 1}, FLAT),
    Kind.SHED: Form("agricultural", (30, 62), (8, 10), (6, 5), (1, 1), 3.6, 3, 0.7, {R: 1}, {"round": 0.6, "gabled": 0.4}),
    Kind.STATION: Form("transport", (150, 230), (50, 70), (30, 30), (2, 3), 9.0, 8, 1.0, {R: 1}, {"flat": 1.0}, 1),
}  # fmt: skip

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
