"""The road network as the model has it: edges between nodes, with names, lanes, speeds, bridges and tunnels."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.arterials import CANAL_ROAD, COAST_ROAD, FIRST_LINE, FOOT_ROAD, RIVER_ROAD
from twin.demo.districts import URBAN, Districts
from twin.demo.frame import Frame
from twin.demo.grid import Bools, Floats, Grid, Ints
from twin.demo.lattice import Rank
from twin.demo.linework import Linework, components, join, node_ids
from twin.demo.names import CITY_EN, CITY_ZH, NameBook, named
from twin.demo.parcels import CARRIAGEWAY
from twin.demo.streets import FIRST_SIDE_STREET, HILL_ROAD
from twin.demo.tables import ThemeWriter, attributes, numbered
from twin.demo.through_routes import MOTORWAY, ThroughRoutes

CLASSES = {
    Rank.MOTORWAY: "motorway", Rank.MOTORWAY_LINK: "motorway_link", Rank.TRUNK: "trunk", Rank.PRIMARY: "primary",
    Rank.SECONDARY: "secondary", Rank.TERTIARY: "tertiary", Rank.RESIDENTIAL: "residential", Rank.SERVICE: "service",
}  # fmt: skip
LANES = {Rank.MOTORWAY: 3, Rank.MOTORWAY_LINK: 1, Rank.TRUNK: 6, Rank.PRIMARY: 6, Rank.SECONDARY: 4}
# km/h.
SPEED = {
    Rank.MOTORWAY: 100, Rank.MOTORWAY_LINK: 40, Rank.TRUNK: 70, Rank.PRIMARY: 60, Rank.SECONDARY: 50, Rank.TERTIARY: 40,
    Rank.RESIDENTIAL: 30, Rank.SERVICE: 20,
}  # fmt: skip
VIADUCT = 9.0
OWN_NAMES = {
    COAST_ROAD: ("滨海大道", "Binhai Avenue"), FOOT_ROAD: ("环山路", "Huanshan Road"),
    RIVER_ROAD: ("江滨路", "Jiangbin Road"), MOTORWAY: (f"{CITY_ZH[:-1]}高速", f"{CITY_EN} Expressway"),
}  # fmt: skip


@dataclass(frozen=True)
class Network:
    """All roads. start, end: node of each line; places: of the nodes; degree: lines at each node."""

    lines: Linework
    tunnel: Bools
    start: Ints
    end: Ints
    places: Floats
    degree: Ints

    @property
    def length(self) -> Floats:
        """Of each line, m."""
        result: Floats = shapely.length(self.lines.shape)
        return result


def connect(streets: Linework, routes: ThroughRoutes) -> Network:
    """Streets, motorway and ramps as one connected graph."""
    lines = join(streets, routes.lines)
    tunnel = np.concatenate((np.zeros(len(streets), dtype=bool), routes.tunnel))
    places, start, end = node_ids(lines)
    label = components(start, end, len(places))
    used = label[start] == np.bincount(label[start]).argmax()
    lines, tunnel = lines.take(used), tunnel[used]
    places, start, end = node_ids(lines)
    degree = np.bincount(np.concatenate((start, end)), minlength=len(places))
    return Network(lines, tunnel, start, end, places, degree)


def write_roads(
    frame: Frame,
    network: Network,
    districts: Districts,
    grid: Grid,
    ground: Floats,
    roads: ThemeWriter,
    nodes: ThemeWriter,
) -> None:
    """The network's edges and nodes. ground: elevation on `grid`, m."""
    lines, rank = network.lines, network.lines.rank
    node_uid = np.array(numbered("node", range(len(network.places))), dtype=object)
    zh, en = _names(frame, lines)
    width = np.array([CARRIAGEWAY[kind] for kind in Rank])[rank]
    elevated = rank <= Rank.MOTORWAY_LINK
    own_class = np.array([CLASSES.get(kind, "") for kind in Rank], dtype=object)[rank]
    own_class[lines.street == HILL_ROAD] = "unclassified"
    middle = shapely.line_interpolate_point(lines.shape, 0.5, normalized=True)
    urban = districts.at(districts.urban, shapely.get_x(middle), shapely.get_y(middle)) > URBAN
    roads.write(
        lines.shape,
        uid=numbered("road", range(len(lines))),
        class_=own_class.tolist(),
        name=zh,
        name_en=en,
        ref=np.where(lines.street == MOTORWAY, "S990", None).tolist(),
        lanes=np.array([LANES.get(kind, 2 if kind != Rank.SERVICE else 1) for kind in Rank])[rank],
        speed_kmh=np.array([float(SPEED.get(kind, 20)) for kind in Rank])[rank],
        oneway=elevated,
        width=width,
        surface=np.where((rank >= Rank.RESIDENTIAL) & ~urban, "concrete", "asphalt").tolist(),
        bridge=lines.bridge,
        tunnel=network.tunnel,
        vertical_level=np.where(network.tunnel, -1, np.where(lines.bridge, 1, 0)),
        start_node=node_uid[network.start],
        end_node=node_uid[network.end],
    )
    best = np.full(len(network.places), int(Rank.BORDER))
    np.minimum.at(best, network.start, rank)
    np.minimum.at(best, network.end, rank)
    crossing = np.bincount(
        np.concatenate((network.start, network.end)),
        weights=np.tile((rank <= Rank.SECONDARY) & ~elevated, 2),
        minlength=len(best),
    )
    kind = np.where(
        network.degree == 1, "end", np.where((crossing >= 3) & (best > Rank.MOTORWAY_LINK), "signal", "junction")
    )
    row, column = grid.cells(*network.places.T)
    level = ground[row, column] + np.where(best <= Rank.MOTORWAY, VIADUCT, 0)
    nodes.write(
        shapely.points(network.places),
        uid=node_uid,
        class_="RoadNode",
        kind=kind.tolist(),
        degree=network.degree,
        elevation=np.round(level.astype(float), 2),
    )


