"""From a place to its address (reverse), and from a table of addresses to places (geocode)."""

import csv
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request, Response
from starlette.responses import StreamingResponse

from api.answers import LIVE, Language, json_answer, language, preferred
from api.bodies import read_json
from api.documentation import described
from api.errors import BadRequest, UnsupportedMediaType
from api.exchange import city, exchange
from api.files import PAUSE_S, place_to_write
from api.links import JSON
from api.parameters import Parameter, Query, one_of, whole_number
from api.routing import PartRouter
from api.views import as_text
from layers.access import Principal
from layers.search import Asker
from layers.search.geocode import BATCH, Match, geocode
from layers.search.reverse import Area, Near, reverse

CSV = "text/csv"
MOST_ROWS = 100_000
LONGEST_CELL = 10_000
# Headings under which offices keep addresses, where nobody names the column.
HEADINGS = ("地址", "详细地址", "住址", "门牌地址", "address", "addr")
ADDED = ("match_level", "match_score", "match_address", "match_layer", "match_object_id", "longitude", "latitude")
LON = Parameter[float | None](
    "lon", "Longitude in degrees.", float, None, {"type": "number", "minimum": -180, "maximum": 180, "example": 120.95}
)
LAT = Parameter[float | None](
    "lat", "Latitude in degrees.", float, None, {"type": "number", "minimum": -90, "maximum": 90, "example": 28.1}
)
WITHIN = Parameter[int](
    "within",
    "Metres within which an address, a place or a road is near.",
    whole_number(1, 10_000),
    500,
    {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 500},
)
COLUMN = Parameter[str | None](
    "column", "The column of a CSV that holds the addresses, by its heading.", as_text, None,
    {"type": "string", "example": "地址"}, max_length=200,
)  # fmt: skip
FORM = Parameter[str | None](
    "f", "Format of the answer; that of the body by default.", one_of("json", "csv"), None,
    {"type": "string", "enum": ["json", "csv"]},
)  # fmt: skip
BODY = {
    "description": f"Addresses: a JSON list of texts, or a CSV (UTF-8) with a heading; at most {MOST_ROWS:,} rows.",
    "required": True,
    "content": {
        JSON: {
            "schema": {"type": "array", "items": {"type": "string"}, "maxItems": MOST_ROWS},
            "example": ["虹桥镇人民路12号3幢2单元501室", "海晏小学"],
        },
        CSV: {"schema": {"type": "string"}, "example": "name,address\nA,人民路12号\n"},
    },
}

router = PartRouter(tags=["Search"])


@router.get(
    "/reverse",
    **described(
        "reverse",
        LON,
        LAT,
        WITHIN,
        example={
            "address": {"layer": "buildings", "object_id": 7, "text": "人民路12号", "distance_m": 8.2},
            "place": None,
            "road": {"layer": "roads", "object_id": 9, "text": "人民路", "distance_m": 12.5},
            "village": None,
            "township": None,
            "areas": [],
        },
    ),
)
async def reverse_place(request: Request) -> Response:
    """The nearest address, place and road, and the village and township around a place; only what the token may see."""
    served, met, query = city(request), exchange(request), Query(request)
    lon, lat, within = query.take(LON), query.take(LAT), query.take(WITHIN)
    query.finish()
    if lon is None or lat is None or not (abs(lon) <= 180 and abs(lat) <= 90):
        raise BadRequest("lon, lat: a place in degrees is wanted, e.g. ?lon=120.95&lat=28.1")
    catalog = await served.catalog()
    async with served.reading() as connection:
        found = await reverse(Asker(connection, catalog, met.principal), (lon, lat), within_m=within)
    spoken = language(request)
    areas = [_area(area, spoken) for area in found.areas]
    return json_answer(
        {
            "address": _near(found.address),
            "place": _near(found.place),
            "road": _near(found.road),
            "village": next((area for area in areas if area["level"] == "village"), None),
            "township": next((area for area in areas if area["level"] == "township"), None),
            "areas": areas,
        }
    )


def _near(near: Near | None) -> dict[str, Any] | None:
    if near is None:
        return None
    return {
        "layer": near.layer.id,
        "object_id": near.object_id,
        "text": near.text,
        "distance_m": round(near.distance, 1),
    }


def _area(area: Area, spoken: Language) -> dict[str, Any]:
    name = (area.name or area.name_en) if spoken == "zh" else (area.name_en or area.name)
    return {"object_id": area.object_id, "code": area.code, "level": area.level, "name": name}


@dataclass(frozen=True)
class Table:
    """Addresses as they were sent. headings, rows: of a CSV; a list in JSON has none."""

    addresses: Sequence[str]
    headings: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


