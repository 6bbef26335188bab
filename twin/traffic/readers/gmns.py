"""GMNS networks: a folder with node.csv and link.csv (Zephyr Foundation, GMNS 0.97)."""

import csv
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info
from pyproj.exceptions import CRSError

from twin.traffic.errors import InvalidNetwork
from twin.traffic.network import Flags, Floats, Ids, Integers, Network
from twin.traffic.readers.lines import Report
from twin.traffic.roads import CLASSES, MILE_KM, NOT_FOR_CARS, UNKNOWN, RoadClass, lane_capacity

# What the specification takes for a missing value, and what its own examples hold besides.
MISSING = {"", "nan", "null", "none"}
WHOLE = re.compile(r"^(-?\d+)\.0+$")
YES, NO = {"1", "true", "t", "yes"}, {"0", "false", "f", "no"}
CAR_USES = frozenset({"all", "auto", "car", "drive", "driving", "hov", "hov2", "hov3", "hov3+", "motor_vehicle", "sov"})
WALKED = NOT_FOR_CARS | {"bikeway", "crosswalk", "sidewalk", "trail", "walkway"}
METRES = {
    "foot": 0.3048, "feet": 0.3048, "ft": 0.3048, "kilometer": 1000.0, "kilometers": 1000.0, "kilometre": 1000.0,
    "kilometres": 1000.0, "km": 1000.0, "m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0,
    "mi": MILE_KM * 1000, "mile": MILE_KM * 1000, "miles": MILE_KM * 1000,
}  # fmt: skip
KMH = {
    "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "kmph": 1.0, "kilometers per hour": 1.0, "kilometres per hour": 1.0,
    "mph": MILE_KM, "mi/h": MILE_KM, "miles per hour": MILE_KM, "m/s": 3.6, "mps": 3.6, "ft/s": 0.3048 * 3.6,
}  # fmt: skip
# Facility types by which planners speak, as classes that defaults are known for.
FACILITIES = {
    "freeway": "motorway", "expressway": "trunk", "ramp": "motorway_link", "arterial": "primary",
    "major arterial": "primary", "minor arterial": "secondary", "collector": "tertiary", "local": "residential",
}  # fmt: skip
# A link may be so much shorter than the way as the crow flies: coordinates are rounded, projections stretch.
SHORTEST_SHARE = 0.9


@dataclass(frozen=True)
class _Table:
    """Rows of one file, texts by column; what is missing is empty."""

    name: str
    rows: list[dict[str, str]]

    def texts(self, column: str) -> list[str]:
        return [row.get(column, "") for row in self.rows]

    def numbers(self, column: str, otherwise: float = np.nan) -> Floats:
        found = np.full(len(self.rows), otherwise)
        for n, text in enumerate(self.texts(column)):
            try:
                found[n] = float(text) if text else otherwise
            except ValueError:
                found[n] = np.inf
            if np.isinf(found[n]):
                raise InvalidNetwork(f"{self.name}, row {n + 1}: {column} is {text[:40]!r}, no number")
        return found

    def keys(self, column: str) -> dict[str, int]:
        """Row by its id. Raises InvalidNetwork for one that is missing or stands twice."""
        found: dict[str, int] = {}
        for n, text in enumerate(self.texts(column)):
            if not text or text in found:
                raise InvalidNetwork(
                    f"{self.name}, row {n + 1}: {column} {text!r} stands twice" if text else
                    f"{self.name}, row {n + 1}: no {column}"
                )  # fmt: skip
            found[text] = n
        return found

    def where(self, flags: Flags) -> "_Table":
        return _Table(self.name, [row for row, kept in zip(self.rows, flags, strict=True) if kept])


