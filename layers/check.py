"""Looking a layer over: what a clerk should see before it is relied upon, each finding a place on the map.

    findings = check(url, "land", home=home)
    load(url, [delivery(findings, ...)], ...)      # a layer of its own, check_land

Every look is one bounded statement over the objects as they are now; areas are ellipsoidal.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import rasterio
from psycopg import sql
from psycopg.rows import dict_row
from rasterio.errors import RasterioError
from rasterio.warp import transform

from cim_models.database import read_city
from cim_models.themes import THEMES
from layers import LayerError
from layers.formats import GEOMETRY
from layers.load import Delivery
from layers.recipe import Dataset

LOOK_S = 120
# Of each kind; more are counted, and the first are enough to see what is wrong.
MOST = 500
# m2: below, two edges were digitised apart; and a gap above it is a street or a field, not a slip.
SLIVER, LARGEST_GAP = 1.0, 1000.0
MOST_PARCELS = 50_000
# Metres a storey between which a building is likely, and its ground above or below the terrain.
STOREY = (2.2, 8.0)
OFF_GROUND = 5.0
STALE_YEARS = 5
LAYER_SQL = "select theme, dataset_id, published ->> 'relation' as relation from layer where id = %s"

NOW = sql.SQL(
    "recorded_to = 'infinity' and plan_id is null and (valid_from is null or valid_from <= now())"
    " and (valid_to is null or valid_to > now())"
)
FINDING_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("key", "kind", "name", "what_zh", "what_en", "layer")),
        ("objects", pa.string()),
        ("measure", pa.float64()),
        (GEOMETRY, pa.binary()),
    ]
)

INVALID_SQL = """
    select array[object_id] as objects, ST_IsValidReason(geom) as reason, ST_PointOnSurface(ST_MakeValid(geom)) as geom
    from objects where not ST_IsValid(geom) order by object_id limit {most}
"""
DUPLICATE_SQL = """
    select array_agg(object_id order by object_id) as objects, count(*)::float8 as measure,
           (array_agg(geom order by object_id))[1] as geom
    from objects group by md5(ST_AsBinary(ST_Normalize(ST_ReducePrecision(geom, 1e-8)))), class
    having count(*) > 1 order by 1 limit {most}
"""
OVERLAP_SQL = """
    select array[a.object_id, b.object_id] as objects, ST_Area(common::geography) as measure, common as geom
    from objects a join objects b on a.geom && b.geom and a.object_id < b.object_id
    cross join lateral (select ST_CollectionExtract(ST_Intersection(a.geom, b.geom), 3) as common) shared
    where ST_Relate(a.geom, b.geom, 'T********') and not ST_Equals(a.geom, b.geom)
      and ST_Area(common::geography) > {sliver}
    order by 2 desc limit {most}
"""
GAP_SQL = """
    with covered as (select (ST_Dump(ST_Union(geom))).geom as geom from objects),
    holes as (
        select ST_MakePolygon(ST_InteriorRingN(geom, n)) as geom
        from covered, generate_series(1, ST_NumInteriorRings(geom)) n
    )
    select array(select object_id from objects o where ST_Touches(o.geom, h.geom) order by 1 limit 8) as objects,
           ST_Area(h.geom::geography) as measure, h.geom
    from holes h where ST_Area(h.geom::geography) between 0.01 and {gap} order by 2 limit {most}
"""
HEIGHT_SQL = """
    select array[object_id] as objects, height as measure, storeys, ST_PointOnSurface(geom) as geom from objects
    where height is not null and (height <= 0 or height > 830
          or height_source is distinct from 'storeys' and storeys > 0 and height / storeys not between {low} and {high})
    order by object_id limit {most}
"""


@dataclass(frozen=True)
class Look:
    """A statement that finds what is wrong. told: its columns beside objects and geom, by which the words are made."""

    kind: str
    sql: str
    zh: str
    en: str
    told: str = "measure"


INVALID = Look("invalid", INVALID_SQL, "图形无效：{reason}", "invalid geometry: {reason}", "reason")
DUPLICATE = Look("duplicate", DUPLICATE_SQL, "{measure:.0f} 个要素图形相同", "{measure:.0f} objects of the same shape")
OVERLAP = Look("overlap", OVERLAP_SQL, "重叠 {measure:.1f} 平方米", "overlap of {measure:.1f} m2")
GAP = Look("gap", GAP_SQL, "缝隙 {measure:.1f} 平方米", "gap of {measure:.1f} m2")
HEIGHT = Look(
    "height",
    HEIGHT_SQL,
    "高度 {measure:g} 米与 {storeys} 层不符",
    "height {measure:g} m with {storeys} storeys",
    "measure, storeys",
)


class CheckError(LayerError):
    """A layer that cannot be looked over."""


@dataclass(frozen=True)
class Finding:
    """Something at a place. objects: their ids in the layer. measure: m2, m or a number, as `what` says."""

    kind: str
    zh: str
    en: str
    objects: tuple[int, ...]
    measure: float | None
    geometry: bytes


@dataclass
class Findings:
    """What was found in a layer. filled: share of the objects that have each attribute, 0 to 1. classes: objects by
    class and CIM level. remarks: what concerns the whole, and what could not be looked at."""

    layer: str
    objects: int
    outline: bytes
    filled: dict[str, float] = field(default_factory=dict)
    classes: list[tuple[str, int | None, int]] = field(default_factory=list)
    found: list[Finding] = field(default_factory=list)
    remarks: list[tuple[str, str]] = field(default_factory=list)


def check(url: str, layer: str, *, home: Path, today: date) -> Findings:
    """Look a layer over. home: the city's directory, for terrain. Raises CheckError."""
    with psycopg.connect(url, row_factory=dict_row, application_name="citytwin check") as connection:
        connection.execute(
            f"set statement_timeout = '{LOOK_S}s'; set transaction isolation level repeatable read".encode()
        )
        row = connection.execute(LAYER_SQL, (layer,)).fetchone()
        if row is None:
            raise CheckError(f"{layer}: no such layer; `twin layers` lists those there are")
        if row["theme"] in ("terrain", "coverage"):
            raise CheckError(f"{layer}: cells of a raster, which have nothing to look over one by one")
        return _Look(connection, layer, row, home, today).run()


