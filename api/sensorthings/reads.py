"""GET: sets, entities, properties and references, as JSON, rows, GeoJSON or CSV."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

import asyncpg
import orjson

from api.links import GEOJSON
from api.sensorthings.call import Answer, Call
from api.sensorthings.service import Service
from cim_models.database import Connection
from twin.sensing import BadQuery, EntityNotFound
from twin.sensing.addresses import Address, find_address
from twin.sensing.flat import csv_table, feature_collection
from twin.sensing.odata.options import Options
from twin.sensing.read import Page, read_entity, read_page
from twin.sensing.shape import entity_document, next_address, page_document, told

CSV = "text/csv; charset=utf-8"
Headers = Mapping[str, str]
NO_HEADERS: Headers = MappingProxyType({})
# Said where a count is the planner's guess.
GUESSED = {"Twin-Count": "estimated"}


@asynccontextmanager
async def reading(service: Service) -> AsyncIterator[Connection]:
    """A connection; what a query makes the database stumble over is the query's fault."""
    try:
        async with service.city.reading() as connection:
            yield connection
    except (asyncpg.InternalServerError, asyncpg.ProgramLimitExceededError, asyncpg.FeatureNotSupportedError) as error:
        raise BadQuery(f"this cannot be computed: {error}") from None


async def read(service: Service, call: Call) -> Answer:
    """Answer a GET. Raises BadQuery, EntityNotFound."""
    options = call.options(service.zone)
    async with reading(service) as connection:
        address = await find_address(connection, call.path)
        if address.id is None:
            page = await read_page(connection, address, options)
            return _page(service, call, address, options, page)
        if address.is_reference:
            link = f"{service.base}/{address.entity.plural}({address.id})"
            return Answer(body={"@iot.selfLink": link})
        entity = await read_entity(connection, address, options)
    if entity is None:
        raise EntityNotFound(f"no {address.entity.name} {address.id}")
    if address.steps:
        return _property(address, entity)
    if options.result_format is not None:
        return _other_format(address, options, Page([entity]))
    return Answer(body=entity_document(address.entity, entity, options, service.base))


def _page(service: Service, call: Call, address: Address, options: Options, page: Page) -> Answer:
    headers = {} if page.exact else GUESSED
    where = f"{service.base}/{call.path.strip('/')}"
    if options.result_format in ("GeoJSON", "CSV"):
        return _other_format(address, options, page, next_address(page, options, where), headers)
    if options.result_format == "dataArray" and address.entity.name != "Observation":
        raise BadQuery("$resultFormat=dataArray: only Observations have it")
    document = page_document(address.entity, page, options, service.base, where, references=address.is_reference)
    return Answer(body=document, headers=headers)


def _other_format(
    address: Address, options: Options, page: Page, following: str | None = None, headers: Headers = NO_HEADERS
) -> Answer:
    if options.result_format == "CSV":
        # A table has no place for it but the head of the answer.
        link = {} if following is None else {"Link": f'<{following}>; rel="next"'}
        return Answer(200, csv_table(address.entity, page, options).encode(), {**headers, **link}, CSV)
    return Answer(200, feature_collection(address.entity, page, options, following), headers, GEOJSON)


def _property(address: Address, entity: dict[str, Any]) -> Answer:
    found = address.entity.find(address.steps[0])
    assert found is not None
    value = told(found, entity.get(found.name))
    for step in address.steps[1:]:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            value = None
    if value is None:
        return Answer(204)
    if not address.is_value:
        return Answer(body={found.name if len(address.steps) == 1 else address.steps[-1]: value})
    plain = value if isinstance(value, str) else orjson.dumps(value).decode()
    return Answer(body=plain.encode(), media_type="text/plain; charset=utf-8")
