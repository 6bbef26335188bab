"""What an OpenStreetMap feature is in the city model: tags to theme, class and columns.

Each reading is a pure function from tags to the columns of one theme, or None where the feature is no such thing. One
feature may be several things: a school is a building and a facility. The tables of values are in `classes.yaml`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import orjson
import yaml

from layers.formats.osm.values import integer, kilometres_per_hour, metres, present, storeys

Tags = Mapping[str, str]
Columns = dict[str, Any]

LAND_SCHEME: Final = "OSM"
ROUNDABOUTS: Final = ("roundabout", "circular")

# About the mapping itself, or the name in every other language; not about the city.
EDITORIAL: Final = ("created_by", "source", "note", "fixme", "FIXME", "attribution", "comment")
EDITORIAL_PREFIXES: Final = ("source:", "note:", "tiger:", "name:", "alt_name:", "old_name:", "official_name:")


def _by_value(classes: dict[str, list[str]]) -> dict[str, str]:
    return {value: kind for kind, values in classes.items() for value in values}


_TABLES: Final = yaml.safe_load(files(__package__).joinpath("classes.yaml").read_text(encoding="utf-8"))
ROADS: Final = _by_value(_TABLES["road"])
BUILDING_FUNCTIONS: Final = _by_value(_TABLES["building_function"])
ROOF_TYPES: Final = _by_value(_TABLES["roof_type"])
FACILITIES: Final = {key: _by_value(classes) for key, classes in _TABLES["facility"].items()}
LAND: Final = {key: frozenset(values) for key, values in _TABLES["land"].items()}
WATER_AREAS: Final = _by_value(_TABLES["water_area"])
WATER_LINES: Final = _by_value(_TABLES["water_line"])
CONSTRUCTIONS: Final = {key: _by_value(classes) for key, classes in _TABLES["construction"].items()}
NAMED_BARRIERS: Final = _by_value(_TABLES["named_barrier"])
RAILWAYS: Final = _by_value(_TABLES["railway"])
ADMINISTRATIVE_LEVELS: Final = _by_value(_TABLES["administrative_level"])


def building(tags: Tags) -> Columns | None:
    if tags.get("building", "no") == "no":
        return None
    height = metres(tags.get("height"))
    return {
        "class": "Building",
        "height": height,
        "height_source": None if height is None else "measured",
        "storeys": storeys(tags.get("building:levels")),
        "storeys_below": storeys(tags.get("building:levels:underground")),
        "function": BUILDING_FUNCTIONS.get(tags["building"]),
        "year_built": _year(tags),
        "roof_type": ROOF_TYPES.get(tags.get("roof:shape", "")),
        "dwellings": integer(tags.get("building:flats")),
    }


def land(tags: Tags) -> Columns | None:
    code = tags.get("landuse") or next((tags[key] for key, codes in LAND.items() if tags.get(key) in codes), None)
    if code is None and tags.get("highway") == "pedestrian" and not is_road(tags):
        code = "pedestrian"
    if code is None or building(tags) or water_area(tags):
        return None
    return {"class": "LandUse", "scheme": LAND_SCHEME, "code": code}


def water_area(tags: Tags) -> Columns | None:
    if tags.get("natural") == "water":
        return {"class": WATER_AREAS.get(tags.get("water", ""), "Water")}
    if tags.get("waterway") in ("riverbank", "dock"):
        return {"class": "River" if tags["waterway"] == "riverbank" else "Canal"}
    if tags.get("landuse") in ("reservoir", "basin"):
        return {"class": "Reservoir" if tags["landuse"] == "reservoir" else "Pond"}
    return {"class": "TidalFlat"} if tags.get("wetland") == "tidalflat" else None


def water_line(tags: Tags) -> Columns | None:
    kind = "Coastline" if tags.get("natural") == "coastline" else WATER_LINES.get(tags.get("waterway", ""))
    return {"class": kind} if kind else None


def construction(tags: Tags) -> Columns | None:
    kind = next((kinds[tags[key]] for key, kinds in CONSTRUCTIONS.items() if tags.get(key) in kinds), None)
    if kind is None and tags.get("name"):
        kind = NAMED_BARRIERS.get(tags.get("barrier", ""))
    if kind is None:
        return None
    return {
        "class": kind,
        "height": metres(tags.get("height")),
        "width": metres(tags.get("width")),
        "material": tags.get("material"),
        "year_built": _year(tags),
    }


def is_road(tags: Tags) -> bool:
    """Whether a way is an edge of the network: of a class that exists, and no square drawn as an area."""
    return tags.get("highway") in ROADS and tags.get("area") != "yes" and tags.get("type") != "multipolygon"


def road(tags: Tags) -> Columns | None:
    """Speed limits that only follow from national law are left empty."""
    if not is_road(tags):
        return None
    return {
        "class": ROADS[tags["highway"]],
        "ref": tags.get("ref"),
        "lanes": integer(tags.get("lanes")),
        "speed_kmh": kilometres_per_hour(tags.get("maxspeed")),
        "oneway": oneway(tags),
        "width": metres(tags.get("width")),
        "surface": tags.get("surface"),
        "bridge": present(tags.get("bridge")),
        "tunnel": present(tags.get("tunnel")),
        "vertical_level": integer(tags.get("layer")),
    }


def oneway(tags: Tags) -> bool | None:
    """Whether traffic goes one way only; None where that changes with the hour (reversible, alternating).

    Motorways and roundabouts are one-way unless they say otherwise (wiki.openstreetmap.org/wiki/Key:oneway).
    """
    value = tags.get("oneway")
    if value in ("yes", "true", "1", "-1", "reverse"):
        return True
    if value in ("no", "false", "0"):
        return False
    if value in ("reversible", "alternating"):
        return None
    return tags.get("highway") == "motorway" or tags.get("junction") in ROUNDABOUTS


def is_reversed(tags: Tags) -> bool:
    """Whether traffic goes against the direction in which the way is drawn."""
    return tags.get("oneway") in ("-1", "reverse")


def railway(tags: Tags) -> Columns | None:
    kind = RAILWAYS.get(tags.get("railway", ""))
    if kind is None:
        return None
    return {
        "class": kind,
        "gauge_mm": integer(tags.get("gauge")),
        "electrified": present(tags["electrified"]) if "electrified" in tags else None,
        "bridge": present(tags.get("bridge")),
        "tunnel": present(tags.get("tunnel")),
    }


def facility(tags: Tags) -> Columns | None:
    kind = next((kinds[tags[key]] for key, kinds in FACILITIES.items() if tags.get(key) in kinds), None)
    if kind is None and tags.get("shop", "no") not in ("no", "vacant"):
        kind = "Shop"
    if kind is None:
        return None
    parts = (tags.get("addr:street") or tags.get("addr:place"), tags.get("addr:housenumber"), tags.get("addr:city"))
    return {
        "class": kind,
        "capacity": integer(tags.get("capacity")),
        "address": tags.get("addr:full") or " ".join(part for part in parts if part) or None,
        "phone": tags.get("phone") or tags.get("contact:phone"),
    }


def wood(tags: Tags) -> Columns | None:
    is_wood = tags.get("natural") == "wood" or tags.get("landuse") == "forest"
    return _plants("Wood", tags) if is_wood else None


def tree_row(tags: Tags) -> Columns | None:
    return _plants("TreeRow", tags) if tags.get("natural") == "tree_row" else None


def tree(tags: Tags) -> Columns | None:
    return _plants("Tree", tags) if tags.get("natural") == "tree" else None


def administrative_area(tags: Tags) -> Columns | None:
    # A closed way that only lends its line to a boundary relation has no name.
    if tags.get("boundary") != "administrative" or "name" not in tags:
        return None
    return {
        "class": "AdministrativeArea",
        "code": tags.get("ref") or tags.get("ISO3166-2"),
        "level": ADMINISTRATIVE_LEVELS.get(tags.get("admin_level", "")),
        "population": integer(tags.get("population")),
    }


def _plants(kind: str, tags: Tags) -> Columns:
    return {
        "class": kind,
        "height": metres(tags.get("height")),
        "crown_diameter": metres(tags.get("diameter_crown")),
        "species": tags.get("species") or tags.get("genus"),
    }


def _year(tags: Tags) -> int | None:
    return integer(tags.get("start_date", "")[:4])


@dataclass(frozen=True)
class Reading:
    """How one theme reads tags. held: keys whose whole value is in a column, so that attributes need not repeat it."""

    theme: str
    columns: Callable[[Tags], Columns | None]
    held: tuple[str, ...] = ()

    def row(self, uid: str, tags: Tags) -> Columns | None:
        """The feature as a row of the theme, without geometry; None where it is no such thing."""
        columns = self.columns(tags)
        if columns is None:
            return None
        return {
            "uid": uid,
            "name": tags.get("name"),
            "name_en": tags.get("name:en"),
            **columns,
            "attributes": self.further(tags),
        }

    def further(self, tags: Tags) -> str:
        """What no column holds, as JSON."""
        kept = {
            key: value
            for key, value in tags.items()
            if key not in self.held and key not in EDITORIAL and not key.startswith(EDITORIAL_PREFIXES)
        }
        return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()


CONSTRUCTION: Final = Reading("construction", construction, ("name", "material"))
FACILITY: Final = Reading("facility", facility, ("name", "addr:full"))

AREAS: Final = (
    Reading("building", building, ("name",)),
    Reading("land", land, ("name", "landuse")),
    Reading("water", water_area, ("name",)),
    CONSTRUCTION,
    FACILITY,
    Reading("vegetation", wood, ("name",)),
    Reading("administrative_area", administrative_area, ("name", "boundary", "type")),
)
ROAD: Final = Reading("road", road, ("name", "ref", "surface"))
LINES: Final = (
    Reading("water", water_line, ("name",)),
    Reading("railway", railway, ("name",)),
    Reading("vegetation", tree_row, ("name", "natural")),
)
POINTS: Final = (CONSTRUCTION, FACILITY, Reading("vegetation", tree, ("name", "natural")))

# Keys by which any of these can hold; features without one are not looked at.
KEYS: Final = (
    "building",
    "highway",
    "railway",
    "landuse",
    "leisure",
    "natural",
    "wetland",
    "waterway",
    "man_made",
    "barrier",
    "amenity",
    "emergency",
    "tourism",
    "shop",
    "power",
    "boundary",
)