class _Look:
    """One layer, looked at in one snapshot."""

    def __init__(
        self, connection: psycopg.Connection[dict[str, Any]], layer: str, row: dict[str, Any], home: Path, today: date
    ) -> None:
        self._connection, self._home, self._today = connection, home, today
        self._layer, self._theme, self._dataset = layer, THEMES[row["theme"]], row["dataset_id"]
        of = sql.SQL("true") if self._dataset is None else sql.SQL("dataset_id = {}").format(sql.Literal(self._dataset))
        table = sql.Identifier(row["relation"] or row["theme"])
        self._objects = sql.SQL("with objects as (select * from {} where {} and {})").format(table, NOW, of)

    def run(self) -> Findings:
        (whole,) = self._rows(
            "select count(*) as objects, ST_AsBinary(ST_Force2D(coalesce(ST_Envelope(ST_Collect(ST_Envelope(geom))),"
            " ST_GeomFromText('POINT EMPTY')))) as outline from objects"
        )
        result = Findings(self._layer, whole["objects"], bytes(whole["outline"]))
        if not result.objects:
            result.remarks.append(("图层中没有要素", "the layer has no objects"))
            return result
        self._fill(result)
        self._stale(result)
        self._looks(result)
        if self._theme.table == "building":
            self._terrain(result)
        return result

    def _looks(self, result: Findings) -> None:
        looks = [INVALID, DUPLICATE]
        if self._theme.table == "land" or (self._theme.table == "generic_object" and self._theme.geometry != "Point"):
            looks += [OVERLAP, GAP]
        if self._theme.table == "building":
            looks.append(HEIGHT)
        for look in looks:
            if look in (OVERLAP, GAP) and result.objects > MOST_PARCELS:
                zh = f"要素超过 {MOST_PARCELS} 个，未查 {look.kind}；请按数据集分层检查"
                result.remarks.append((zh, f"more than {MOST_PARCELS:,} objects: not looked over for {look.kind}s"))
                continue
            try:
                with self._connection.transaction():
                    rows = self._rows(f"select {look.told}, objects, ST_AsBinary(geom) as geom from ({look.sql}) f")
            except psycopg.errors.QueryCanceled:
                result.remarks.append((f"{look.kind}：{LOOK_S} 秒内未查完", f"{look.kind}: not done in {LOOK_S} s"))
                continue
            for row in rows:
                place, measure = bytes(row["geom"]), row.get("measure")
                words = look.zh.format_map(row), look.en.format_map(row)
                result.found.append(Finding(look.kind, *words, tuple(row["objects"]), measure, place))

    def _fill(self, result: Findings) -> None:
        """Share of objects with each attribute, and how many there are of each class and level."""
        own = ["name", "village_code", *(attribute.name for attribute in self._theme.attributes)]
        counts = sql.SQL(", ").join(sql.SQL("count({})").format(sql.Identifier(name)) for name in own)
        names = sql.SQL(", ").join(sql.Literal(name) for name in own)
        (row,) = self._rows(
            sql.SQL("select array[{}] as names, array[{}] as counts from objects").format(names, counts)
        )
        result.filled = {name: count / result.objects for name, count in zip(row["names"], row["counts"], strict=True)}
        further = self._rows(
            "select key, count(*) as filled from objects, jsonb_object_keys(attributes) key"
            " group by key order by key limit 200"
        )
        result.filled |= {each["key"]: each["filled"] / result.objects for each in further if each["key"] not in own}
        levels = self._rows(
            "select class, cim_level, count(*) as count from objects group by 1, 2 order by 3 desc limit 200"
        )
        result.classes = [(each["class"], each["cim_level"], each["count"]) for each in levels]

    def _stale(self, result: Findings) -> None:
        """Editions that are years old, and those that say no date."""
        rows = self._rows(
            "select name, edition_date from dataset where id in (select distinct dataset_id from objects) order by name"
        )
        for row in rows:
            day = row["edition_date"]
            if day is None:
                result.remarks.append(
                    (f"数据集 {row['name']} 没有版本日期", f"data set {row['name']} states no edition date")
                )
            elif (self._today - day).days > STALE_YEARS * 365:
                zh = f"数据集 {row['name']} 版本为 {day}，已逾 {STALE_YEARS} 年"
                result.remarks.append((zh, f"data set {row['name']} is of {day}, over {STALE_YEARS} years ago"))

    def _terrain(self, result: Findings) -> None:
        """The stated ground of buildings against the terrain, of the same vertical datum alone."""
        rows = self._rows(
            "select o.object_id, o.ground_z, d.vertical_datum, ST_X(p) as lon, ST_Y(p) as lat, ST_AsBinary(p) as geom"
            " from objects o join dataset d on d.id = o.dataset_id, ST_PointOnSurface(o.geom) p"
            " where o.ground_z is not null order by o.object_id limit 200000"
        )
        grids = self._rows(
            "select t.path, d.vertical_datum from terrain t join dataset d on d.id = t.dataset_id"
            " where t.recorded_to = 'infinity' and t.plan_id is null and t.kind = 'dtm' order by t.resolution"
        )
        for grid in grids:
            alike = [row for row in rows if row["vertical_datum"] == grid["vertical_datum"] != "unknown"]
            if rows and not alike:
                zh = f"建筑与地形 {grid['path']} 高程基准不同或未知，未比较"
                en = f"buildings and terrain {grid['path']} have other or unknown vertical datums: not compared"
                result.remarks.append((zh, en))
                continue
            result.found += list(self._off_ground(alike, self._home / grid["path"]))[:MOST]

    def _off_ground(self, rows: list[dict[str, Any]], path: Path) -> Iterator[Finding]:
        try:
            with rasterio.open(path) as grid:
                places = transform("EPSG:4326", grid.crs, [row["lon"] for row in rows], [row["lat"] for row in rows])
                values = np.array(
                    [cell[0] for cell in grid.sample(zip(*places, strict=True), masked=True)], dtype=float
                )
        except (RasterioError, OSError):
            raise CheckError(f"{path.name}: the terrain's file cannot be read; load it again") from None
        for row, ground in zip(rows, values.tolist(), strict=True):
            off = row["ground_z"] - ground
            if np.isfinite(off) and abs(off) > OFF_GROUND:
                zh, en = f"地面高程与地形相差 {off:+.1f} 米", f"stated ground {off:+.1f} m off the terrain"
                yield Finding("terrain", zh, en, (row["object_id"],), off, bytes(row["geom"]))

    def _rows(self, statement: str | sql.Composed) -> list[dict[str, Any]]:
        query = statement if isinstance(statement, sql.Composed) else sql.SQL(statement).format(
            most=sql.Literal(MOST), sliver=sql.Literal(SLIVER), gap=sql.Literal(LARGEST_GAP),
            low=sql.Literal(STOREY[0]), high=sql.Literal(STOREY[1]))  # fmt: skip
        return self._connection.execute(self._objects + sql.SQL(" ") + query).fetchall()


