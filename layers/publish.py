"""Tables and views that stand in the city's database already, published as layers just as they are.

A view of ours, `published_{data set}`, tells each of their rows in the shape of a city object; from then on features,
tiles, filters, styles and maps read it as they read any layer. Nothing of it is copied, so nothing of it is kept: it
takes no part in history and plans, its tiles are drawn anew each time, and it is edited where it stands.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from cim_models.base import INTERNAL
from cim_models.database import read_city
from cim_models.theme import SHARED, AttributeType
from layers.changes import CHANNEL
from layers.relation import INDEXABLE, KINDS, SMALL, PublishError, Relation
from layers.seeds import add_dataset_layer

__all__ = ["Found", "PublishError", "publish", "unpublish"]

# Whole numbers that a tile's ids, which are doubles to JavaScript, can hold.
MOST_ID = 2**53
LOOK_S = 120
LOCK_S = 5

NUMBERS = ("smallint", "integer", "bigint")
QUANTITIES = ("real", "double precision", "numeric")
FLAT = {"POINT": "Point", "LINESTRING": "LineString", "MULTIPOLYGON": "MultiPolygon"}
# The shape of a city object, as far as a table has nothing of its own to say.
UNSAID = {"class": "'Published'::text", "name": "null::text", "name_en": "null::text", "cim_level": "null::smallint",
          "village_code": "null::text"}  # fmt: skip
OWN_NAMES = frozenset((*INTERNAL, "uid", "geometry")) - {"id"}

DATASET_SQL = """
    insert into dataset (name, themes, title_zh, title_en, source, lineage, crs, extent, properties, loaded_at)
    values (%(name)s, '{}', %(title)s, %(title)s, %(source)s, %(lineage)s, %(crs)s, %(extent)s, %(properties)s, now())
    returning id
