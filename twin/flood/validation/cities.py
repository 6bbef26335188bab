"""Two real cities: Lyon, where two rivers rise, and a ward of Tokyo under a surge, beside its official depths."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyogrio
import pyproj
import rasterio
import shapely
from rasterio.enums import Resampling
from rasterio.features import rasterize
from rasterio.fill import fillnodata
from rasterio.transform import Affine, from_origin
from rasterio.warp import reproject

from twin.flood import Domain, Inflow, Rim, Series, Simulation
from twin.flood.cpu.solver import Mode
from twin.flood.records import Result
from twin.flood.validation.rows import Row, at_least, at_most

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
HOUR = 3600.0
# Water that counts as a flood: over a kerb, and over the floor of a Japanese house, m.
WET_M, OVER_FLOOR_M = 0.3, 0.5

LYON_CELL, LYON_CRS = 20.0, "EPSG:3946"
# Where each river enters and leaves the terrain (m), and what it brings beyond the water that the survey saw, m3/s.
RIVERS = {
    "Rhône": ((1843045, 5176150), (1843000, 5174760), 1500.0),
    "Saône": ((1841480, 5175728), (1842070, 5174760), 700.0),
}
RISE_H, HOUSE_M = 1.0, 4.0

KOTO_CELL, KOTO_CRS = 50.0, "EPSG:6677"
# The bed of the water around the ward, and what the surge rises from: below all of its land. m, 0 as in `Ward`.
AROUND_M, LOW_M = -7.0, -6.0
SURGE_H = 3.0
STREETS_MANNING, WATER_MANNING = 0.08, 0.025
# Cells without a building take their ground from those within this distance, m; farther off is water.
REACH_M = 200.0


@dataclass(frozen=True)
class Agreement:
    """How far found depths agree with others: shares, and metres where both are wet."""

    hit: float
    csi: float
    bias: float
    error: float

    @classmethod
    def of(cls, found: Floats, other: Floats, threshold: float) -> "Agreement":
        """found, other: depths at the same places, m; wet is `threshold` or deeper."""
        wet, meant = found >= threshold, other >= threshold
        both = wet & meant
        off = (found - other)[both]
        return cls(
            hit=float(both.sum() / max(meant.sum(), 1)),
            csi=float(both.sum() / max((wet | meant).sum(), 1)),
            bias=float(off.mean()) if off.size else math.nan,
            error=float(np.abs(off).mean()) if off.size else math.nan,
        )


@dataclass(frozen=True, eq=False)
class Town:
    """Lyon while both rivers stay high. gaining: what is still being stored, share of the inflow; falls: m by river."""

    mode: Mode
    result: Result
    depth: Floats
    houses: Bools
    gaining: float
    falls: dict[str, float]

    def rows(self, reference: "Town") -> list[Row]:
        """What any flood must hold to, and the agreement with `reference`."""
        case, mode = "Lyon, two rivers rise", self.mode
        rows = [
            at_most(case, "volume error", abs(self.result.balance.error), 1e-6, mode=mode),
            at_most(case, "inflow that does not leave again", abs(self.gaining), 0.02, mode=mode),
            *(
                at_least(case, f"fall of the level along the {river}", fall, 0.0, "m", mode=mode)
                for river, fall in self.falls.items()
            ),
        ]
        if self is reference:
            return rows
        same = Agreement.of(self.depth, reference.depth, WET_M)
        return [
            *rows,
            at_least(case, "hit rate of water above 0.3 m, beside full", same.hit, None, mode=mode),
            at_least(case, "CSI, beside full", same.csi, None, mode=mode),
            at_least(case, "bias of depth, beside full", same.bias, None, "m", mode=mode),
        ]


@dataclass(frozen=True, eq=False)
class Ward:
    """Koto: depths at the buildings that were left out of its ground, found and official, m.

    0 is the surface of the planned flood; surface: of the largest conceivable one, which the surge rises to, m;
    known: within the planned flood, so that its depth tells the ground around.
    """

    mode: Mode
    result: Result
    surface: float
    places: Floats
    found: Floats
    official: Floats
    known: Bools

    @property
    def agreement(self) -> Agreement:
        """Of floors under water."""
        return Agreement.of(self.found, self.official, OVER_FLOOR_M)

    def rows(self) -> list[Row]:
        """Judged in the mode that is meant for it."""
        case, mode, same = "Koto, official depth", self.mode, self.agreement
        judged = mode == "full"
        within = Agreement.of(self.found[self.known], self.official[self.known], OVER_FLOOR_M)
        return [
            at_least(case, "hit rate of depths above 0.5 m", same.hit, 0.95 if judged else None, mode=mode),
            at_least(case, "CSI", same.csi, 0.85 if judged else None, mode=mode),
            at_most(case, "bias of depth, absolute", abs(same.bias), 0.1 if judged else None, "m", mode=mode),
            at_most(case, "mean absolute error of depth", same.error, 0.25 if judged else None, "m", mode=mode),
            at_most(case, "the same within the planned flood", within.error, 0.2 if judged else None, "m", mode=mode),
            at_least(case, "CSI within the planned flood", within.csi, 0.9 if judged else None, mode=mode),
            at_most(case, "volume error", abs(self.result.balance.error), 1e-6, mode=mode),
        ]


def town(folder: Path, hours: float, mode: Mode = "full", cell: float = LYON_CELL) -> Town:
    """Let the two rivers rise within an hour and stay. folder: lyon."""
    bed, transform = _lyon_ground(folder / "lyon_dem_10m.tif", cell)
    houses = _covered(_shapes(folder / "lyon_layers.gpkg", "roofs"), bed.shape, transform) > 0.5
    domain = Domain(np.where(houses, bed + HOUSE_M, bed), cell, transform.c, transform.f, manning=0.035, crs=LYON_CRS)
    flows = [
        Inflow.disc(domain, *enters, radius=3 * cell, discharge=Series([0, RISE_H * HOUR], [0, most]), name=river)
        for river, (enters, _, most) in RIVERS.items()
    ]
    run = Simulation(domain, mode=mode, inflows=flows, rims=[Rim("south", "open", name="south")], threads=1)
    run.run((hours - 0.5) * HOUR)
    stored = run.balance.stored
    result = run.run(hours * HOUR)
    brought = sum(most for *_, most in RIVERS.values()) * 0.5 * HOUR
    depth = run.depth.astype(np.float64)
    level = np.where(depth > 0.05, domain.levels + depth, np.nan)
    falls = {
        river: _level_near(domain, level, enters) - _level_near(domain, level, leaves)
        for river, (enters, leaves, _) in RIVERS.items()
    }
    return Town(mode, result, np.where(houses, 0, depth), houses, (run.balance.stored - stored) / brought, falls)


def ward(folder: Path, hours: float, mode: Mode = "full", cell: float = KOTO_CELL) -> Ward:
    """Let the water around the ward rise to the largest conceivable surface and stay. folder: tokyo_koto.

    No terrain came with the buildings. Their planned depth l1 is that below a level surface, to a few centimetres, so
    -l1 is the ground, above that surface; every other building gives it, and the rest are asked.
    """
    meta, _, shapes, columns = pyogrio.raw.read(
        folder / "tokyo_koto_ward_13108.fgb", columns=["flood_l1_m", "flood_l2_m"]
    )
    middles = shapely.centroid(shapely.from_wkb(shapes))
    to_metres = pyproj.Transformer.from_crs(meta["crs"], KOTO_CRS, always_xy=True)
    x, y = to_metres.transform(shapely.get_x(middles), shapely.get_y(middles))
    by_name = dict(zip(meta["fields"], columns, strict=True))
    planned, largest = by_name["flood_l1_m"], by_name["flood_l2_m"]
    given = np.arange(len(x)) % 2 == 0
    surface = float(np.nanmedian((largest - planned)[given]))
    # Outside the planned flood the ground is at least as high as its surface.
    bed, transform = _ground_between(x[given], y[given], -np.nan_to_num(planned[given]), cell)
    land = np.isfinite(bed)
    domain = Domain(
        np.where(land, bed, AROUND_M),
        cell,
        transform.c,
        transform.f,
        manning=np.where(land, STREETS_MANNING, WATER_MANNING),
        crs=KOTO_CRS,
    )
    rising = Series([0, SURGE_H * HOUR], [LOW_M, surface])
    rims = [Rim(side, "level", rising, name=side) for side in ("north", "east", "south", "west")]
    run = Simulation(domain, mode=mode, rims=rims, initial_level=LOW_M, threads=1)
    result = run.run(hours * HOUR)
    row = np.floor((domain.north - y[~given]) / cell).astype(int)
    column = np.floor((x[~given] - domain.west) / cell).astype(int)
    places = np.column_stack((x[~given], y[~given]))
    found = np.nan_to_num(result.depth[row, column].astype(np.float64))
    official = np.nan_to_num(largest[~given])
    return Ward(mode, result, surface, places, found, official, known=planned[~given] > 0)


def _lyon_ground(file: Path, cell: float) -> tuple[Floats, Affine]:
    """The terrain on square cells, whose sides it does not quite have."""
    with rasterio.open(file) as raster:
        box = raster.bounds
        transform = from_origin(math.ceil(box.left), math.floor(box.top), cell, cell)
        shape = (int((transform.f - box.bottom) // cell), int((box.right - transform.c) // cell))
        bed = np.full(shape, np.nan)
        reproject(
            raster.read(1).astype(np.float64),
            bed,
            src_transform=raster.transform,
            src_crs=LYON_CRS,
            dst_transform=transform,
            dst_crs=LYON_CRS,
            src_nodata=raster.nodata,
            dst_nodata=np.nan,
            resampling=Resampling.average,
        )
    return bed, transform


def _level_near(domain: Domain, level: Floats, place: tuple[float, float]) -> float:
    """Mean level of the water within three cells of a place."""
    x, y = domain.centres()
    near = np.hypot(x[None, :] - place[0], y[:, None] - place[1]) <= 3 * domain.cell
    return float(np.nanmean(level[near]))


def _shapes(file: Path, layer: str) -> Sequence[Any]:
    return [each for each in shapely.from_wkb(pyogrio.raw.read(file, layer=layer, columns=[])[2]) if each is not None]


def _covered(shapes: Sequence[Any], shape: tuple[int, int], transform: Affine, finer: int = 4) -> Floats:
    """Share of each cell under the shapes."""
    rows, columns = shape
    inside = rasterize(
        ((each, 1) for each in shapes),
        out_shape=(rows * finer, columns * finer),
        transform=transform * Affine.scale(1 / finer),
        dtype="uint8",
    )
    share: Floats = inside.reshape(rows, finer, columns, finer).mean(axis=(1, 3))
    return share


def _ground_between(x: Floats, y: Floats, ground: Floats, side: float) -> tuple[Floats, Affine]:
    """Ground of the cells by the mean of the buildings in them, and between them by distance; NaN where none is near.

    The raster reaches beyond them, so that there is water on all sides.
    """
    margin = REACH_M + 6 * side
    west, north = float(x.min()) - margin, float(y.max()) + margin
    shape = int((north - y.min() + margin) // side), int((x.max() - west + margin) // side)
    cell = ((north - y) // side).astype(int) * shape[1] + ((x - west) // side).astype(int)
    count = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    total = np.bincount(cell, weights=ground, minlength=shape[0] * shape[1]).reshape(shape)
    mean = (total / np.maximum(count, 1)).astype(np.float32)
    mean[count == 0] = np.nan
    filled = fillnodata(mean, mask=count > 0, max_search_distance=REACH_M / side)
    return np.asarray(filled, np.float64), from_origin(west, north, side, side)
