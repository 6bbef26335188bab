"""A run of SUMO on a part of a network: vehicles on given routes, and what became of them and of the streets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as xml
from xml.sax.saxutils import quoteattr

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from twin.traffic.link_minutes import LinkMinutes
from twin.traffic.micro.cutout import Route, Vehicles
from twin.traffic.micro.net import Net
from twin.traffic.micro.process import MicroFailed, Sumo

MINUTE_S = 60.0
TYPES = {"car": "passenger", "lorry": "truck"}


@dataclass(frozen=True, eq=False)
class Micro:
    """asked = without_way + loaded; loaded = entered + waiting; entered = arrived + on_road.

    without_way: vehicles whose route the net does not join. waiting: for room to drive in. jumped: times that SUMO
    took a vehicle out of a jam and put it down on its next link. speed_m_s, lost_s: means of those that arrived.
    tracks: rows of "vehicle", "type", "time" (s since the outputs began) and "x", "y" in metres of the CRS.
    """

    asked: int
    without_way: int
    entered: int
    waiting: int
    arrived: int
    on_road: int
    jumped: int
    speed_m_s: float
    lost_s: float
    streets: LinkMinutes
    tracks: pa.Table


def simulate(
    sumo: Sumo,
    folder: Path,
    net: Net,
    routes: Sequence[Route],
    vehicles: Vehicles,
    *,
    warm_up_s: float,
    until_s: float,
    seed: int,
    limit_s: float,
    told: Callable[[float], None] = lambda _: None,
) -> Micro:
    """Drive the vehicles until a time; outputs begin after the warm-up. Raises MicroFailed, and what `told` raises."""
    joined = np.array([_is_joined(each.links, net.movements) for each in routes], np.bool_)
    drives = joined[vehicles.route] if len(vehicles) else np.zeros(0, np.bool_)
    _write_routes(folder / "vehicles.rou.xml", routes, vehicles, drives)
    edges = f'<edgeData id="minutes" file="minutes.xml" freq="{MINUTE_S:g}" begin="{warm_up_s:g}" excludeEmpty="true"/>'
    (folder / "further.add.xml").write_text(f"<additional>{edges}{''.join(net.signals)}</additional>")
    words: list[str | Path] = [
        "-n", net.file, "-r", "vehicles.rou.xml", "-a", "further.add.xml", "--end", f"{until_s:g}",
        "--seed", str(seed % (1 << 31)), "--no-warnings", "--duration-log.statistics", "--step-log.period", "10",
        "--statistic-output", "totals.xml", "--fcd-output", "tracks.parquet", "--fcd-output.attributes", "x,y,type",
        "--device.fcd.begin", f"{warm_up_s:g}", "--time-to-teleport", "300", "--precision", "2",
        "--max-depart-delay", "-1",
    ]  # fmt: skip
    sumo.run("sumo", words, folder, limit_s=limit_s, told=lambda end: told(_reached(end) / until_s))
    totals = xml.parse(folder / "totals.xml").getroot()
    count = {name: int(_of(totals, "vehicles", name)) for name in ("loaded", "inserted", "running")}
    if count["loaded"] != int(drives.sum()):
        raise MicroFailed(f"sumo read {count['loaded']} of {int(drives.sum())} vehicles")
    return Micro(
        asked=len(vehicles),
        without_way=int((~drives).sum()),
        entered=count["inserted"],
        # With those whose last second was also the last one simulated.
        waiting=count["loaded"] - count["inserted"],
        arrived=count["inserted"] - count["running"],
        on_road=count["running"],
        jumped=int(_of(totals, "teleports", "total")),
        speed_m_s=_of(totals, "vehicleTripStatistics", "speed"),
        lost_s=_of(totals, "vehicleTripStatistics", "timeLoss"),
        streets=_streets(folder / "minutes.xml", warm_up_s),
        tracks=_tracks(folder / "tracks.parquet", net, warm_up_s),
    )


def _is_joined(links: Sequence[int], movements: frozenset[tuple[int, int]]) -> bool:
    return all(pair in movements for pair in pairwise(links))


def _write_routes(file: Path, routes: Sequence[Route], vehicles: Vehicles, drives: np.ndarray) -> None:
    with file.open("w") as out:
        out.write("<routes>\n")
        for name, kind in TYPES.items():
            out.write(f'<vType id="{name}" vClass="{kind}"/>\n')
        for n in np.unique(vehicles.route[drives]).tolist():
            out.write(f'<route id="r{n}" edges="{" ".join(f"e{link}" for link in routes[n].links)}"/>\n')
        for n in np.flatnonzero(drives).tolist():
            row = int(vehicles.route[n])
            kind = quoteattr(routes[row].vehicle)
            # As fast as there is room for: vehicles come from streets that are not simulated.
            how = 'departLane="best" departSpeed="max" departPos="base"'
            out.write(f'<vehicle id="v{n}" type={kind} route="r{row}" depart="{vehicles.depart_s[n]:.2f}" {how}/>\n')
        out.write("</routes>\n")


def _reached(end: str) -> float:
    """Seconds that the last line of progress tells."""
    words = end.rpartition("Step #")[2].split(" ", 1)[0]
    try:
        return float(words)
    except ValueError:
        return 0.0


def _of(root: xml.Element, part: str, name: str) -> float:
    found = root.find(part)
    return 0.0 if found is None else float(found.get(name, "0"))


def _streets(file: Path, begin_s: float) -> LinkMinutes:
    """Each link that had vehicles, minute by minute; who goes slower than 0.1 m/s is in a queue."""
    rows: list[tuple[float, ...]] = []
    for span in xml.parse(file).getroot().iter("interval"):
        length = float(span.get("end", "0")) - float(span.get("begin", "0"))
        minute = round((float(span.get("begin", "0")) - begin_s) / MINUTE_S)
        for edge in span.iter("edge"):
            # Links inside of crossings have names that begin with a colon.
            if edge.get("id", ":").startswith(":") or length <= 0:
                continue
            told = {name: float(edge.get(name, "0")) for name in ("speed", "sampledSeconds", "waitingTime", "left")}
            link = float(edge.get("id", "")[1:])
            standing = told["waitingTime"] / length
            rows.append((minute, link, told["speed"], told["sampledSeconds"] / length, standing, told["left"]))
    table = np.array(rows, np.float64).reshape(-1, 6)
    minute, link = table[:, :2].T.astype(np.int64)
    return LinkMinutes(minute, np.ones_like(minute), link, *table[:, 2:].T)


def _tracks(file: Path, net: Net, begin_s: float) -> pa.Table:
    table = parquet.read_table(file)
    known = {name.rpartition("_")[2]: name for name in table.column_names}
    number = np.array([int(str(each)[1:]) for each in table[known["id"]].to_pylist()], np.int64)
    x, y, time = (table[known[name]].to_numpy().astype(np.float64) for name in ("x", "y", "time"))
    return pa.table(
        {"vehicle": number, "type": table[known["type"]], "time": time - begin_s, "x": x + net.x, "y": y + net.y}
    )
