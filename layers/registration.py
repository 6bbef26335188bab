"""A data set in the catalogue: what is known of it before a load, and what a load writes down of itself."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import psycopg
from psycopg.types.json import Jsonb

from cim_models.database import City
from cim_models.partitions import generic_partition, generic_partition_statements
from cim_models.theme import AttributeType
from layers import LayerError
from layers.boxes import Bbox
from layers.mapping import Property
from layers.recipe import Dataset
from layers.report import Report
from layers.seeds import add_dataset_layer

# Only these have a meaning to filters; a date in `attributes` is text, in the order of time.
SCHEMA_TYPES: Mapping[str, AttributeType] = {"integer": "integer", "number": "number", "boolean": "boolean"}

KNOWN_SQL = """
    select dataset.id, dataset.edition_date, dataset.extent, first.edition_date, last.fingerprint, last.present
    from dataset
    left join lateral (
        select edition_date from import_run where dataset_id = dataset.id order by id limit 1
    ) first on true
    left join lateral (
        select report ->> 'fingerprint' as fingerprint, inserted + updated + unchanged as present
        from import_run where dataset_id = dataset.id order by id desc limit 1
    ) last on true
    where dataset.name = %s
"""
REGISTER_SQL = """
    insert into dataset (name, themes, title_zh, title_en, source, edition, edition_date, licence, attribution, lineage,
                         crs, vertical_datum, sharing, made_up, extent, properties, loaded_at)
    values (%(name)s, %(themes)s, %(title_zh)s, %(title_en)s, %(source)s, %(edition)s, %(edition_date)s, %(licence)s,
            %(attribution)s, %(lineage)s, %(crs)s, %(vertical_datum)s, %(sharing)s, %(made_up)s, %(extent)s,
            %(properties)s, now())
    on conflict (name) do update set
        themes = array(select distinct unnest(dataset.themes || excluded.themes) order by 1),
        title_zh = excluded.title_zh, title_en = excluded.title_en, source = excluded.source,
        edition = coalesce(excluded.edition, dataset.edition), edition_date = excluded.edition_date,
        licence = excluded.licence, attribution = excluded.attribution, lineage = excluded.lineage,
        crs = excluded.crs, vertical_datum = excluded.vertical_datum, sharing = excluded.sharing,
        made_up = excluded.made_up, extent = excluded.extent,
        properties = coalesce(dataset.properties, '{}') || excluded.properties, loaded_at = excluded.loaded_at
    returning id
"""
RUN_SQL = """
    insert into import_run (dataset_id, file, sha256, edition, edition_date, who, read, inserted, updated, unchanged,
                            ended, repaired, rejected, report, started_at, finished_at)
    values (%(dataset)s, %(file)s, %(sha256)s, %(edition)s, %(edition_date)s, %(who)s, %(read)s, %(inserted)s,
            %(updated)s, %(unchanged)s, %(ended)s, %(repaired)s, %(rejected)s, %(report)s,
            clock_timestamp() - make_interval(secs => %(seconds)s), clock_timestamp())
"""


class OlderEdition(LayerError):
    """An edition older than the one that is loaded."""


@dataclass(frozen=True)
class Known:
    """What is known of a data set before a load.

    first_date: edition date of its first load. fingerprint: of its last load; present: objects in that.
    """

    id: int
    edition_date: date | None
    extent: Bbox | None
    first_date: date | None
    fingerprint: str | None
    present: int


def lock_datasets(connection: psycopg.Connection, names: Sequence[str]) -> None:
    """Let no other load touch these data sets until the connection closes; waits for one that does."""
    for name in sorted(names):
        connection.execute("select pg_advisory_lock(hashtextextended('dataset ' || %s, 0))", (name,))
    connection.commit()


def find(connection: psycopg.Connection, name: str) -> Known | None:
    row = connection.execute(KNOWN_SQL, (name,)).fetchone()
    connection.commit()
    return None if row is None else Known(row[0], row[1], row[2] and tuple(row[2]), row[3], row[4], row[5] or 0)


def edition_date(known: Known | None, dataset: Dataset) -> date | None:
    """The date of the edition that comes; a file without one is taken as a correction of what is loaded.

    Raises OlderEdition.
    """
    if known is None or known.edition_date is None:
        return dataset.edition_date
    if dataset.edition_date is not None and dataset.edition_date < known.edition_date:
        raise OlderEdition(
            f"{dataset.name}: the edition of {dataset.edition_date} is older than that of {known.edition_date}, which"
            " is loaded; load editions in their order, oldest first"
        )
    return dataset.edition_date or known.edition_date


def midnight(day: date, city: City) -> datetime:
    """When a day begins in the city."""
    return datetime.combine(day, time.min, ZoneInfo(city.time_zone))


def register(
    connection: psycopg.Connection,
    dataset: Dataset,
    *,
    day: date | None,
    themes: Sequence[str],
    properties: Sequence[Property],
    crs: str | None,
    extent: Bbox | None,
) -> int:
    """Write the data set's row, with a partition and a layer of its own if it has generic objects; gives its id."""
    generic = "generic_object" in themes
    row = connection.execute(
        REGISTER_SQL,
        {
            **dataset.model_dump(include=set(_OWN_COLUMNS)),
            "title_zh": dataset.title.zh,
            "title_en": dataset.title.en,
            "edition_date": day,
            "themes": sorted(themes),
            "crs": crs,
            "extent": extent and list(extent),
            "properties": Jsonb({p.name: SCHEMA_TYPES.get(p.type, "text") for p in properties}) if generic else None,
        },
    ).fetchone()
    assert row is not None
    dataset_id: int = row[0]
    if generic and not _there(connection, generic_partition(dataset_id)):
        for statement in generic_partition_statements(dataset_id):
            connection.execute(statement.encode())
        _add_layer(connection, dataset, dataset_id)
    return dataset_id


_OWN_COLUMNS = (
    "name",
    "source",
    "edition",
    "licence",
    "attribution",
    "lineage",
    "vertical_datum",
    "sharing",
    "made_up",
)


def _there(connection: psycopg.Connection, table: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", (table,)).fetchone()
    return bool(row and row[0])


def _add_layer(connection: psycopg.Connection, dataset: Dataset, dataset_id: int) -> None:
    layer_id = re.sub(r"[^a-z0-9_]", "_", dataset.name)
    if connection.execute("select from layer where id = %s", (layer_id,)).fetchone() is not None:
        layer_id = f"{layer_id[:50]}_{dataset_id}"
    add_dataset_layer(connection, layer_id, dataset_id, dataset.title.zh, dataset.title.en)


def record_run(
    connection: psycopg.Connection, dataset_id: int, report: Report, *, who: str, sha256: str, fingerprint: str
) -> None:
    """Keep the report of a load; `fingerprint` is how the next one knows that it is the same again."""
    connection.execute(
        RUN_SQL,
        {
            **{
                name: getattr(report, name)
                for name in ("read", "inserted", "updated", "unchanged", "ended", "repaired", "rejected", "seconds")
            },
            "dataset": dataset_id,
            "file": ", ".join(report.files),
            "sha256": sha256,
            "edition": report.edition,
            "edition_date": report.edition_date,
            "who": who,
            "report": Jsonb(report.details() | {"fingerprint": fingerprint}),
        },
    )