def read_network(
    folder: Path, *, config: Mapping[str, str] | None = None, uses: Collection[str] = CAR_USES
) -> tuple[Network, Report]:
    """The links of a GMNS folder that `uses` may drive on, and a report of what was taken for granted.

    uses: of motor vehicles; a link whose allowed_uses are not told is theirs, unless it is a path.
    config: what config.csv should say, column by column (long_length, speed, crs), where the folder has none or a wrong
    one; units are never guessed. Capacity is per lane and hour, as specified. An undirected link becomes two with one
    id. Zones are those of zone_id: at the centroid (node_type) or else the node nearest to the middle of the zone's
    nodes; without any zone_id, at all nodes. Nobody drives through centroids. Coordinates come in the folder's CRS if
    it is in metres, otherwise in UTM; without crs they are nan. Ids are texts. Movements and lanes are not read.
    Raises InvalidNetwork, naming file, row and column.
    """
    nodes = _read(folder / "node.csv", "node_id", "x_coord", "y_coord")
    links = _read(folder / "link.csv", "link_id", "from_node_id", "to_node_id")
    about = _config(folder) | dict(config or {})
    report, index = Report(), nodes.keys("node_id")
    links.keys("link_id")
    if not any(links.texts("directed")):
        report.add("directed by default", len(links.rows))
    open_to_us = _allowed(links, folder, {each.lower() for each in uses})
    report.add("not for the uses asked for", int((~open_to_us).sum()))
    laned = links.numbers("lanes") != 0
    report.add("no lanes", int((open_to_us & ~laned).sum()))
    links = links.where(open_to_us & laned)
    if not links.rows:
        raise InvalidNetwork(f"{folder.name}: no link is for {', '.join(sorted(uses))}; see allowed_uses")
    crs, x, y, onto = _places(nodes, about.get("crs", ""))
    tail, head = (_ends(links, column, index) for column in ("from_node_id", "to_node_id"))
    ends = np.stack([np.stack([x[each], y[each]], axis=1) for each in (tail, head)], axis=1)
    shapes = _shapes(links, _drawn(links, folder, about), onto, ends, report) if crs else None
    length = _lengths(links, about, shapes, np.hypot(x[head] - x[tail], y[head] - y[tail]), report)
    time, capacity, lanes, classes = _service(links, about, length, report)
    both = ~_directed(links)
    way = np.concatenate([np.arange(len(links.rows)), np.flatnonzero(both)])
    against = np.arange(len(way)) >= len(links.rows)
    if shapes is not None:
        shapes = np.where(against, shapely.reverse(shapes[way]), shapes[way])
    network = Network.build(
        np.array(list(index)),
        np.where(against, head[way], tail[way]),
        np.where(against, tail[way], head[way]),
        time[way],
        capacity[way],
        x=x,
        y=y,
        through=np.array([each.lower() != "centroid" for each in nodes.texts("node_type")]),
        link_ids=np.array(links.texts("link_id"), object)[way],
        length_m=length[way],
        lanes=lanes[way],
        toll=links.numbers("toll", 0.0)[way],
        road_class=classes[way],
        geometry=shapes,
        crs=crs,
    )
    return _with_zones(network, nodes, report), report


