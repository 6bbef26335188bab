"""Data sets made of rows that a test writes down, and a few questions to the database about what became of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import shapely

from cim_models.database import Database
from layers.load import Delivery, load
from layers.recipe import Dataset
from layers.report import Report
from tests.cases import Edition
from tests.enact import delivery, footprint
from tests.layers.sources import Rows, source

HOME = Path("/nonexistent")
OF_THE_DATASET = ("edition", "edition_date", "vertical_datum", "licence")


def run(database: Database, *deliveries: Delivery, home: Path = HOME, **asked: Any) -> list[Report]:
    return load(database.url, deliveries, who="tester", home=home, **asked)


def survey(database: Database, day: str | None, heights: Mapping[str, float]) -> Report:
    """Load an edition of the data set `surveyed`."""
    (report,) = run(database, delivery(Edition(day, heights)))
    return report


def dataset(name: str, *sources: Any, **keys: Any) -> Delivery:
    """Sources as a data set; what the recipe says of a part goes for all."""
    own = {key: keys.pop(key) for key in OF_THE_DATASET if key in keys}
    parts = [{"file": "memory", "layer": each.name, **keys} for each in sources]
    made = Dataset.model_validate({"name": name, "title": {"zh": name, "en": name}, **own, "parts": parts})
    return Delivery(made, list(zip(made.parts, sources, strict=True)))


def houses(name: str, heights: Mapping[str, float], shapes: Sequence[Any] | None = None, **keys: Any) -> Delivery:
    """Buildings by their uid."""
    shapes = shapes or [footprint(number) for number in range(len(heights))]
    rows = source(shapes, crs="EPSG:4490", name=name, id=list(heights), h=list(heights.values()))
    how = {"theme": "building", "class": "Building", "uid": "id", "fields": {"height": "h"}}
    return dataset(name, rows, **how | keys)


def estate(name: str, rows: int, *, taller: int = 0) -> Delivery:
    """So many buildings in a grid; every `taller`-th is a metre higher than otherwise."""
    number = np.arange(rows)
    west, south = 120.9 + number % 100 * 0.0003, 28.0 + number // 100 * 0.0003
    heights = 3.0 + number % 50 + (number % taller == 0 if taller else 0)
    shapes = shapely.to_wkb(shapely.box(west, south, west + 0.0001, south + 0.0001))
    batch = pa.RecordBatch.from_pydict(
        {"id": [f"{name}-{n}" for n in number], "h": heights, "geometry": pa.array(shapes, pa.binary())}
    )
    how = {"theme": "building", "class": "Building", "uid": "id", "fields": {"height": "h"}}
    return dataset(name, Rows((batch,), "EPSG:4490", name), **how)


def fetch(database: Database, query: str, *arguments: Any) -> list[Any]:
    with psycopg.connect(database.url) as connection:
        return connection.execute(query.encode(), arguments or None).fetchall()


def one(database: Database, query: str, *arguments: Any) -> Any:
    return fetch(database, query, *arguments)[0][0]


def counts(report: Report) -> tuple[int, int, int, int]:
    """Inserted, updated, unchanged, ended."""
    return report.inserted, report.updated, report.unchanged, report.ended
