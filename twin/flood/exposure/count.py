"""Exposure of a finished run: every state's water against the city, as tables, indicators and layers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from twin.flood.exposure.moving import people_to_move
from twin.flood.exposure.objects import Exposed, read_exposed
from twin.flood.exposure.roads import Closure, closures
from twin.flood.exposure.rules import Rules, rules
from twin.flood.raster import read_grid
from twin.flood.scenario.findings import Findings, number
from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.protocol import VectorLayer

Floats = npt.NDArray[np.float32]
UTC_TIME = pa.timestamp("us", tz="UTC")
LIVING = 0.3
SOLID = ["interpolate", ["linear"], ["zoom"], 13, 0, 13.6, ["coalesce", ["get", "height"], 6]]
DEPTH_SHADES = "#fde6a8", "#fbc46d", "#f59e42", "#e0672f", "#c2321f", "#7f1410"
# What the columns of layers are called, and their units.
TITLES = {
    "function": ("用途", "Function", None), "height": ("高度", "Height", "m"),
    "depth_m": ("最大水深", "Greatest depth", "m"),
    "depth_class": ("水深等级", "Class of depth", None), "people": ("人口", "People", "1"),
    "road": ("道路编号", "Road", None), "vehicle": ("车型", "Vehicle", None),
}  # fmt: skip


@dataclass(frozen=True)
class Counted:
    """What exposure adds to a result."""

    layers: list[VectorLayer]
    tables: dict[str, pa.Table]
    indicators: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Depths:
    """Depth at each object in each state, [object, state], m."""

    moments: list[datetime]
    buildings: Floats
    roads: Floats
    services: Floats


def count_exposure(city: City, findings: Findings, tell: Callable[[float], None]) -> Counted:
    """Buildings, people, roads and services in the water. tell: called with the share done."""
    law = rules()
    exposed = read_exposed(city, findings.ground, law)
    tell(0.3)
    depths = _depths(city, findings, exposed, tell)
    closed = closures(depths.roads, law.vehicles)
    moving = people_to_move(
        exposed,
        law,
        buildings=depths.buildings,
        roads=depths.roads,
        services=depths.services,
        moments=depths.moments,
    )
    tell(0.9)
    tables = {
        "exposure": exposure_table(exposed, law, depths),
        "facilities": _service_table(exposed, depths),
        "road_closures": _road_table(exposed, closed, depths.moments),
        "roads_by_hour": _roads_by_hour(exposed, law, depths),
        "people_to_move": moving,
        "damage": damage_table(exposed, law, depths.buildings.max(axis=1)),
    }
    layers = building_layer(exposed, law, depths), road_layer(exposed, closed, depths.moments)
    return Counted(
        # Where nothing is wet there is no such layer.
        [layer for layer in layers if layer.table.num_rows],
        tables,
        _indicators(exposed, law, depths, tables),
    )


def _depths(city: City, findings: Findings, exposed: Exposed, tell: Callable[[float], None]) -> Depths:
    columns: list[tuple[Floats, Floats, Floats]] = []
    for n in range(len(findings.outputs)):
        depth = read_grid(city.folder / f"depth-{n:03d}.tif")
        columns.append(
            (
                exposed.at_buildings.deepest(depth),
                exposed.on_roads.deepest(depth),
                exposed.at_services.deepest(depth),
            )
        )
        tell(0.3 + 0.5 * (n + 1) / len(findings.outputs))
    return Depths(findings.moments, *(np.stack(part, axis=1) for part in zip(*columns, strict=True)))


def township_of(exposed: Exposed) -> npt.NDArray[np.object_]:
    """The nine-digit code of each building's township, empty where its village is not known."""
    return np.array([(code or "")[:9] for code in exposed.buildings["village_code"]], object)