def _read(path: Path, *needed: str) -> _Table:
    if not path.exists():
        raise InvalidNetwork(
            f"{path.parent.name}: no {path.name}; a GMNS network is a folder with node.csv and link.csv"
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            missing = set(needed) - set(lines.fieldnames or ())
            if missing:
                raise InvalidNetwork(f"{path.name}: no column {sorted(missing)[0]}; needed are {', '.join(needed)}")
            rows = [{name: _told(text) for name, text in row.items() if name is not None} for row in lines]
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidNetwork(f"{path.name}: no table of comma-separated UTF-8 text ({error})") from None
    return _Table(path.name, rows)


def _told(text: str | None) -> str:
    found = (text or "").strip()
    # Tables with gaps in a column come out of pandas with fractions in it.
    found = WHOLE.sub(r"\1", found)
    return "" if found.lower() in MISSING else found


def _config(folder: Path) -> dict[str, str]:
    if not (folder / "config.csv").exists():
        return {}
    rows = _read(folder / "config.csv").rows
    if len(rows) != 1:
        raise InvalidNetwork(f"config.csv: {len(rows)} rows; it has one")
    return rows[0]


def _unit(about: Mapping[str, str], column: str, known: Mapping[str, float]) -> float:
    told = about.get(column, "")
    if told.lower() not in known:
        raise InvalidNetwork(
            f"config.csv: {column} is {told!r}; use one of {', '.join(sorted(known))}, "
            f'or call the reader with config={{"{column}": ...}}'
        )
    return known[told.lower()]


def _places(nodes: _Table, told: str) -> tuple[str, Floats, Floats, Transformer | None]:
    """CRS in metres, places of the nodes in it, and how to come there from the file's; nan where no CRS is told."""
    x, y = nodes.numbers("x_coord"), nodes.numbers("y_coord")
    lost = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))
    if len(lost):
        raise InvalidNetwork(f"node.csv, row {lost[0] + 1}: x_coord or y_coord is missing")
    if not told:
        return "", np.full(len(x), np.nan), np.full(len(x), np.nan), None
    try:
        crs = CRS.from_user_input(int(told) if told.isdecimal() else told)
    except CRSError:
        raise InvalidNetwork(f"config.csv: crs {told[:60]!r} is unknown; give an EPSG code or a PROJ string") from None
    if crs.is_projected and all(axis.unit_name == "metre" for axis in crs.axis_info[:2]):
        return crs.to_string(), x, y, None
    lon, lat = Transformer.from_crs(crs, "OGC:CRS84", always_xy=True).transform(x.mean(), y.mean())
    zones = query_utm_crs_info("WGS 84", AreaOfInterest(lon, lat, lon, lat)) if np.isfinite([lon, lat]).all() else []
    if not zones:
        raise InvalidNetwork(
            f"node.csv: the middle of the nodes lies nowhere in {told}; are x_coord and y_coord swapped?"
        )
    onto = Transformer.from_crs(crs, f"EPSG:{zones[0].code}", always_xy=True)
    x, y = onto.transform(x, y)
    return f"EPSG:{zones[0].code}", x, y, onto


def _ends(links: _Table, column: str, index: Mapping[str, int]) -> Integers:
    found = [index.get(each, -1) for each in links.texts(column)]
    if -1 in found:
        row = links.rows[found.index(-1)]
        raise InvalidNetwork(f"link.csv, link {row['link_id']}: {column} {row[column]!r} is no node of node.csv")
    return np.array(found, np.int64)


def _directed(links: _Table) -> Flags:
    told = [each.lower() or "1" for each in links.texts("directed")]
    odd = next((n for n, each in enumerate(told) if each not in YES | NO), None)
    if odd is not None:
        raise InvalidNetwork(f"link.csv, link {links.rows[odd]['link_id']}: directed is {told[odd]!r}; use 1 or 0")
    return np.array([each in YES for each in told], np.bool_)


def _allowed(links: _Table, folder: Path, uses: set[str]) -> Flags:
    """By allowed_uses, a name of which may be a group of use_group.csv; where it tells nothing, by facility."""
    groups: dict[str, list[str]] = {}
    if (folder / "use_group.csv").exists():
        table = _read(folder / "use_group.csv", "use_group", "uses")
        groups = {row["use_group"].lower(): _names(row["uses"]) for row in table.rows}

    def drives(name: str, seen: frozenset[str] = frozenset()) -> bool:
        inner = groups.get(name, []) if name not in seen else []
        return name in uses or any(drives(each, seen | {name}) for each in inner)

    told = [_names(each) for each in links.texts("allowed_uses")]
    walked = [each in WALKED for each in _facilities(links)]
    return np.array(
        [
            any(drives(name) for name in names) if names else not on_foot
            for names, on_foot in zip(told, walked, strict=True)
        ],
        np.bool_,
    )


def _names(text: str) -> list[str]:
    return [name.strip().lower() for name in text.replace(";", ",").split(",") if name.strip()]


def _facilities(links: _Table) -> list[str]:
    """facility_type; osm2gmns calls it link_type_name."""
    found = [row.get("facility_type", "") or row.get("link_type_name", "") for row in links.rows]
    return [FACILITIES.get(each, each) for each in (text.lower() for text in found)]


def _drawn(links: _Table, folder: Path, about: Mapping[str, str]) -> Ids:
    """Texts of the links' lines, in link.csv or by geometry_id in geometry.csv."""
    form = about.get("geometry_field_format", "") or "wkt"
    if form.lower() != "wkt":
        raise InvalidNetwork(f"config.csv: geometry_field_format is {form!r}; only WKT is read")
    elsewhere: dict[str, str] = {}
    if (folder / "geometry.csv").exists():
        table = _read(folder / "geometry.csv", "geometry_id", "geometry")
        elsewhere = {row["geometry_id"]: row["geometry"] for row in table.rows}
    return np.array(
        [row.get("geometry", "") or elsewhere.get(row.get("geometry_id", ""), "") for row in links.rows], object
    )


