"""Warning signals and emergency responses that an authority issued: records with issuer, time and text.

Nothing here is computed. What was reached by measurement stands beside them, under its own name.
"""

from datetime import datetime
from typing import Any, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from cim_models.database import Connection
from twin.sensing import BadEntity, EntityNotFound

# 预警信号 has four colours, 应急响应 four levels, the first the gravest.
LEVELS = {"warning": ("blue", "yellow", "orange", "red"), "response": ("IV", "III", "II", "I")}
RECORD = """
    insert into sensing.signal (type, hazard, level, title, text, issuer, issued_at, expires_at, area, source,
                                recorded_by)
    values ($1, $2, $3, $4, $5, $6, $7, $8, st_setsrid(st_geomfromgeojson($9), 4326), $10, $11) returning id
"""
KNOWN = """
    select id from sensing.signal
    where type = $1 and hazard = $2 and level = $3 and issuer = $4 and issued_at = $5
"""
# A signal that the same issuer raises or lowers is the same one in another colour.
REPLACE = """
    update sensing.signal set ended_at = $4, ended_by = $5
    where type = $1 and hazard = $2 and issuer = $3 and issued_at <= $4 and ended_at is null
      and coalesce(expires_at, 'infinity') > $4
"""
TOLD = """
    select json_build_object(
        'id', id, 'type', type, 'hazard', hazard, 'level', level, 'title', title, 'text', text, 'issuer', issuer,
        'issued_at', issued_at, 'expires_at', expires_at, 'ended_at', ended_at, 'ended_by', ended_by, 'source', source,
        'area', st_asgeojson(area, 6)::json, 'recorded_by', recorded_by, 'recorded_at', recorded_at)::text
    from sensing.signal
"""
LISTED = f"""
    {TOLD}
    where ($2::timestamptz is null or issued_at <= $2)
      and ($1::timestamptz is null or least(ended_at, expires_at, 'infinity') > $1)
    order by type desc, array_position(array['I', 'red', 'II', 'orange', 'III', 'yellow', 'IV', 'blue'], level), id desc
    limit 1000
"""
# By hazard: the gravest mark that is reached, and since when.
REACHED = """
    select r.hazard, (array_agg(e.severity order by array_position($3::text[], e.severity) desc))[1] as severity,
           min(e.began_at) as since, count(distinct e.datastream_id) as stations,
           array_agg(e.id order by e.id) as events
    from sensing.event e join sensing.rule r on r.id = e.rule_id
    where r.hazard is not null and e.began_at <= coalesce($2::timestamptz, 'infinity')
      and coalesce(e.ended_at, 'infinity') > coalesce($1::timestamptz, '-infinity')
    group by r.hazard order by r.hazard
"""


class NewSignal(BaseModel):
    """What an authority issued. type: a warning (four colours) or a response (I to IV). area: GeoJSON in degrees."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["warning", "response"]
    hazard: str = Field(min_length=1, max_length=100)
    level: str
    title: str = Field(min_length=1, max_length=500)
    text: str | None = Field(default=None, max_length=20_000)
    issuer: str = Field(min_length=1, max_length=200)
    issued_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    area: dict[str, Any] | None = None
    source: str | None = Field(default=None, max_length=2_000)

    @model_validator(mode="after")
    def _fits(self) -> "NewSignal":
        if self.level not in LEVELS[self.type]:
            raise ValueError(f"level: a {self.type} is {', '.join(LEVELS[self.type])}")
        if self.expires_at is not None and self.expires_at <= self.issued_at:
            raise ValueError("expires_at: it ends before it begins")
        return self


async def record_signal(connection: Connection, signal: NewSignal, who: str) -> int:
    """Record a signal; one of the same type, hazard and issuer that is in force ends with it. Its id.

    What is recorded again counts once.
    """
    known: int | None = await connection.fetchval(
        KNOWN, signal.type, signal.hazard, signal.level, signal.issuer, signal.issued_at
    )
    if known is not None:
        return known
    await connection.execute(REPLACE, signal.type, signal.hazard, signal.issuer, signal.issued_at, who)
    area = None if signal.area is None else orjson.dumps(signal.area).decode()
    number: int = await connection.fetchval(
        RECORD,
        *(signal.type, signal.hazard, signal.level, signal.title, signal.text, signal.issuer, signal.issued_at),
        *(signal.expires_at, area, signal.source, who),
    )
    return number


async def end_signal(connection: Connection, number: int, at: datetime, who: str) -> None:
    """The authority has lifted a signal. Raises EntityNotFound, BadEntity where it is over or did not begin yet."""
    row = await connection.fetchrow("select issued_at, ended_at from sensing.signal where id = $1 for update", number)
    if row is None:
        raise EntityNotFound(f"no signal {number}")
    if row["ended_at"] is not None or at < row["issued_at"]:
        raise BadEntity(f"signal {number} is over already, or did not begin before {at.isoformat()}")
    await connection.execute("update sensing.signal set ended_at = $2, ended_by = $3 where id = $1", number, at, who)


async def read_signal(connection: Connection, number: int) -> bytes:
    """A signal as JSON. Raises EntityNotFound."""
    told = await connection.fetchval(f"{TOLD} where id = $1", number)
    if told is None:
        raise EntityNotFound(f"no signal {number}")
    return bytes(told, "utf-8")


async def list_signals(connection: Connection, since: datetime | None, until: datetime | None) -> list[bytes]:
    """Signals that were in force at some time of a span, as JSON, responses and warnings, the gravest first."""
    return [row[0].encode() for row in await connection.fetch(LISTED, since, until)]


async def reached(connection: Connection, since: datetime | None, until: datetime | None) -> list[dict[str, Any]]:
    """By hazard, the gravest mark of a signal that measurements reached in a span: never a signal itself."""
    rows = await connection.fetch(REACHED, since, until, list(LEVELS["warning"]))
    return [dict(row) for row in rows]