@router.post(
    "/geocode",
    **described(
        "geocode",
        COLUMN,
        FORM,
        kinds=(JSON, CSV),
        body=BODY,
        example={
            "results": [
                {
                    "address": "虹桥镇人民路12号",
                    "match": {"level": "house", "score": 0.95, "address": "人民路12号", "layer": "buildings",
                              "object_id": 7, "longitude": 120.95, "latitude": 28.1},
                }
            ],
            "matched": 1,
            "unmatched": [],
        },
    ),
)  # fmt: skip
async def geocode_table(request: Request) -> Response:
    """Places for a table of addresses: how finely each was found (room, house, place, road, village, township), how
    sure that is (0 to 1), and those that were not found; only what the token may see."""
    met, query = exchange(request), Query(request)
    column, form = query.take(COLUMN), query.take(FORM)
    query.finish()
    table = await _table(request, column)
    if len(table.addresses) > MOST_ROWS:
        raise BadRequest(f"{len(table.addresses):,} rows; at most {MOST_ROWS:,} at once")
    form = form or ("csv" if table.headings else preferred(request, {"json": (JSON, "*/*"), "csv": (CSV,)}, "json"))
    batches = _batches(request, table.addresses, met.principal)
    # The first is looked up before the answer begins, so that a refusal is still one.
    async with place_to_write(request):
        first: list[Match | None] = await anext(batches, [])
    write = _as_csv if form == "csv" else _as_json
    kind = f"{CSV}; charset=utf-8" if form == "csv" else JSON
    return StreamingResponse(write(table, first, batches), 200, dict(LIVE), kind)


async def _table(request: Request, column: str | None) -> Table:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != CSV:
        if kind != JSON:
            raise UnsupportedMediaType(f"Content-Type {kind or 'missing'}: send {JSON} or {CSV}")
        body = await read_json(request, JSON)
        if not isinstance(body, list) or not all(isinstance(each, str) and len(each) <= LONGEST_CELL for each in body):
            raise BadRequest("the body must be a list of addresses, each a text")
        return Table(body)
    try:
        text = (await request.body()).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadRequest(f"the body is no CSV in UTF-8: {error}") from None
    headings, rows = (rows[0] if rows else []), [row for row in rows[1:] if row]
    named = (column,) if column is not None else HEADINGS
    index = next((headings.index(name) for name in named if name in headings), None)
    if index is None:
        raise BadRequest(f"no column {column or '地址'!r}; there are {', '.join(headings)[:200]}; name it with column=")
    if wrong := next((number for number, row in enumerate(rows, 2) if len(row) != len(headings)), None):
        raise BadRequest(f"row {wrong} has another number of columns than the heading")
    return Table([row[index] for row in rows], headings, rows)


async def _batches(
    request: Request, addresses: Sequence[str], principal: Principal
) -> AsyncIterator[list[Match | None]]:
    served, met = city(request), exchange(request)
    catalog = await served.catalog()
    for start in range(0, len(addresses), BATCH):
        met.allow(PAUSE_S)
        async with served.reading() as connection:
            yield await geocode(Asker(connection, catalog, principal), addresses[start : start + BATCH])


async def _all(
    first: list[Match | None], rest: AsyncIterator[list[Match | None]]
) -> AsyncIterator[tuple[int, list[Match | None]]]:
    """Every batch, with the number of its first row."""
    start = 0
    batch: list[Match | None] | None = first
    while batch:
        yield start, batch
        start += len(batch)
        batch = await anext(rest, None)


async def _as_json(
    table: Table, first: list[Match | None], rest: AsyncIterator[list[Match | None]]
) -> AsyncIterator[bytes]:
    unmatched: list[int] = []
    yield b'{"results":['
    async for start, batch in _all(first, rest):
        lines = [
            orjson.dumps({"address": table.addresses[number], "match": _match(match)})
            for number, match in enumerate(batch, start)
        ]
        unmatched += [number for number, match in enumerate(batch, start) if match is None]
        yield (b"," if start else b"") + b",".join(lines)
    matched = len(table.addresses) - len(unmatched)
    yield b'],"matched":%d,"unmatched":%b}' % (matched, orjson.dumps(unmatched))


async def _as_csv(
    table: Table, first: list[Match | None], rest: AsyncIterator[list[Match | None]]
) -> AsyncIterator[bytes]:
    headings, rows = table.headings or ("address",), table.rows or [[each] for each in table.addresses]
    # A spreadsheet takes a file for the machine's old encoding unless it begins so.
    yield b"\xef\xbb\xbf" + _line([*headings, *ADDED])
    async for start, batch in _all(first, rest):
        lines: Iterator[bytes] = (_line([*rows[number], *_cells(match)]) for number, match in enumerate(batch, start))
        yield b"".join(lines)


def _match(match: Match | None) -> dict[str, Any] | None:
    if match is None:
        return None
    lon, lat = match.found.point
    return {
        "level": match.level,
        "score": match.score,
        "address": match.matched,
        "layer": match.found.layer.id,
        "object_id": match.found.object_id,
        "longitude": lon,
        "latitude": lat,
    }


def _cells(match: Match | None) -> Sequence[Any]:
    told = _match(match)
    return ("",) * len(ADDED) if told is None else tuple(told.values())


def _line(cells: Sequence[Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow([harmless(cell) for cell in cells])
    return line.getvalue().encode()


def harmless(cell: Any) -> Any:
    """A text that a spreadsheet would run as a formula, with an apostrophe before it."""
    if isinstance(cell, str) and cell[:1] in tuple("=+-@\t\r") and not _is_number(cell):
        return f"'{cell}"
    return cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
