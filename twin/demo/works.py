"""Engineering works as the model has them: sea wall, dikes, dam, sluices, pumping stations, bridges, tunnels, piers."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.defences import CREST_HALF, FACE, HIGHEST_TIDE, SEA_WALL_CREST, Defences, sluice_sill
from twin.demo.frame import Frame
from twin.demo.grid import Floats, Shapes
from twin.demo.ground_plan import GroundPlan
from twin.demo.landform import POLDER, Landform
from twin.demo.lattice import Rank
from twin.demo.layout import Layout
from twin.demo.network import Network
from twin.demo.parcels import CARRIAGEWAY
from twin.demo.shapes import one
from twin.demo.site import Site
from twin.demo.tables import ThemeWriter, attributes, numbered

# Pumping stations stand this far from their sluice along the wall, m.
PUMP_BESIDE = 22.0
PIER_LENGTH, PIER_WIDTH, PIERS_APART = 260.0, 26.0, 380.0


@dataclass(frozen=True)
class Pumps:
    """Pumping stations beside the sluices at the sea: places, and the number of the sluice each belongs to."""

    places: Shapes
    sluice: list[int]


def pump_stations(defences: Defences) -> Pumps:
    """A pumping station at every sluice in the sea wall."""
    wall = shapely.union_all(defences.sea_wall)
    places, numbers = [], []
    for number in np.flatnonzero(defences.sluice_at_sea).tolist():
        sluice = defences.sluices[number]
        ring = shapely.boundary(shapely.buffer(sluice, PUMP_BESIDE))
        cross = shapely.get_parts(shapely.intersection(ring, wall))
        if len(cross):
            places.append(cross[0])
            numbers.append(number)
    return Pumps(np.array(places, dtype=object), numbers)


def write_works(plan: GroundPlan, pumps: Pumps, writer: ThemeWriter) -> None:
    """All works. Heights and levels in m; levels above the 1985 datum."""
    _walls(plan.defences, writer)
    _dam(plan, writer)
    _sluices(plan.defences, writer)
    _stations(pumps, writer)
    _crossings(plan.network, writer)
    _write_piers(plan.site, writer)


def _walls(defences: Defences, writer: ThemeWriter) -> None:
    foot = CREST_HALF + (SEA_WALL_CREST - POLDER) / FACE
    writer.write(
        shapely.buffer(defences.sea_wall, foot, cap_style="flat", quad_segs=2),
        uid=numbered("seawall", range(len(defences.sea_wall))),
        class_="SeaWall",
        name="澜湾海塘",
        name_en="Lan Bay Sea Wall",
        height=SEA_WALL_CREST - POLDER,
        crest_level=SEA_WALL_CREST,
        width=2 * CREST_HALF,
        material="concrete",
        year_built=1998,
        attributes=attributes(design_return_period_years=100, highest_tide_m=HIGHEST_TIDE),
    )
    writer.write(
        shapely.buffer(defences.levee, CREST_HALF + 4, cap_style="flat", quad_segs=2),
        uid=numbered("dike", range(len(defences.levee))),
        class_="Dike",
        name="澜江堤防",
        name_en="Lan River Dike",
        crest_level=np.array([float(crest.min()) for crest in defences.levee_crest]).round(2),
        width=2 * CREST_HALF,
        material="earth",
        year_built=1987,
    )


def _dam(plan: GroundPlan, writer: ThemeWriter) -> None:
    land, defences = plan.site.land, plan.defences
    foot = float(land.grid.sample(land.ground, *land.river.dam_axis[0]))
    writer.write(
        one(defences.dam),
        uid=["dam-000000"],
        class_="Dam",
        name="云溪水库大坝",
        name_en="Yunxi Dam",
        height=round(defences.dam_crest - foot, 1),
        crest_level=round(defences.dam_crest, 2),
        width=10.0,
        material="rockfill",
        year_built=1972,
        attributes=attributes(full_level_m=round(defences.full_level, 2)),
    )


def _stations(pumps: Pumps, writer: ThemeWriter) -> None:
    writer.write(
        shapely.buffer(pumps.places, 9, quad_segs=1),
        uid=numbered("pumpstation", pumps.sluice),
        class_="PumpStation",
        name=[f"{number + 1}号排涝泵站" for number in pumps.sluice],
        name_en=[f"Pumping Station {number + 1}" for number in pumps.sluice],
        height=8.0,
        year_built=2006,
        attributes=attributes(capacity_m3_s=12.0, pumps=3),
    )


def _sluices(defences: Defences, writer: ThemeWriter) -> None:
    count = len(defences.sluices)
    writer.write(
        defences.sluices,
        uid=numbered("sluice", range(count)),
        class_="Sluice",
        name=[f"{i + 1}号水闸" for i in range(count)],
        name_en=[f"Sluice {i + 1}" for i in range(count)],
        height=np.round(SEA_WALL_CREST - np.full(count, sluice_sill()), 2),
        crest_level=SEA_WALL_CREST,
        sill_level=sluice_sill(),
        width=np.round(defences.sluice_width * 0.6, 1),
        material="concrete",
        year_built=1998,
        attributes=[
            attributes(in_front="sea" if sea else "river", gate="vertical lift", one_way=True)
            for sea in defences.sluice_at_sea.tolist()
        ],
    )


def _crossings(network: Network, writer: ThemeWriter) -> None:
    """Decks of bridges over water and the course of tunnels."""
    lines = network.lines
    width = np.array([CARRIAGEWAY[kind] + 3 for kind in Rank])[lines.rank]
    for which, kind, zh in ((lines.bridge, "Bridge", "桥"), (network.tunnel, "Tunnel", "隧道")):
        chosen = np.flatnonzero(which)
        writer.write(
            shapely.buffer(lines.shape[chosen], width[chosen] / 2, cap_style="flat"),
            uid=numbered(kind.lower(), chosen),
            class_=kind,
            name=[f"{zh}{number}" if kind == "Tunnel" else None for number in chosen.tolist()],
            width=width[chosen],
            material="concrete",
            attributes=[attributes(road=uid) for uid in numbered("road", chosen)],
        )


def _write_piers(site: Site, writer: ThemeWriter) -> None:
    piers = _piers(site.frame, site.layout, site.land)
    writer.write(
        piers,
        uid=numbered("pier", range(len(piers))),
        class_="Pier",
        name=[f"{number + 1}号码头" for number in range(len(piers))],
        name_en=[f"Pier {number + 1}" for number in range(len(piers))],
        crest_level=5.2,
        width=PIER_WIDTH,
        material="concrete",
        year_built=2004,
    )


def _piers(frame: Frame, layout: Layout, land: Landform) -> Shapes:
    """Piers that reach out from the port's shore."""
    coast = shapely.boundary(max(land.land, key=lambda polygon: polygon.area))
    here = float(shapely.line_locate_point(coast, shapely.Point(layout.port)))
    piers = []
    count = max(2, round(3 * frame.scale))
    for number in range(count):
        at = here + (number - (count - 1) / 2) * PIERS_APART
        root, ahead = shapely.get_coordinates(shapely.line_interpolate_point(coast, [at - 15, at + 15]))
        along = (ahead - root) / np.hypot(*(ahead - root))
        out: Floats = np.array((along[1], -along[0]))
        middle = (root + ahead) / 2
        if land.grid.sample(land.offshore, *(middle + out * 60)) < 0:
            out = -out
        tip = middle + out * PIER_LENGTH * np.sqrt(frame.scale)
        piers.append(shapely.buffer(shapely.LineString([middle - out * 4, tip]), PIER_WIDTH / 2, cap_style="flat"))
    return np.array(piers, dtype=object)