@dataclass(frozen=True)
class FoundSource:
    """Findings as a source: one row each, and one for the whole, so that a layer in which nothing is wrong says so."""

    findings: Findings
    crs: str
    name: str = "findings"
    schema: pa.Schema = FINDING_SCHEMA

    @property
    def count(self) -> int:
        return len(self.findings.found) + 1

    def read(self, rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        found, layer = self.findings.found, self.findings.layer
        told: list[dict[str, Any]] = [
            {
                "key": f"{each.kind}-{'-'.join(map(str, each.objects[:8]))}",
                "kind": each.kind,
                "name": each.zh,
                "what_zh": each.zh,
                "what_en": each.en,
                "layer": layer,
                "objects": ", ".join(map(str, each.objects)),
                "measure": each.measure,
                GEOMETRY: each.geometry,
            }
            for each in found
        ]
        summary = {"key": "all", "kind": "summary", "layer": layer, GEOMETRY: self.findings.outline,
                   "what_zh": f"共 {len(found)} 处问题", "what_en": f"{len(found)} findings",
                   "measure": float(len(found))}  # fmt: skip
        yield pa.RecordBatch.from_pylist([*told, summary], schema=FINDING_SCHEMA)


def delivery(url: str, findings: Findings) -> Delivery:
    """The findings as a data set, whose layer stands beside the one that was looked over."""
    name = f"check-{findings.layer.replace('_', '-')}"[:63]
    title = {"zh": f"质检：{findings.layer}", "en": f"Check of {findings.layer}"}
    dataset = Dataset.model_validate(
        {"name": name, "title": title, "source": "twin check", "file": "findings", "uid": "key"}
    )
    return Delivery(dataset, [(dataset.parts[0], FoundSource(findings, f"EPSG:{read_city(url).srid}"))])
