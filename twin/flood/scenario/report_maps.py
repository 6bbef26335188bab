"""Maps of a report: the water under roads, walls and names, with a scale and the limits of what was computed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from layers.ramps import ramp_named
from twin.flood.raster import read_grid
from twin.flood.scenario.findings import Findings
from twin.flood.scenario.picture import map_png
from twin.flood.scenario.site import Site
from twin.scenarios.objects import read
from twin.scenarios.shapes import in_metres

# Width of a map in its own units; heights follow the ground.
WIDTH = 1000.0
# Grids that a report shows, and the ramps they are drawn in.
MAPS = {"max_depth": "maximum_depth", "hazard": "hazard", "arrival": "arrival"}
ROADS = ("motorway", "trunk", "primary", "secondary")
# The scale is a round length of about this share of the width.
SCALE_SHARE = 0.2
MOST_NAMES = 40


@dataclass(frozen=True)
class Sheet:
    """What all maps of a report have in common, in units of a map. Lines are SVG paths; names: x, y, name, English."""

    width: float
    height: float
    roads: str
    walls: str
    drawn: str
    breaches: Sequence[tuple[float, float]]
    seen: Sequence[tuple[float, float]]
    names: Sequence[tuple[float, float, str, str]]
    scale: tuple[float, str]


def maps_of(findings: Findings) -> list[dict[str, Any]]:
    """Each map's picture, titles and legend in both languages."""
    ground = findings.ground
    maps = []
    for role, name in MAPS.items():
        ramp = ramp_named(name)
        grid = read_grid(findings.city.folder / f"{role}.tif")
        shown = [(stop, label) for stop, label in zip(ramp.stops, ramp.labels, strict=True) if stop.opacity > 0]
        maps.append(
            {
                "titles": {"zh": ramp.title.zh, "en": ramp.title.en},
                "unit": ramp.unit,
                "png": map_png(grid, ground, name),
                "legends": {
                    lang: [(stop.color, getattr(label, lang)) for stop, label in shown] for lang in ("zh", "en")
                },
            }
        )
    return maps


def sheet_of(findings: Findings) -> Sheet:
    """Roads, works and names of the area."""
    city, inputs, site = findings.city, findings.inputs, findings.ground.site
    page = _Page(site)
    roads = read(city, "roads", site.box, "class").of_class(*ROADS)
    stood = [wall for wall in findings.works.walls if not wall.name.startswith("wall ")]
    return Sheet(
        width=WIDTH,
        height=round(site.rows * site.cell * page.units, 1),
        roads=page.path(roads.shape),
        walls=page.path(shapely.LineString(wall.line) for wall in stood),
        drawn=page.path(in_metres(wall.line, site.crs) for wall in inputs.walls),
        breaches=[page.place(*breach.at) for breach in findings.works.breaches],
        seen=[page.point(in_metres(each.at, site.crs)) for each in inputs.seen],
        names=_names(findings, page),
        scale=_scale(page.units),
    )


@dataclass(frozen=True)
class _Page:
    """From metres to units of a map."""

    site: Site

    @property
    def units(self) -> float:
        """Of a metre."""
        return WIDTH / (self.site.columns * self.site.cell)

    def place(self, x: float, y: float) -> tuple[float, float]:
        return round((x - self.site.west) * self.units, 1), round((self.site.north - y) * self.units, 1)

    def point(self, shape: Any) -> tuple[float, float]:
        return self.place(shape.x, shape.y)

    def path(self, shapes: Iterable[Any]) -> str:
        """Lines as an SVG path, without corners that nobody sees."""
        parts = []
        for shape in shapes:
            for line in shapely.get_parts(shapely.simplify(shape, 1 / self.units)):
                corners = [self.place(x, y) for x, y in shapely.get_coordinates(line).tolist()]
                parts.append("M" + "L".join(f"{x:g} {y:g}" for x, y in corners))
        return "".join(parts)


def _names(findings: Findings, page: _Page) -> list[tuple[float, float, str, str]]:
    """Villages, or townships where villages are too many, at a point inside of what is shown of them."""
    site = findings.ground.site
    divisions = read(findings.city, "administrative_areas", site.box, "level", "name", "name_en")
    villages, towns = (divisions.take(divisions.among("level", (level,))) for level in ("village", "township"))
    named = villages if len(villages) <= MOST_NAMES else towns
    shown = shapely.intersection(named.shape, shapely.box(*site.metric_box))
    return [
        (*page.point(shapely.point_on_surface(shape)), name or "", english or name or "")
        for shape, name, english in zip(shown, named["name"], named["name_en"], strict=True)
        if not shape.is_empty
    ]


def _scale(units: float) -> tuple[float, str]:
    """Length of the scale in units, and what it says."""
    wanted = SCALE_SHARE * WIDTH / units
    steps = [digit * 10**power for power in range(1, 6) for digit in (1, 2, 5)]
    metres = max((step for step in steps if step <= wanted), default=steps[0])
    return round(metres * units, 1), f"{metres} m" if metres < 1000 else f"{metres // 1000} km"
