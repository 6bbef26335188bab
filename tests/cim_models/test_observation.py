"""The tables of observations are what the models say, and months are made around what lies there already."""

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, make_url

from cim_models.observation import SCHEMA, SENSING

INSERT = "insert into sensing.observation (id, datastream_id, time, dedupe, number) values (%s, 1, %s, %s, 1)"
PLACES = "select tableoid::regclass::text, count(*) from sensing.observation group by 1"


def test_models_and_migration_agree(city_url: str) -> None:
    engine = create_engine(make_url(city_url).set(drivername="postgresql+psycopg"))
    known = {table.name for table in SENSING.tables.values()}

    def ours(found: object, name: str | None, kind: str, *_: object) -> bool:
        if kind == "table":
            return getattr(found, "schema", None) == SCHEMA and name in known
        return kind == "column"

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_schemas": True, "include_object": ours, "compare_type": True}
        )
        assert compare_metadata(context, SENSING) == []


def test_a_month_takes_its_rows_out_of_the_default_partition(city_url: str) -> None:
    with psycopg.connect(city_url, autocommit=True) as connection:
        connection.execute(INSERT, (1, "2013-03-31 23:59:59Z", 1))
        connection.execute(INSERT, (2, "2013-04-01 00:00:00Z", 1))
        assert dict(connection.execute(PLACES).fetchall()) == {"sensing.observation_default": 2}
        made = "select sensing.ensure_month('2013-03-15Z'), sensing.ensure_month('2013-03-31 23:59:59.9Z')"
        assert connection.execute(made).fetchone() == (True, False)
        assert dict(connection.execute(PLACES).fetchall()) == {
            "sensing.observation_2013_03": 1,
            "sensing.observation_default": 1,
        }