"""
FEED_SQL = """insert into change ("table", dataset_id, op, who, why) values ('layer', %s, 'layer', %s, %s)"""


@dataclass(frozen=True)
class Found:
    """What a publication found. layer: its id; notes: what its owner should know, one sentence each."""

    layer: str
    source: str
    kind: str
    rows: int
    key: str
    geometry: str
    srid: int
    notes: tuple[str, ...]


def publish(
    url: str,
    name: str,
    *,
    who: str,
    layer: str | None = None,
    title: str | None = None,
    key: str | None = None,
    geometry: str | None = None,
    index: bool = False,
) -> Found:
    """Publish `schema.table` of the city's database as a layer, seen at once by every server of the city.

    layer: its id, the table's name by default. key: column that tells its rows apart, geometry: column to show, where
    the database does not say. index: make the index that tiles need. Raises PublishError.
    """
    city = read_city(url)
    with psycopg.connect(url, application_name="citytwin publish") as connection:
        connection.execute(f"set statement_timeout = '{LOOK_S}s'".encode())
        try:
            publication = _Publication(connection, city, name, key, geometry)
            found = publication.register(layer, title or publication.relation, who)
        except psycopg.errors.QueryCanceled:
            raise PublishError(f"{name}: could not be looked through in {LOOK_S} s; give --key and a typed geometry "
                               "column, or publish a smaller view of it") from None  # fmt: skip
        except psycopg.errors.InsufficientPrivilege as error:
            raise PublishError(f"{name}: {error.diag.message_primary}; grant select on it to the city's role") from None
        except psycopg.errors.LockNotAvailable:
            raise PublishError(f"{name}: is locked by someone else right now; try again") from None
        except (psycopg.errors.DataError, psycopg.errors.InternalError_, psycopg.OperationalError) as error:
            raise PublishError(f"{name}: its rows cannot be read ({str(error).splitlines()[0]})") from None
    if index:
        publication.make_index(url)
        return found
    return found


def unpublish(url: str, layer: str, *, who: str) -> None:
    """Take a published layer away; the table stays as it is. Raises PublishError."""
    with psycopg.connect(url, application_name="citytwin publish") as connection:
        row = connection.execute(
            "select dataset_id, published ->> 'relation' from layer"
            # The city's own views, which are read with another layer's rights, are not for taking away.
            " where id = %s and published is not null and published ->> 'read_with' is null",
            (layer,),
        ).fetchone()
        if row is None:
            raise PublishError(f"{layer}: no published layer; `twin layers` lists those there are")
        connection.execute("delete from layer where id = %s", (layer,))
        connection.execute("delete from permission where layer = %s", (layer,))
        connection.execute("delete from dataset where id = %s", (row[0],))
        connection.execute(sql.SQL("drop view {}").format(sql.Identifier(row[1])))
        connection.execute(FEED_SQL, (row[0], who, f"{layer} is no longer published"))
        connection.execute(f"notify {CHANNEL}".encode())


class _Publication(Relation):
    """One table, written into the catalogue."""

    def register(self, layer: str | None, title: str, who: str) -> Found:
        layer_id = layer or re.sub(r"[^a-z0-9_]+", "_", self.relation.lower()).strip("_")
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", layer_id):
            raise PublishError(f"{self.name}: {layer_id!r} is no id of a layer; name one with --layer, such as wells")
        if self.connection.execute("select from layer where id = %s", (layer_id,)).fetchone():
            raise PublishError(f"{self.name}: there is a layer {layer_id} already; name another with --layer")
        columns, properties = self._properties()
        row = self.connection.execute(
            DATASET_SQL,
            {
                "name": f"published-{layer_id}",
                "title": title,
                "source": self.name,
                "lineage": f"{KINDS[self.kind]} {self.name}, published as it is",
                "crs": f"EPSG:{self.srid}",
                "extent": self._extent(),
                "properties": Jsonb(properties),
            },
        ).fetchone()
        assert row is not None
        relation = f"published_{row[0]}"
        self.connection.execute(self._view(relation, row[0], columns))
        add_dataset_layer(self.connection, layer_id, row[0], title, title)
        geometry = FLAT.get(re.sub(r"Z?M?$", "", self.shape.kind), "Geometry")
        self.connection.execute(
            "update layer set published = %s where id = %s",
            (Jsonb({"relation": relation, "geometry": geometry, "source": self.name}), layer_id),
        )
        self.connection.execute(FEED_SQL, (row[0], who, f"{self.name} published"))
        self.connection.execute(f"notify {CHANNEL}".encode())
        self._say_size()
        return Found(
            layer=layer_id,
            source=self.name,
            kind=KINDS[self.kind],
            rows=self.rows,
            key=self.key.name,
            geometry=self.shape.name,
            srid=self.srid,
            notes=tuple(self.notes),
        )

    def _properties(self) -> tuple[dict[str, sql.Composable], dict[str, AttributeType]]:
        """SQL of each column that is told, and the type of each further property."""
        columns: dict[str, sql.Composable] = {name: sql.SQL(unsaid) for name, unsaid in UNSAID.items()}
        properties: dict[str, AttributeType] = {}
        shared = {attribute.name for attribute in SHARED}
        for column in self.columns:
            said = sql.Identifier(column.name)
            if column.type == "bytea":
                self.notes.append(f"{column.name} holds raw bytes and is left out")
            elif column.name in ("name", "name_en"):
                columns[column.name] = sql.SQL("{}::text").format(said)
            else:
                name = f"source_{column.name}" if column.name in OWN_NAMES | shared | {"id"} else column.name
                properties[name], cast = _type(column.type)
                columns[name] = sql.SQL("{}" + cast).format(said)
        return columns, properties

    def _view(self, relation: str, dataset_id: int, columns: Mapping[str, sql.Composable]) -> sql.Composed:
        key = sql.Identifier(self.key.name)
        number = sql.SQL("('x' || substr(md5({}::text), 1, 13))::bit(52)::bigint").format(key)
        if self.key.type in NUMBERS and self._fits():
            number = sql.SQL("{}::bigint").format(key)
        told = sql.SQL(", ").join(
            sql.SQL("{} as {}").format(said, sql.Identifier(name)) for name, said in columns.items()
        )
        return sql.SQL(
            "create view {relation} as select {number} as id, {number} as object_id, {dataset}::int as dataset_id,"
            " {key}::text as uid, ''::bytea as content_hash, '{{}}'::jsonb as attributes, {told}, {shape} as geom,"
            " web_mercator({shape}) as geom_web, null::timestamptz as valid_from, null::timestamptz as valid_to,"
            " '1970-01-01 00:00+00'::timestamptz as recorded_from, 'infinity'::timestamptz as recorded_to,"
            " null::int as plan_id, null::text as plan_action from {table} where {column} is not null"
        ).format(
            relation=sql.Identifier(relation),
            number=number,
            dataset=sql.Literal(dataset_id),
            key=key,
            told=told,
            shape=self.expression,
            table=self.table,
            column=sql.Identifier(self.shape.name),
        )

    def _fits(self) -> bool:
        low, high = self.one(
            sql.SQL("select min({key}), max({key}) from {table}").format(
                key=sql.Identifier(self.key.name), table=self.table
            )
        )
        return low is None or (low >= 0 and high < MOST_ID)

    def _extent(self) -> list[float] | None:
        row = self.one(
            sql.SQL(
                "select ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box)"
                " from (select ST_Extent({shape}) as box from {table}) one"
            ).format(shape=self.expression, table=self.table)
        )
        return None if row[0] is None else list(row)

    # --- speed

    def _say_size(self) -> None:
        if self.rows == 0:
            self.notes.append("it is empty; what comes into it is shown at once, where the city lies")
        if self.rows > SMALL and self.kind in INDEXABLE:
            self.notes.append(f"{self.rows:,} rows: with --index its tiles have an index of their own to look in")
        elif self.rows > SMALL:
            self.notes.append(
                f"{self.rows:,} rows in a {KINDS[self.kind]}, which no index of ours can stand on: its tiles take as"
                " long as the whole is read"
            )

    def make_index(self, url: str) -> None:
        """Index the shapes as maps and features ask for them, while others go on writing."""
        if self.kind not in INDEXABLE:
            raise PublishError(f"{self.name}: a {KINDS[self.kind]} cannot be indexed; publish the table behind it")
        concurrently = sql.SQL("" if self.kind == "p" else "concurrently ")
        with psycopg.connect(url, autocommit=True, application_name="citytwin publish") as connection:
            connection.execute(f"set lock_timeout = '{LOCK_S}s'".encode())
            for suffix, shape in (
                ("web", sql.SQL("web_mercator({})").format(self.expression)),
                ("geom", self.expression),
            ):
                connection.execute(
                    sql.SQL("create index {}if not exists {} on {} using gist (({}))").format(
                        concurrently, sql.Identifier(f"{self.relation[:50]}_{suffix}_citytwin"), self.table, shape
                    )
                )
            connection.execute(sql.SQL("analyze {}").format(self.table))


def _type(kind: str) -> tuple[AttributeType, str]:
    """A property's type, and the cast by which it becomes that."""
    if kind in NUMBERS:
        return "integer", ""
    if kind in QUANTITIES:
        return "number", "" if kind == "double precision" else "::float8"
    if kind == "boolean":
        return "boolean", ""
    return "text", "" if kind == "text" else "::text"
