"""From what the database tells to the JSON of SensorThings 1.1: ids, links, and times in their forms."""

from typing import Any
from urllib.parse import quote, urlencode

from twin.sensing.model import BY_NAME, EntityType, Property
from twin.sensing.odata.options import DEFAULT_NESTED_TOP, Options
from twin.sensing.read import Page, Raw

Document = dict[str, Any]
# Properties that stand even where they are empty (OGC 18-088, 8.2: mandatory).
STANDING = {"description": "", "resultTime": None, "result": None}


def entity_document(entity: EntityType, raw: Raw, options: Options, base: str) -> Document:
    """The JSON of one entity. base: address of the service, without a slash at its end."""
    chosen = set(options.select)
    address = f"{base}/{entity.plural}({raw['@iot.id']})"
    document: Document = {}
    if not chosen or chosen & {"id", "@iot.id"}:
        document["@iot.id"] = raw["@iot.id"]
    if not chosen or "@iot.selfLink" in chosen:
        document["@iot.selfLink"] = address
    for each in entity.properties[1:]:
        if each.name in raw:
            value = told(each, raw[each.name])
            if value is not None or each.name in STANDING:
                document[each.name] = STANDING[each.name] if value is None else value
    raw["@set"] = entity.plural
    expanded = {each.name: each.options for each in options.expand}
    for link in entity.navigations:
        if link.name in expanded and raw.get(link.name) is not None:
            document |= _expanded(link.name, raw, expanded[link.name], base)
        elif (not chosen or link.name in chosen) and not _is_foreign(entity, link.name, raw):
            document[f"{link.name}@iot.navigationLink"] = f"{address}/{link.name}"
    return document


def _expanded(name: str, raw: Raw, options: Options, base: str) -> Document:
    found = raw[name]
    target = next(each for each in BY_NAME.values() if name in (each.name, each.plural))
    if isinstance(found, dict):
        return {name: entity_document(target, found, options, base)}
    document: Document = {}
    top = DEFAULT_NESTED_TOP if options.top is None else options.top
    if f"{name}@iot.count" in raw:
        document[f"{name}@iot.count"] = raw[f"{name}@iot.count"]
    document[name] = [entity_document(target, each, options, base) for each in found[:top]]
    if 0 < top < len(found):
        query = options.source | {"$top": str(top), "$skip": str(options.skip + top)}
        document[f"{name}@iot.nextLink"] = f"{base}/{raw['@set']}({raw['@iot.id']})/{name}?{_query(query)}"
    return document


def _is_foreign(entity: EntityType, link: str, raw: Raw) -> bool:
    """An observation is of a Datastream or of a MultiDatastream, never both."""
    if entity.name != "Observation" or link not in ("Datastream", "MultiDatastream"):
        return False
    return (link == "MultiDatastream") is not raw["@multi"]


def told(each: Property, value: Any) -> Any:
    """A property's value in its form; None where it says nothing."""
    if value is None:
        return None
    if each.type == "time":
        return utc(value)
    if each.type == "interval":
        first, last = value
        if first is None:
            return None
        # Only an observation can be at an instant; the extent of a datastream is a span.
        if last is None or (each.name == "phenomenonTime" and each.required and last == first):
            return utc(first)
        return f"{utc(first)}/{utc(last)}"
    return value


def utc(text: str) -> str:
    """A moment with milliseconds and Z, as the standard writes it and its suite compares it.

    text: PostgreSQL's JSON form, the session being in UTC.
    """
    moment, _, fraction = text.removesuffix("+00:00").partition(".")
    return f"{moment}.{fraction:0<3}Z"


def page_document(
    entity: EntityType, page: Page, options: Options, base: str, address: str, *, references: bool = False
) -> Document:
    """The JSON of a page of a set. address: of the set, for the link to the next page."""
    document: Document = {}
    if page.count is not None:
        document["@iot.count"] = page.count
    if (following := next_address(page, options, address)) is not None:
        document["@iot.nextLink"] = following
    if references:
        document["value"] = [{"@iot.selfLink": f"{base}/{entity.plural}({each['@iot.id']})"} for each in page.entities]
    elif options.result_format == "dataArray":
        document["value"] = data_arrays(page, options, base)
    else:
        document["value"] = [entity_document(entity, each, options, base) for each in page.entities]
    return document


def next_address(page: Page, options: Options, address: str) -> str | None:
    """Where the page after this one is; None after the last. address: of the set."""
    if page.following is None:
        return None
    query = {name: text for name, text in options.source.items() if name not in ("$skip", "$skiptoken")}
    return f"{address}?{_query(query | {'$skiptoken': page.following})}"


def data_arrays(page: Page, options: Options, base: str) -> list[Document]:
    """Observations as rows under one head for each datastream (OGC 18-088, 9.3.9)."""
    entity = BY_NAME["Observation"]
    chosen = [name.removeprefix("@iot.") for name in options.select] or [each.name for each in entity.properties]
    columns = [each for name in chosen if (each := entity.find(name)) is not None]
    grouped: dict[int, Document] = {}
    for raw in page.entities:
        stream = raw["@datastream"]
        if stream not in grouped:
            set_name = "MultiDatastream" if raw["@multi"] else "Datastream"
            grouped[stream] = {
                f"{set_name}@iot.navigationLink": f"{base}/{set_name}s({stream})",
                "components": [each.name.removeprefix("@iot.") for each in columns],
                "dataArray@iot.count": 0,
                "dataArray": [],
            }
        grouped[stream]["dataArray"].append([told(each, raw.get(each.name)) for each in columns])
    for group in grouped.values():
        group["dataArray@iot.count"] = len(group["dataArray"])
    return list(grouped.values())


def _query(options: dict[str, str]) -> str:
    return urlencode(options, quote_via=quote, safe="$,:/()';=")
