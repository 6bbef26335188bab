"""Water that people saw, beside what a run finds there."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from twin.flood.raster import read_grid
from twin.flood.scenario.choices import Seen
from twin.flood.scenario.errors import FloodRefused
from twin.flood.scenario.findings import Findings, number
from twin.flood.scenario.inputs import FloodInputs
from twin.flood.scenario.site import Site
from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.photos import NAME, NoSuchPhoto
from twin.scenarios.pictures import thumbnail
from twin.scenarios.protocol import VectorLayer
from twin.scenarios.shapes import in_metres

COLUMNS = pa.schema(
    [
        ("place", pa.string()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("lon", pa.float64()),
        ("lat", pa.float64()),
        ("seen_m", pa.float64()),
        ("found_m", pa.float64()),
        ("miss_m", pa.float64()),
        ("photo", pa.string()),
    ]
)
TITLES = {
    "seen_m": ("所见水深", "Depth that was seen", "m"),
    "found_m": ("模拟水深", "Depth that was found", "m"),
    "miss_m": ("差（模拟减所见）", "Found less seen", "m"),
    "seen_at": ("时间", "Time", ""),
    "photo": ("照片", "Photo", ""),
}
# Of a miss, m: found too dry, right, too wet.
MISSED = ["interpolate", ["linear"], ["get", "miss_m"], -0.5, "#c2321f", 0, "#ffffff", 0.5, "#1f5fc2"]


def refuse_seen(city: City, site: Site, inputs: FloodInputs, start: datetime) -> None:
    """Raises FloodRefused for a place, a time or an uploaded photo that is not there."""
    cells_of(site, inputs.seen)
    for n, each in enumerate(inputs.seen, 1):
        try:
            photo_of(city, each)
        except NoSuchPhoto as error:
            raise FloodRefused(f"seen: place {n}: {error}", f"seen：第 {n} 处：{error.zh}") from None
    end = start + timedelta(hours=inputs.duration_h)
    for n, each in enumerate(inputs.seen, 1):
        if each.time is not None and not start <= each.time <= end:
            told = f"{each.time:%Y-%m-%d %H:%M %Z}", f"{start:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M}"
            raise FloodRefused(
                f"seen: place {n} was seen at {told[0]}, but the run is of {told[1]}; say when it starts",
                f"seen：第 {n} 处的时间 {told[0]} 不在计算时段 {told[1]} 内，请填写开始时刻",
            )


def photo_of(city: City, seen: Seen) -> bytes | None:
    """The JPEG of an uploaded photo; None where there is none, or it is an address of the web. Raises NoSuchPhoto."""
    return city.photo(seen.photo) if seen.photo is not None and NAME.fullmatch(seen.photo) else None


def pictures_of(findings: Findings) -> list[str]:
    """An uploaded photo of each place, small, as a data URI for a page of its own; "" where there is none."""
    photos = [photo_of(findings.city, each) for each in findings.inputs.seen]
    return [
        "" if photo is None else f"data:image/jpeg;base64,{b64encode(thumbnail(photo)).decode()}" for photo in photos
    ]


def cells_of(site: Site, seen: Sequence[Seen]) -> list[tuple[int, int]]:
    """Row and column of each place. Raises FloodRefused for one outside of the run."""
    cells = []
    for n, each in enumerate(seen, 1):
        place = in_metres(each.at, site.crs)
        cell = site.cell_of(place.x, place.y)
        if cell is None:
            raise FloodRefused(
                f"seen: place {n} lies outside of what is computed", f"seen：第 {n} 处在计算范围外，请重新选点"
            )
        cells.append(cell)
    return cells


def beside_seen(findings: Findings) -> tuple[pa.Table, VectorLayer, Mapping[str, Any]]:
    """A row and a point for each place that was seen, and indicators of the miss over all of them.

    Found is the depth at that time (the greatest, where none is known) of the place's cell and the eight around it:
    people tell a place to some metres, and water stands in the lowest of them.
    """
    rows, asked = [], findings.inputs.seen
    for n, (each, (row, column)) in enumerate(zip(asked, cells_of(findings.ground.site, asked), strict=True), 1):
        depth = _depth_at(findings, each.time)
        found = float(np.nanmax(depth[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2], initial=0.0))
        rows.append(
            {
                "place": each.name or str(n),
                "time": each.time,
                "lon": float(each.at["coordinates"][0]),
                "lat": float(each.at["coordinates"][1]),
                "seen_m": each.depth_m,
                "found_m": round(found, 3),
                "miss_m": round(found - each.depth_m, 3),
                "photo": each.photo,
            }
        )
    misses = np.array([row["miss_m"] for row in rows])
    return (
        pa.Table.from_pylist(rows, schema=COLUMNS),
        _layer(findings, rows),
        {
            "seen_miss_m": number(
                float(np.abs(misses).mean()), "m", "积水点平均误差", "Mean miss of water that was seen"
            ),
            "seen_bias_m": number(float(misses.mean()), "m", "积水点平均偏差", "Mean of found less seen"),
        },
    )


def _depth_at(findings: Findings, time: datetime | None) -> npt.NDArray[np.float64]:
    """Depth at a moment, between the states kept before and after it; the greatest where none is given."""
    blocked = findings.ground.blocked
    if time is None:
        return np.where(blocked, 0.0, findings.found.depth)
    seconds = (time - findings.start).total_seconds()
    after = int(np.clip(np.searchsorted(findings.outputs, seconds), 1, len(findings.outputs) - 1))
    begin, end = findings.outputs[after - 1], findings.outputs[after]
    share = (seconds - begin) / (end - begin)
    before, then = (
        np.nan_to_num(read_grid(findings.city.folder / f"depth-{n:03d}.tif").astype(np.float64))
        for n in (after - 1, after)
    )
    return np.where(blocked, 0.0, before * (1 - share) + then * share)


def _layer(findings: Findings, rows: Sequence[Mapping[str, Any]]) -> VectorLayer:
    """The places on the map, coloured by the miss."""
    zone = findings.start.tzinfo
    points = [shapely.to_wkb(in_metres(each.at, findings.ground.site.crs)) for each in findings.inputs.seen]
    told = [
        {
            "geometry": point,
            "uid": str(n),
            "name": row["place"],
            "seen_m": row["seen_m"],
            "found_m": row["found_m"],
            "miss_m": row["miss_m"],
            "seen_at": row["time"] and f"{row['time'].astimezone(zone):%Y-%m-%d %H:%M}",
            "photo": row["photo"],
        }
        for n, (point, row) in enumerate(zip(points, rows, strict=True), 1)
    ]
    kinds = {"geometry": pa.binary(), "seen_m": pa.float64(), "found_m": pa.float64(), "miss_m": pa.float64()}
    fields = [_field(name, kinds.get(name, pa.string())) for name in told[0]]
    paint = {
        "circle-radius": 8, "circle-color": MISSED, "circle-stroke-color": "#8a1c7c", "circle-stroke-width": 3,
    }  # fmt: skip
    return VectorLayer(
        "seen_places",
        Words("积水点", "Water that was seen"),
        pa.Table.from_pylist(told, schema=pa.schema(fields)),
        [{"id": "point", "type": "circle", "paint": paint}],
    )


def _field(name: str, kind: pa.DataType) -> pa.Field:
    if name not in TITLES:
        return pa.field(name, kind)
    zh, en, unit = TITLES[name]
    return pa.field(name, kind, metadata={"zh": zh, "en": en} | ({"unit": unit} if unit else {}))