def exposure_table(exposed: Exposed, law: Rules, depths: Depths) -> pa.Table:
    """Buildings and people by state, township and depth class; rows without any are left out."""
    townships, place = np.unique(township_of(exposed).astype(str), return_inverse=True)
    names, count = law.class_names(), len(law.classes)
    rows: list[dict[str, Any]] = []
    for n, moment in enumerate(depths.moments):
        kind = law.class_of(depths.buildings[:, n].astype(np.float64))
        wet = kind >= 0
        cell = place[wet] * count + kind[wet]
        buildings = np.bincount(cell, minlength=len(townships) * count)
        people = np.bincount(cell, weights=exposed.people[wet], minlength=len(townships) * count)
        rows += [
            {
                "time": moment,
                "township_code": str(townships[at // count]),
                "township": exposed.names.get(str(townships[at // count]), ""),
                "depth": names[at % count],
                "buildings": int(buildings[at]),
                "people": round(float(people[at])),
            }
            for at in np.flatnonzero(buildings).tolist()
        ]
    return table(
        rows, time=UTC_TIME, township_code=pa.string(), township=pa.string(), depth=pa.string(), buildings=pa.int64(),
        people=pa.int64(),
    )  # fmt: skip


def damage_table(exposed: Exposed, law: Rules, deepest: Floats) -> pa.Table:
    """Direct loss by township and sector at the greatest depth."""
    above = np.clip(deepest - law.doorstep, 0, None).astype(np.float64)
    sectors = np.array([law.sector(kind) for kind in exposed.buildings["function"]], object)
    townships = township_of(exposed)
    rows = []
    for township in sorted(set(townships.tolist())):
        for sector in law.table["damage"]["curves"]:
            here = (townships == township) & (sectors == sector) & (above > 0)
            if here.any():
                rows.append(
                    {
                        "township_code": township,
                        "township": exposed.names.get(township, ""),
                        "sector": sector,
                        "buildings": int(here.sum()),
                        "ground_floor_m2": round(float(exposed.area[here].sum())),
                        "loss_cny": round(float(law.damage(sector, above[here], exposed.area[here]).sum())),
                    }
                )
    return table(
        rows, township_code=pa.string(), township=pa.string(), sector=pa.string(), buildings=pa.int64(),
        ground_floor_m2=pa.int64(), loss_cny=pa.int64(),
    )  # fmt: skip


def _service_table(exposed: Exposed, depths: Depths) -> pa.Table:
    """Hospitals, schools and shelters that water reached."""
    found = exposed.services
    rows = []
    for n in np.flatnonzero(depths.services.max(axis=1, initial=0) >= 0.05).tolist():
        series = depths.services[n]
        rows.append(
            {
                "uid": found["uid"][n],
                "name": found["name"][n],
                "class": found["class"][n],
                "capacity": found["capacity"][n],
                "greatest_depth_m": round(float(series.max()), 2),
                "first_wet": depths.moments[int(np.argmax(series >= 0.05))],
                "at_greatest": depths.moments[int(series.argmax())],
            }
        )
    return table(
        rows, uid=pa.string(), name=pa.string(), **{"class": pa.string()}, capacity=pa.int64(),
        greatest_depth_m=pa.float64(), first_wet=UTC_TIME, at_greatest=UTC_TIME,
    )  # fmt: skip


def _road_table(exposed: Exposed, closed: list[Closure], moments: list[datetime]) -> pa.Table:
    roads = exposed.roads
    length = shapely.length(roads.shape)
    rows = [
        {
            "uid": roads["uid"][each.road],
            "name": roads["name"][each.road],
            "class": roads["class"][each.road],
            "vehicle": each.vehicle,
            "closed_from": moments[each.first],
            "closed_to": moments[each.last] if each.last < len(moments) else None,
            "greatest_depth_m": round(each.depth, 2),
            "length_m": round(float(length[each.road]), 1),
        }
        for each in closed
    ]
    return table(
        rows, uid=pa.string(), name=pa.string(), **{"class": pa.string()}, vehicle=pa.string(), closed_from=UTC_TIME,
        closed_to=UTC_TIME, greatest_depth_m=pa.float64(), length_m=pa.float64(),
    )  # fmt: skip


def _roads_by_hour(exposed: Exposed, law: Rules, depths: Depths) -> pa.Table:
    length = shapely.length(exposed.roads.shape) / 1000
    rows = [
        {"time": moment, "vehicle": vehicle, "closed_km": round(float(length[depths.roads[:, n] >= limit].sum()), 2),
         "roads": int((depths.roads[:, n] >= limit).sum())}
        for n, moment in enumerate(depths.moments)
        for vehicle, limit in law.vehicles.items()
    ]  # fmt: skip
    return table(rows, time=UTC_TIME, vehicle=pa.string(), closed_km=pa.float64(), roads=pa.int64())


def depth_colour(classes: Sequence[float]) -> Any:
    """A colour for each class of `depth_m`, from pale to dark. classes: their lower limits, m."""
    places = np.linspace(0, len(DEPTH_SHADES) - 1, len(classes)).round().astype(int)
    first, *others = [DEPTH_SHADES[place] for place in places]
    steps = [each for limit, shade in zip(classes[1:], others, strict=True) for each in (limit, shade)]
    return ["step", ["get", "depth_m"], first, *steps] if steps else first


def building_layer(exposed: Exposed, law: Rules, depths: Depths) -> VectorLayer:
    """Buildings that water reached, from when it did."""
    deepest = depths.buildings.max(axis=1, initial=0)
    wet = np.flatnonzero(deepest >= law.classes[0])
    first = np.argmax(depths.buildings[wet] >= law.classes[0], axis=1)
    names = law.class_names()
    rows = [
        {
            "geometry": shapely.to_wkb(exposed.buildings.shape[n]),
            "uid": exposed.buildings["uid"][n],
            "name": exposed.buildings["name"][n],
            "function": exposed.buildings["function"][n],
            "height": exposed.buildings["height"][n],
            "depth_m": round(float(deepest[n]), 2),
            "depth_class": names[int(law.class_of(deepest[n : n + 1].astype(np.float64))[0])],
            "people": round(float(exposed.people[n]), 1),
            "valid_from": depths.moments[int(at)],
        }
        for n, at in zip(wet.tolist(), first.tolist(), strict=True)
    ]
    found = table(
        rows, geometry=pa.binary(), uid=pa.string(), name=pa.string(), function=pa.string(), height=pa.float64(),
        depth_m=pa.float64(), depth_class=pa.string(), people=pa.float64(), valid_from=UTC_TIME,
    )  # fmt: skip
    colour = depth_colour(law.classes)
    return VectorLayer(
        "flooded_buildings",
        Words("受淹建筑", "Flooded buildings"),
        found,
        [
            {"id": "fill", "type": "fill", "paint": {"fill-color": colour, "fill-outline-color": "#7a2a12"}},
            # As the city's own solids rise, so that these lie on them exactly.
            {
                "id": "3d",
                "type": "fill-extrusion",
                "slot": "solid",
                "minzoom": 13,
                "layout": {"visibility": "none"},
                "paint": {
                    "fill-extrusion-color": colour,
                    "fill-extrusion-height": SOLID,
                    "fill-extrusion-vertical-gradient": True,
                },
            },
        ],
    )


def road_layer(exposed: Exposed, closed: list[Closure], moments: list[datetime]) -> VectorLayer:
    """Roads while they are closed to a class of vehicles."""
    rows = [
        {
            "geometry": shapely.to_wkb(exposed.roads.shape[each.road]),
            "uid": f"{exposed.roads['uid'][each.road]}/{each.vehicle}/{each.first}",
            "road": exposed.roads["uid"][each.road],
            "name": exposed.roads["name"][each.road],
            "vehicle": each.vehicle,
            "depth_m": round(each.depth, 2),
            "valid_from": moments[each.first],
            "valid_to": moments[each.last] if each.last < len(moments) else None,
        }
        for each in closed
    ]
    found = table(
        rows, geometry=pa.binary(), uid=pa.string(), road=pa.string(), name=pa.string(), vehicle=pa.string(),
        depth_m=pa.float64(), valid_from=UTC_TIME, valid_to=UTC_TIME,
    )  # fmt: skip
    return VectorLayer(
        "closed_roads",
        Words("中断道路", "Closed roads"),
        found,
        [{"id": "line", "type": "line", "paint": {"line-color": "#c2321f", "line-width": 3}}],
    )


def _indicators(exposed: Exposed, law: Rules, depths: Depths, tables: dict[str, pa.Table]) -> dict[str, Any]:
    deepest = depths.buildings.max(axis=1, initial=0)
    wet = deepest >= law.classes[0]
    by_hour = tables["roads_by_hour"].to_pylist()
    move: dict[Any, int] = {}
    for row in tables["people_to_move"].to_pylist():
        move[row["time"]] = move.get(row["time"], 0) + row["people"]
    services = [row["class"] for row in tables["facilities"].to_pylist()]
    loss = sum(row["loss_cny"] for row in tables["damage"].to_pylist())
    return {
        "people_to_move": number(max(move.values(), default=0), "1", "需转移人数（最多时）", "People to move, at most"),
        "people_in_water": number(
            float(exposed.people[deepest >= LIVING].sum()), "1", "水深超 0.3 米处居民", "People where it is over 0.3 m"
        ),
        "flooded_buildings": number(int(wet.sum()), "1", "受淹建筑", "Buildings with water at their walls"),
        "closed_road_km": number(
            max((row["closed_km"] for row in by_hour if row["vehicle"] == "car"), default=0.0), "km",
            "小客车中断道路（最多时）", "Road closed to cars, at most",
        ),
        "hospitals_wet": number(services.count("Hospital"), "1", "受淹医院", "Hospitals reached"),
        "schools_wet": number(services.count("School"), "1", "受淹学校", "Schools reached"),
        "shelters_wet": number(services.count("Shelter"), "1", "受淹避灾点", "Shelters reached"),
        "direct_loss_cny": number(loss, "CNY", "直接损失（价值为虚构）", "Direct loss (values made up)"),
    }  # fmt: skip


def table(rows: list[dict[str, Any]], **columns: pa.DataType) -> pa.Table:
    """Rows as a table of typed columns, empty ones too."""
    return pa.Table.from_pylist(rows, schema=pa.schema([_field(name, kind) for name, kind in columns.items()]))


def _field(name: str, kind: pa.DataType) -> pa.Field:
    zh, en, unit = TITLES.get(name, (None, None, None))
    told = {"zh": zh, "en": en, "unit": unit}
    return pa.field(name, kind, metadata={key: text for key, text in told.items() if text is not None})
