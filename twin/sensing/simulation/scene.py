"""What a made-up camera sees: the river with its staff gauge, at the level that the gauge told, as SVG."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from cim_models.database import Connection
from twin.sensing import EntityNotFound

WIDTH, HEIGHT = 640, 360
# Of the picture, the rows between which the staff stands.
TOP, BOTTOM = 70, 318
STAFF = 430
# What the staff shows above and below its reference levels, m.
ABOVE, BELOW = 1.2, 3.0
DUSK_MM = 12.0
OLDEST = timedelta(days=1)
CAMERA = """
    select t.name, g.id as gauge, g.levels, r.id as rain
    from sensing.datastream d join sensing.thing t on t.id = d.thing_id
    join sensing.thing_location tl on tl.thing_id = t.id join sensing.location l on l.id = tl.location_id
    cross join lateral (
        select s.id, sensing.levels_at(s.properties -> 'levels', $2::date) as levels
        from sensing.datastream s join sensing.thing_location sl on sl.thing_id = s.thing_id
        join sensing.location p on p.id = sl.location_id
        where s.kind in ('water_level', 'tide') order by p.geom <-> l.geom limit 1
    ) g
    left join lateral (
        select s.id from sensing.datastream s join sensing.thing_location sl on sl.thing_id = s.thing_id
        join sensing.location p on p.id = sl.location_id
        where s.kind = 'rain' order by p.geom <-> l.geom limit 1
    ) r on true
    where d.kind = 'camera' and d.properties ->> 'key' = $1 and t.properties ->> 'simulated' = 'true' limit 1
"""
LEVEL = """
    select number, time from sensing.observation
    where datastream_id = $1 and time <= $2 and time > $3 and number is not null order by time desc, id desc limit 1