def _shapes(links: _Table, texts: Ids, onto: Transformer | None, ends: Floats, report: Report) -> Ids:
    """Lines in the network's CRS from tail to head (dir_flag -1: drawn the other way); straight without one."""
    drawn = np.asarray(shapely.from_wkt(texts, on_invalid="ignore"), object)
    good = (shapely.get_type_id(drawn) == shapely.GeometryType.LINESTRING) & ~shapely.is_empty(drawn)
    report.add("line not understood", int(((texts != "") & ~good).sum()))
    report.add("straight line", int((~good).sum()))
    if onto is not None:
        drawn[good] = shapely.transform(drawn[good], lambda xy: np.stack(onto.transform(xy[:, 0], xy[:, 1]), axis=1))
    turned = good & (links.numbers("dir_flag", 1.0) == -1)
    drawn[turned] = shapely.reverse(drawn[turned])
    drawn[~good] = shapely.linestrings(ends[~good])
    return drawn


def _lengths(links: _Table, about: Mapping[str, str], shapes: Ids | None, direct: Floats, report: Report) -> Floats:
    told = links.numbers("length")
    length = told * (_unit(about, "long_length", METRES) if np.isfinite(told).any() else 1.0)
    missing = ~np.isfinite(length)
    report.add("length by its line", int(missing.sum()))
    if missing.any() and shapes is None:
        link = links.rows[int(np.argmax(missing))]["link_id"]
        raise InvalidNetwork(f"link.csv, link {link}: no length, and no crs is told that it could be measured in")
    report.add("shorter than the straight way", int((length < SHORTEST_SHARE * direct).sum()))
    return length if shapes is None else np.where(missing, shapely.length(shapes), length)


def _service(
    links: _Table, about: Mapping[str, str], length: Floats, report: Report
) -> tuple[Floats, Floats, Floats, Ids]:
    """Seconds on the empty road, capacity of all lanes, lanes, classes; defaults by class where nothing is told."""
    classes = _facilities(links)
    kinds: list[RoadClass] = [CLASSES.get(each, UNKNOWN) for each in classes]
    report.add("unknown class", sum(each not in CLASSES for each in classes))
    speed = links.numbers("free_speed")
    speed *= _unit(about, "speed", KMH) if np.isfinite(speed).any() else 1.0
    standing = np.flatnonzero(speed <= 0)
    if len(standing):
        raise InvalidNetwork(f"link.csv, link {links.rows[standing[0]]['link_id']}: free_speed is 0 or less")
    lanes, each_lane = links.numbers("lanes"), links.numbers("capacity")
    for what, values in (("speed by class", speed), ("lanes by class", lanes), ("capacity by class", each_lane)):
        report.add(what, int((~np.isfinite(values)).sum()))
    speed = np.where(np.isfinite(speed), speed, [kind.speed_kmh for kind in kinds])
    lanes = np.where(np.isfinite(lanes), lanes, [kind.lanes for kind in kinds])
    each_lane = np.where(np.isfinite(each_lane), each_lane, [lane_capacity(kind) for kind in kinds])
    return length / (speed / 3.6), each_lane * lanes, lanes, np.array(classes, object)


def _with_zones(network: Network, nodes: _Table, report: Report) -> Network:
    members: dict[str, list[int]] = {}
    for n, zone in enumerate(nodes.texts("zone_id")):
        if zone:
            members.setdefault(zone, []).append(n)
    if not members:
        return network
    seats: list[str] = []
    for each in members.values():
        chosen = [n for n in each if not network.through[n]] or each
        x, y = network.x[chosen], network.y[chosen]
        away = np.nan_to_num(np.hypot(x - x.mean(), y - y.mean()))
        seats.append(str(network.node_ids[chosen[int(np.argmin(away))]]))
        report.add("zone of many nodes", len(chosen) > 1)
    return network.with_zones(members, seats)
