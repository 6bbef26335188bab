"""Roads, their nodes and the railway as the model has them: names, lanes, speeds, bridges and tunnels."""

import numpy as np
import shapely

from twin.demo.arterials import COAST_ROAD, FIRST_LINE, FOOT_ROAD, RIVER_ROAD
from twin.demo.districts import URBAN
from twin.demo.frame import Frame
from twin.demo.ground_plan import GroundPlan
from twin.demo.lattice import Rank
from twin.demo.linework import Linework
from twin.demo.names import CITY_EN, CITY_ZH, NameBook, named
from twin.demo.network import Network
from twin.demo.parcels import CARRIAGEWAY
from twin.demo.shapes import middles_of, points
from twin.demo.streets import FIRST_SIDE_STREET, HILL_ROAD
from twin.demo.tables import ThemeWriter, attributes, numbered
from twin.demo.through_routes import MOTORWAY, ThroughRoutes

CLASSES = {
    Rank.MOTORWAY: "motorway", Rank.MOTORWAY_LINK: "motorway_link", Rank.TRUNK: "trunk", Rank.PRIMARY: "primary",
    Rank.SECONDARY: "secondary", Rank.TERTIARY: "tertiary", Rank.RESIDENTIAL: "residential", Rank.SERVICE: "service",
}  # fmt: skip
LANES = {
    Rank.MOTORWAY: 3, Rank.MOTORWAY_LINK: 1, Rank.TRUNK: 6, Rank.PRIMARY: 6, Rank.SECONDARY: 4, Rank.SERVICE: 1,
}  # fmt: skip
# km/h.
SPEED = {
    Rank.MOTORWAY: 100, Rank.MOTORWAY_LINK: 40, Rank.TRUNK: 70, Rank.PRIMARY: 60, Rank.SECONDARY: 50, Rank.TERTIARY: 40,
    Rank.RESIDENTIAL: 30, Rank.SERVICE: 20,
}  # fmt: skip
# Height of the motorway above the ground, m.
VIADUCT = 9.0
OWN_NAMES = {
    COAST_ROAD: ("滨海大道", "Binhai Avenue"), FOOT_ROAD: ("环山路", "Huanshan Road"),
    RIVER_ROAD: ("江滨路", "Jiangbin Road"), MOTORWAY: (f"{CITY_ZH[:-1]}高速", f"{CITY_EN} Expressway"),
}  # fmt: skip
# Streets shorter than this, m, that are no line of the grid, have no name.
NAMED_FROM = 90.0
MOTORWAY_REF = "S990"


def write_roads(plan: GroundPlan, roads: ThemeWriter, nodes: ThemeWriter) -> None:
    """The network's edges and nodes."""
    network, districts = plan.network, plan.site.districts
    lines, rank = network.lines, network.lines.rank
    node_uid = np.array(numbered("node", range(len(network.places))), dtype=object)
    zh, en = street_names(plan.site.frame, lines)
    own_class = np.array([CLASSES.get(kind, "") for kind in Rank], dtype=object)[rank]
    own_class[lines.street == HILL_ROAD] = "unclassified"
    rural = districts.at(districts.urban, *middles_of(lines.shape)) <= URBAN
    roads.write(
        lines.shape,
        uid=numbered("road", range(len(lines))),
        class_=own_class.tolist(),
        name=zh,
        name_en=en,
        ref=[MOTORWAY_REF if street == MOTORWAY else None for street in lines.street.tolist()],
        lanes=np.array([LANES.get(kind, 2) for kind in Rank])[rank],
        speed_kmh=np.array([SPEED.get(kind, 20.0) for kind in Rank])[rank],
        oneway=rank <= Rank.MOTORWAY_LINK,
        width=np.array([CARRIAGEWAY[kind] for kind in Rank])[rank],
        surface=np.where((rank >= Rank.RESIDENTIAL) & rural, "concrete", "asphalt").tolist(),
        bridge=lines.bridge,
        tunnel=network.tunnel,
        vertical_level=np.where(network.tunnel, -1, np.where(lines.bridge, 1, 0)),
        start_node=node_uid[network.start],
        end_node=node_uid[network.end],
    )
    _write_nodes(plan, network, node_uid.tolist(), nodes)


def _write_nodes(plan: GroundPlan, network: Network, uid: list[str], writer: ThemeWriter) -> None:
    rank = network.lines.rank
    best = np.full(len(network.places), int(Rank.BORDER))
    np.minimum.at(best, network.start, rank)
    np.minimum.at(best, network.end, rank)
    main = (rank <= Rank.SECONDARY) & (rank > Rank.MOTORWAY_LINK)
    crossing = np.bincount(network.start[main], minlength=len(best)) + np.bincount(
        network.end[main], minlength=len(best)
    )
    signal = (crossing >= 3) & (best > Rank.MOTORWAY_LINK)
    level = plan.ground_at(network.places) + np.where(best <= Rank.MOTORWAY, VIADUCT, 0.0)
    writer.write(
        points(network.places),
        uid=uid,
        class_="RoadNode",
        kind=np.where(network.degree == 1, "end", np.where(signal, "signal", "junction")).tolist(),
        degree=network.degree,
        elevation=np.round(level, 2),
    )


def street_names(frame: Frame, lines: Linework) -> tuple[list[str | None], list[str | None]]:
    """Names of the streets, Chinese and English; the longest get theirs first, canal sides and hill roads none."""
    street, index = np.unique(lines.street, return_inverse=True)
    length = np.bincount(index, weights=shapely.length(lines.shape))
    best = np.full(len(street), int(Rank.BORDER))
    np.minimum.at(best, index, lines.rank)
    named_streets = (street >= FIRST_LINE) & ((street < FIRST_SIDE_STREET) | (length > NAMED_FROM))
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