"""
RAIN = "select sum(number) from sensing.observation where datastream_id = $1 and time <= $2 and time > $3"
FONT = "font-family:'Noto Sans SC','Noto Sans CJK SC',sans-serif"
STYLE = f"text{{{FONT}}}.w{{fill:#fff}}.s{{font-size:12px}}.m{{font-size:15px}}"
HILLS = "M0 84 90 50 190 74 300 36 420 72 540 46 640 66V160H0z"
# The far bank, a little above the guaranteed level.
BANK = 122
OUTLINED = 'fill="#16202b" stroke="#ffffff" stroke-width="3" paint-order="stroke"'
MARKS = {
    "warning": ("警戒", "#e8710a"),
    "guaranteed": ("保证", "#d3202f"),
    "flood_limit": ("汛限", "#1a6fd1"),
}


@dataclass(frozen=True)
class Scene:
    """level: m above the datum of `levels`, None where nothing was told. told: when. rain: mm in the hour before."""

    title: str
    told: datetime | None
    level: float | None
    levels: Mapping[str, float]
    rain: float


async def read_scene(connection: Connection, key: str, moment: datetime) -> Scene:
    """What the camera of that key sees at a moment. Raises EntityNotFound."""
    camera = await connection.fetchrow(CAMERA, key, moment.date())
    if camera is None:
        raise EntityNotFound(f"no made-up camera {key[:60]!r}")
    level = await connection.fetchrow(LEVEL, camera["gauge"], moment, moment - OLDEST)
    rain = await connection.fetchval(RAIN, camera["rain"], moment, moment - timedelta(hours=1))
    return Scene(
        title=camera["name"],
        told=None if level is None else level["time"],
        level=None if level is None else level["number"],
        levels=camera["levels"] or {},
        rain=rain or 0.0,
    )


def draw_scene(scene: Scene, zone: ZoneInfo) -> str:
    """The picture, 640 x 360."""
    marks = sorted(scene.levels.items(), key=lambda pair: pair[1])
    low = (marks[0][1] if marks else 3.0) - BELOW
    high = (marks[-1][1] if marks else 3.0) + ABOVE
    metre = (BOTTOM - TOP) / (high - low)

    def row(level: float) -> float:
        return BOTTOM - (min(max(level, low), high) - low) * metre

    dark = min(scene.rain / DUSK_MM, 1.0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{_between("#b9d6ea", "#5d6b78", dark)}"/>',
        f'<path d="{HILLS}" fill="{_between("#7f9f86", "#4a5a55", dark)}"/>',
        *_houses(dark),
        f'<path d="M0 {BANK}H640V{HEIGHT}H0z" fill="{_between("#8f8a72", "#5a5a50", dark)}"/>',
    ]
    if scene.level is not None:
        parts.append(_water(row(scene.level), dark))
    parts.append(_staff(low, high, row))
    parts += [_mark(name, row(value), value) for name, value in marks]
    if scene.rain > 0.2:
        parts.append(_rain(scene.rain))
    return "".join([*parts, *_captions(scene, zone), "</svg>"])


def _houses(dark: float) -> list[str]:
    wall, roof = _between("#e6ddcf", "#7d7a76", dark), _between("#a35f4a", "#5c443d", dark)
    window = "#ffd98a" if dark > 0.4 else "#8fa3b0"
    return [
        f'<path d="M{x} {BANK}v-{h}h46v{h}z" fill="{wall}"/><path d="M{x - 5} {BANK - h}l28-16 28 16z" fill="{roof}"/>'
        f'<path d="M{x + 8} {BANK + 10 - h}h10v10h-10zM{x + 27} {BANK + 10 - h}h10v10h-10z" fill="{window}"/>'
        for x, h in ((30, 36), (110, 44), (205, 32), (290, 40), (520, 38), (588, 30))
    ]


def _water(top: float, dark: float) -> str:
    waves = "".join(f"q16-{4 + 4 * dark:.0f} 32 0t32 0" for _ in range(10))
    deep, bright = _between("#4f87a3", "#5f6a66", dark), _between("#8fc0d6", "#93a09a", dark)
    return (
        f'<path d="M0 {top:.1f}{waves}V{HEIGHT}H0z" fill="{deep}"/>'
        f'<path d="M0 {top:.1f}{waves}" fill="none" stroke="{bright}" stroke-width="2"/>'
        f'<path d="M60 {top + 22:.1f}h90M250 {top + 34:.1f}h70M500 {top + 26:.1f}h80" stroke="{bright}" opacity=".6"/>'
    )


def _staff(low: float, high: float, row: Callable[[float], float]) -> str:
    """The gauge board: blocks of a tenth of the way between half metres, and a figure at each metre."""
    parts = [f'<path d="M{STAFF} {TOP}h26V{BOTTOM + 14}h-26z" fill="#f7f7f2" stroke="#30383f"/>']
    for half in range(math.ceil(low * 2), math.floor(high * 2) + 1):
        y = row(half / 2)
        wide = 26 if half % 2 == 0 else 14
        parts.append(f'<path d="M{STAFF} {y:.1f}h{wide}" stroke="#c0392b" stroke-width="2.4"/>')
        if half % 2 == 0:
            parts.append(
                f'<text class="s" x="{STAFF - 6}" y="{y + 4:.1f}" text-anchor="end" {OUTLINED}>{half // 2} m</text>'
            )
    return "".join(parts)


def _mark(name: str, y: float, value: float) -> str:
    zh, colour = MARKS.get(name, (name, "#1a6fd1"))
    return (
        f'<path d="M{STAFF + 26} {y:.1f}h46" stroke="{colour}" stroke-width="2.5" stroke-dasharray="6 4"/>'
        f'<text class="s" x="{STAFF + 78}" y="{y + 4:.1f}" {OUTLINED}>{escape(zh)} {value:g} m</text>'
    )


def _rain(rain: float) -> str:
    drops = min(int(40 + 6 * rain), 220)
    # Spread by irrational steps: even, and the same each time.
    path = "".join(
        f"M{(i * i * 0.618034 % 1) * WIDTH:.0f} {(i * 0.754878 % 1) * HEIGHT:.0f}l-5 15" for i in range(drops)
    )
    return f'<path d="{path}" stroke="#eef4f8" stroke-width="1.2" opacity=".55"/>'


def _captions(scene: Scene, zone: ZoneInfo) -> list[str]:
    """Who, when, how high, and that nothing of it is real."""
    told = "无读数 no reading"
    if scene.told is not None and scene.level is not None:
        at = scene.told.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        told = f"{at}  水位 {scene.level:.2f} m  雨 {scene.rain:.1f} mm/h"
    return [
        f'<rect width="{WIDTH}" height="30" fill="#101820" opacity=".62"/>',
        f'<text class="m w" x="12" y="21">{escape(scene.title)}</text>',
        f'<text class="m w" x="{WIDTH - 12}" y="21" text-anchor="end">{told}</text>',
        f'<text class="s w" x="12" y="{HEIGHT - 12}" opacity=".9">模拟画面 simulated</text>',
    ]


def _between(one: str, other: str, share: float) -> str:
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
