"""/sensors/latest: every datastream with its last value, place and state, as GeoJSON and as vector tiles."""

from datetime import UTC, datetime

import orjson
from fastapi import Request, Response

from api.answers import LIVE, json_answer
from api.documentation import described
from api.errors import BadRequest
from api.exchange import exchange
from api.links import GEOJSON, MVT
from api.parameters import Parameter, Query, whole_number
from api.routing import PartRouter
from api.sensorthings.service import readable
from twin.sensing.latest import FIELDS, SOURCE_LAYER, Chosen, latest_style, latest_tile, require_datastreams

MAX_ZOOM = 24
MOST = 100_000


def _numbers(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if len(parts) > 1_000 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise ValueError("ids with commas between them are wanted, at most 1,000")
    return tuple(int(part) for part in parts)


def _bbox(text: str) -> tuple[float, ...]:
    numbers = tuple(float(part) for part in text.split(","))
    if len(numbers) != 4 or not all(abs(number) <= 360 for number in numbers):
        raise ValueError("west,south,east,north in degrees are wanted")
    return numbers


def _object(text: str) -> tuple[str, int]:
    layer, _, number = text.partition("/")
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise ValueError("layer/object_id is wanted")
    return layer, int(number)


KIND = Parameter[tuple[str, ...] | None](
    "kind", "Kinds of datastreams, with commas between them.", lambda text: tuple(text.split(",")), None
)
DATASTREAM = Parameter[tuple[int, ...] | None](
    "datastream", "Ids of datastreams, with commas between them.", _numbers, None, max_length=20_000
)
BBOX = Parameter[tuple[float, ...] | None]("bbox", "west,south,east,north in degrees.", _bbox, None)
OBJECT = Parameter[tuple[str, int] | None]("object", "Of this city object: layer/object_id.", _object, None)
LIMIT = Parameter[int]("limit", "At most this many.", whole_number(1, MOST), MOST)
CHOICES = (KIND, DATASTREAM, BBOX, OBJECT)

TILES = "/sensors/latest/tiles/WebMercatorQuad"

router = PartRouter(tags=["Sensors"])


def take_chosen(query: Query) -> Chosen:
    """Which datastreams a request means."""
    return Chosen(query.take(KIND), query.take(DATASTREAM), query.take(BBOX), query.take(OBJECT))


@router.get("/sensors/latest", **described("getLatest", *CHOICES, LIMIT, kinds=(GEOJSON,)))
async def latest(request: Request) -> Response:
    """Last values of all datastreams, with place and state."""
    service, query = await readable(request), Query(request)
    chosen, limit = take_chosen(query), query.take(LIMIT)
    query.finish()
    async with service.city.reading() as connection:
        await require_datastreams(connection, chosen.datastreams or ())
        features, number = await service.latest.features(connection, chosen, limit)
    tail = {"numberReturned": number, "timeStamp": datetime.now(UTC).isoformat(timespec="seconds")}
    body = b'{"type":"FeatureCollection","features":' + features + b"," + orjson.dumps(tail)[1:]
    return json_answer(body, media_type=GEOJSON)


@router.get(
    f"{TILES}/tilejson.json",
    **described("getLatestTileJson", example={"tilejson": "3.0.0", "tiles": ["…/{z}/{y}/{x}"], "twin": {"states": []}}),
)
async def tilejson(request: Request) -> Response:
    """Where the tiles of last values are; `twin` has how they are drawn: by state, with a mark beside the colour."""
    await readable(request)
    Query(request).finish()
    return json_answer(
        {
            "tilejson": "3.0.0",
            "tiles": [f"{exchange(request).base}{TILES}/{{z}}/{{y}}/{{x}}"],
            "vector_layers": [{"id": SOURCE_LAYER, "fields": FIELDS}],
            "minzoom": 0,
            "maxzoom": 18,
            "twin": latest_style(),
        }
    )


@router.get(f"{TILES}/{{z}}/{{row}}/{{column}}", **described("getLatestTile", KIND, kinds=(MVT,)))
async def tile(request: Request, z: int, row: int, column: int) -> Response:
    """Last values as a vector tile; its layer is `sensors_latest`. Where there is none, it has no bytes."""
    service, query = await readable(request), Query(request)
    chosen = Chosen(query.take(KIND))
    query.finish()
    if not (0 <= z <= MAX_ZOOM and 0 <= row < 2**z and 0 <= column < 2**z):
        raise BadRequest(f"there is no tile {z}/{row}/{column}")
    async with service.city.reading() as connection:
        body = await latest_tile(connection, chosen, z, column, row)
    return Response(body, 200, LIVE, MVT)
