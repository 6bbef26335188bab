"""What each block and parcel is for, with its land use code, and which blocks hold the public services."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import shapely

from twin.demo.districts import Zone
from twin.demo.divisions import Divisions
from twin.demo.grid import Bools, Floats, Ints, Shapes
from twin.demo.site import Site
from twin.demo.streets import HECTARE, Streets

SCHEME, EDITION = "GB/T 21010", "2017"


class Use(IntEnum):
    """Purpose of a parcel."""

    FIELD = 0
    ORCHARD = 1
    POND = 2
    FARMYARD = 3
    FOREST = 4
    SCRUB = 5
    VACANT = 6
    GREEN = 7
    PARK = 8
    STREET = 9
    WATERSIDE = 10
    HOUSING = 11
    URBAN_VILLAGE = 12
    OLD_HOUSES = 13
    VILLAGE_HOUSES = 14
    VILLAS = 15
    SHOPS = 16
    MALL = 17
    MARKET = 18
    OFFICES = 19
    HOTEL = 20
    FACTORY = 21
    WAREHOUSE = 22
    PORT = 23
    PRIMARY_SCHOOL = 24
    MIDDLE_SCHOOL = 25
    COLLEGE = 26
    HOSPITAL = 27
    CLINIC = 28
    GOVERNMENT = 29
    CULTURE = 30
    SPORT = 31
    TEMPLE = 32
    UTILITY = 33
    FIRE_STATION = 34
    POLICE = 35
    BUS_STATION = 36
    RAILWAY_STATION = 37
    PARKING = 38


@dataclass(frozen=True)
class Ground:
    """How land of one use is cut up.

    code: in GB/T 21010-2017. parcel: wished size, hectares. aspect: length over width. instead: other uses that some
    of its parcels have, with their shares.
    """

    code: str
    parcel: float = 1e6
    aspect: float = 1.0
    instead: tuple[tuple[Use, float], ...] = ()


GROUND: dict[Use, Ground] = {
    Use.FIELD: Ground("0101", 1.0, 2.2),
    Use.ORCHARD: Ground("0201", 1.2, 1.3),
    Use.POND: Ground("1104"),
    Use.FARMYARD: Ground("1202"),
    Use.FOREST: Ground("0301", 30.0),
    Use.SCRUB: Ground("0305", 20.0),
    Use.VACANT: Ground("1201"),
    Use.GREEN: Ground("0810"),
    Use.PARK: Ground("0810"),
    Use.STREET: Ground("1004"),
    Use.WATERSIDE: Ground("1109"),
    Use.HOUSING: Ground("0701", 1.7, 1.2, ((Use.SHOPS, 0.05), (Use.GREEN, 0.03), (Use.PARKING, 0.012))),
    Use.URBAN_VILLAGE: Ground("0701", 0.5, 1.3, ((Use.SHOPS, 0.05), (Use.GREEN, 0.02))),
    Use.OLD_HOUSES: Ground("0701", 0.2, 1.3, ((Use.SHOPS, 0.16), (Use.GREEN, 0.04), (Use.TEMPLE, 0.012))),
    Use.VILLAGE_HOUSES: Ground("0702", 0.3, 1.3, ((Use.GREEN, 0.05), (Use.VACANT, 0.05), (Use.TEMPLE, 0.015))),
    Use.VILLAS: Ground("0701", 3.0),
    Use.SHOPS: Ground("0501", 0.7, 1.4, ((Use.PARKING, 0.06),)),
    Use.MALL: Ground("0501", 3.0),
    Use.MARKET: Ground("0502", 2.0),
    Use.OFFICES: Ground(
        "0505", 0.75, 1.2, ((Use.SHOPS, 0.18), (Use.HOTEL, 0.07), (Use.GREEN, 0.04), (Use.PARKING, 0.04))
    ),
    Use.HOTEL: Ground("0504"),
    Use.FACTORY: Ground("0601", 2.4, 1.5, ((Use.WAREHOUSE, 0.15), (Use.VACANT, 0.05), (Use.GREEN, 0.02))),
    Use.WAREHOUSE: Ground("0604", 2.5, 1.6),
    Use.PORT: Ground("1008", 4.5, 1.7),
    Use.PRIMARY_SCHOOL: Ground("0803"),
    Use.MIDDLE_SCHOOL: Ground("0803"),
    Use.COLLEGE: Ground("0803"),
    Use.HOSPITAL: Ground("0805"),
    Use.CLINIC: Ground("0805"),
    Use.GOVERNMENT: Ground("0801"),
    Use.CULTURE: Ground("0807"),
    Use.SPORT: Ground("0808"),
    Use.TEMPLE: Ground("0904"),
    Use.UTILITY: Ground("0809"),
    Use.FIRE_STATION: Ground("0809"),
    Use.POLICE: Ground("0801"),
    Use.BUS_STATION: Ground("1005"),
    Use.RAILWAY_STATION: Ground("1005"),
    Use.PARKING: Ground("1005"),
}

# Shares of uses among the blocks of a zone that no public service takes.
MIX: dict[Zone, tuple[tuple[Use, float], ...]] = {
    Zone.RURAL: ((Use.FIELD, 1.0),),
    Zone.VILLAGE: ((Use.VILLAGE_HOUSES, 1.0),),
    Zone.TOWN: (
        (Use.URBAN_VILLAGE, 0.46), (Use.HOUSING, 0.26), (Use.SHOPS, 0.12), (Use.FACTORY, 0.08), (Use.PARK, 0.04),
        (Use.VACANT, 0.04),
    ),
    Zone.SUBURB: (
        (Use.HOUSING, 0.42), (Use.URBAN_VILLAGE, 0.15), (Use.FACTORY, 0.13), (Use.FIELD, 0.12), (Use.VACANT, 0.07),
        (Use.VILLAS, 0.05), (Use.PARK, 0.04), (Use.SHOPS, 0.02),
    ),
    Zone.RESIDENTIAL: (
        (Use.HOUSING, 0.70), (Use.URBAN_VILLAGE, 0.10), (Use.SHOPS, 0.06), (Use.OFFICES, 0.03), (Use.PARK, 0.05),
        (Use.VACANT, 0.02), (Use.VILLAS, 0.02), (Use.FACTORY, 0.02),
    ),
    Zone.CORE: (
        (Use.HOUSING, 0.50), (Use.SHOPS, 0.15), (Use.OFFICES, 0.17), (Use.URBAN_VILLAGE, 0.07), (Use.PARK, 0.05),
        (Use.MALL, 0.03), (Use.HOTEL, 0.03),
    ),
    Zone.CENTRE: (
        (Use.OFFICES, 0.52), (Use.SHOPS, 0.12), (Use.MALL, 0.12), (Use.HOUSING, 0.12), (Use.HOTEL, 0.06),
        (Use.PARK, 0.06),
    ),
    Zone.OLD_TOWN: ((Use.OLD_HOUSES, 0.86), (Use.SHOPS, 0.08), (Use.PARK, 0.04), (Use.TEMPLE, 0.02)),
    Zone.INDUSTRY: (
        (Use.FACTORY, 0.80), (Use.WAREHOUSE, 0.10), (Use.VACANT, 0.04), (Use.GREEN, 0.03), (Use.HOUSING, 0.03),
    ),
    Zone.PORT: ((Use.PORT, 0.85), (Use.WAREHOUSE, 0.15)),
}  # fmt: skip


@dataclass(frozen=True)
class Service:
    """A public service: one block in each division, of about `size` hectares, in one of the zones.

    within: "village" (only communities of the town), "township" or "county". count: how many in each county of the
    standard size; they grow with the city.
    """

    use: Use
    within: str
    size: float
    zones: tuple[Zone, ...]
    count: int = 1


BUILT = (Zone.RESIDENTIAL, Zone.SUBURB, Zone.TOWN, Zone.CORE)
SERVICES = (
    Service(Use.GOVERNMENT, "county", 3.0, (Zone.CENTRE, Zone.CORE)),
    Service(Use.CULTURE, "county", 2.5, (Zone.CENTRE, Zone.CORE), 3),
    Service(Use.HOSPITAL, "county", 4.5, (Zone.CORE, Zone.RESIDENTIAL), 2),
    Service(Use.COLLEGE, "county", 9.0, (Zone.SUBURB, Zone.RESIDENTIAL), 2),
    Service(Use.SPORT, "county", 6.0, (Zone.RESIDENTIAL, Zone.CORE)),
    Service(Use.UTILITY, "county", 4.0, (Zone.SUBURB, Zone.INDUSTRY), 4),
    Service(Use.BUS_STATION, "county", 2.0, (Zone.RESIDENTIAL, Zone.SUBURB), 2),
    Service(Use.MIDDLE_SCHOOL, "township", 4.0, BUILT),
    Service(Use.HOSPITAL, "township", 2.5, BUILT),
    Service(Use.GOVERNMENT, "township", 1.2, BUILT),
    Service(Use.FIRE_STATION, "township", 0.9, BUILT),
    Service(Use.POLICE, "township", 0.8, BUILT),
    Service(Use.MARKET, "township", 1.6, BUILT),
    Service(Use.PRIMARY_SCHOOL, "village", 2.4, (*BUILT, Zone.OLD_TOWN)),
    Service(Use.PARK, "village", 2.6, (*BUILT, Zone.CENTRE)),
)


def plan_uses(site: Site, divisions: Divisions, streets: Streets, station: Floats) -> Ints:
    """The use of each block. station: where the railway station is to be."""
    rng = site.frame.random("uses")
    blocks, zone = streets.blocks, streets.zone
    inside = shapely.point_on_surface(blocks)
    area = shapely.area(blocks) / HECTARE
    use = np.full(len(blocks), -1)
    _place_once(use, shapely.distance(blocks, shapely.Point(station)), Use.RAILWAY_STATION)
    beside_hill = np.abs(area - 6) + shapely.distance(blocks, shapely.Point(site.layout.new_town)) / 150
    _place_once(use, np.where(np.isin(zone, (Zone.CENTRE, Zone.CORE)), beside_hill, np.inf), Use.PARK)
    village = divisions.village_of(inside)
    township = divisions.township_of[village]
    for service in SERVICES:
        group = {"village": village, "township": township, "county": np.zeros_like(village)}[service.within]
        rounds = max(1, round(service.count * site.frame.scale)) if service.within == "county" else 1
        for _ in range(rounds):
            fit = np.isin(zone, service.zones) & (use < 0) & _stout(blocks)
            _place_in_each(
                use, fit, group, np.abs(np.log(area / service.size)) + 0.3 * rng.random(len(area)), service.use
            )
    for kind in Zone:
        free = np.flatnonzero((zone == kind) & (use < 0))
        uses, shares = zip(*MIX[kind], strict=True)
        use[free] = rng.choice(np.array(uses, dtype=np.int64), size=len(free), p=np.array(shares) / sum(shares))
    slivers = (area < 0.12) | (~_stout(blocks, 0.18) & (area < 1.0))
    use[slivers & (zone != Zone.RURAL)] = Use.GREEN
    return use


def _stout(blocks: Shapes, least: float = 0.45) -> Bools:
    """Blocks that are not drawn out: 1 is a circle, a square has 0.79."""
    result: Bools = 4 * np.pi * shapely.area(blocks) / shapely.length(blocks) ** 2 > least
    return result


def _place_once(use: Ints, badness: Floats, what: Use) -> None:
    free = np.where(use < 0, badness, np.inf)
    if np.isfinite(free).any():
        use[free.argmin()] = what


def _place_in_each(use: Ints, fit: Bools, group: Ints, badness: Floats, what: Use) -> None:
    """The best fitting block of each group gets the use, unless the group has no block of nearly the right size."""
    candidates = np.flatnonzero(fit & (badness < 1.1))
    order = candidates[np.lexsort((badness[candidates], group[candidates]))]
    first = np.concatenate(([True], np.diff(group[order]) != 0)) if len(order) else np.zeros(0, dtype=bool)
    use[order[first]] = what