def _names(frame: Frame, lines: Linework) -> tuple[list[str | None], list[str | None]]:
    """Names of the streets, Chinese and English; the longest get theirs first, canal sides and hill roads none."""
    street, index = np.unique(lines.street, return_inverse=True)
    length = np.bincount(index, weights=shapely.length(lines.shape))
    best = np.full(len(street), int(Rank.BORDER))
    np.minimum.at(best, index, lines.rank)
    named_streets = (street >= FIRST_LINE) & ((street < FIRST_SIDE_STREET) | (length > 90))
    order = np.flatnonzero(named_streets)[np.argsort(-length[named_streets], kind="stable")]
    zh: list[str | None] = [None] * len(street)
    en: list[str | None] = [None] * len(street)
    for i, stem in zip(order.tolist(), NameBook(frame).streets(len(order)), strict=False):
        suffix = "大道" if best[i] <= Rank.PRIMARY else "路" if best[i] <= Rank.TERTIARY else "街"
        name = named(stem, suffix if best[i] < Rank.SERVICE else "巷")
        zh[i], en[i] = name.zh, name.en
    for own, (name_zh, name_en) in OWN_NAMES.items():
        for i in np.flatnonzero(street == own).tolist():
            zh[i], en[i] = name_zh, name_en
    return [zh[i] for i in index.tolist()], [en[i] for i in index.tolist()]


def street_names(frame: Frame, lines: Linework) -> tuple[list[str | None], list[str | None]]:
    """Name of the street of each line, Chinese and English."""
    return _names(frame, lines)


def write_railway(routes: ThroughRoutes, railways: ThemeWriter) -> None:
    """The railway's sections."""
    railways.write(
        routes.railway,
        uid=numbered("rail", range(len(routes.railway))),
        class_="rail",
        name=f"{CITY_ZH[:-1]}铁路（虚构）",
        name_en=f"{CITY_EN} Railway (made up)",
        gauge_mm=1435,
        electrified=True,
        bridge=~routes.railway_tunnel,
        tunnel=routes.railway_tunnel,
        attributes=attributes(tracks=2, speed_kmh=250),
    )


__all__ = ["CANAL_ROAD", "Network", "connect", "write_railway", "write_roads"]
