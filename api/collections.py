"""Collections (OGC API Features Part 1, 7.13 and 7.14), queryables and schemas: what each layer is and tells."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Language, both, json_answer, language, said, wants_html
from api.cities import ServedCity
from api.documentation import described, page_or
from api.exchange import city, exchange
from api.links import CRS84, DESCRIBED_BY, GEOJSON, HTML, JSON, QUERYABLES, SCHEMA, Link, header, link
from api.pages import city_title, page, page_links
from api.parameters import FORMAT, Query
from cim_models.theme import Attribute
from cim_models.themes import GROUPS
from layers.access import Principal
from layers.catalog import Catalog, Code, Layer, Title
from layers.features import VALIDITY
from layers.legend import Entry, legend

GEOMETRY_KINDS = {"MultiPolygon": "polygon", "LineString": "line", "Point": "point", "Geometry": "mixed"}
GEOMETRY_FORMATS = {
    "MultiPolygon": "geometry-multipolygon",
    "LineString": "geometry-linestring",
    "Point": "geometry-point",
    "Geometry": "geometry-any",
}
VALIDITY_TITLES = {"valid_from": Title("有效期起", "Valid from"), "valid_to": Title("有效期止", "Valid to")}

router = APIRouter(tags=["Features"])


@router.get("/collections", **page_or(operation_id="getCollections"))
async def collections(request: Request) -> Response:
    """All layers."""
    query = Query(request)
    html = wants_html(request, query.take(FORMAT))
    query.finish()
    served, met = city(request), exchange(request)
    catalog = await served.catalog()
    spoken = language(request)
    found = [
        await collection_document(layer, served, catalog, met.principal, base=met.base, spoken=spoken)
        for layer in catalog.layers(met.principal)
    ]
    links = [
        link("self", f"{met.base}/collections?f=json", JSON, "This document"),
        link("alternate", f"{met.base}/collections?f=html", HTML, "This document as a page"),
    ]
    if html:
        groups = [
            (GROUPS[group][spoken == "en"], [c for c in found if c["twin"]["theme"]["id"] == group]) for group in GROUPS
        ]
        return page(
            request,
            "collections.html",
            links=page_links(links),
            city_title=said(city_title(catalog), spoken),
            groups=[group for group in groups if group[1]],
        )
    return json_answer({"collections": found, "links": links}, headers={"Link": header(links)})


@router.get("/collections/{layer_id}", **page_or(operation_id="getCollection"))
async def collection(request: Request, layer_id: str) -> Response:
    """One layer."""
    query = Query(request)
    html = wants_html(request, query.take(FORMAT))
    query.finish()
    served, met = city(request), exchange(request)
    catalog = await served.catalog()
    layer = catalog.layer(layer_id, met.principal)
    spoken = language(request)
    document = await collection_document(layer, served, catalog, met.principal, base=met.base, spoken=spoken)
    if html:
        return page(
            request,
            "collection.html",
            links=page_links(document["links"]),
            city_title=said(city_title(catalog), spoken),
            collection=document,
        )
    return json_answer(document, headers={"Link": header(document["links"])})


@router.get("/collections/{layer_id}/queryables", **described("getQueryables", kinds=(SCHEMA,)))
async def queryables(request: Request, layer_id: str) -> Response:
    """What a filter on the layer may name (OGC API Features Part 3, 6.2), as JSON Schema."""
    Query(request).finish()
    met = exchange(request)
    catalog = await city(request).catalog()
    layer = catalog.layer(layer_id, met.principal)
    properties = {"object_id": {"title": "Id", "type": "integer"}} | _schema_properties(layer, language(request))
    address = f"{met.base}/collections/{layer.id}/queryables"
    return json_answer(_schema(layer, address, properties, language(request)), media_type=SCHEMA)


@router.get("/collections/{layer_id}/schema", **described("getSchema", kinds=(SCHEMA,)))
async def schema(request: Request, layer_id: str) -> Response:
    """What a feature of the layer tells (OGC API Features Part 5), as JSON Schema."""
    Query(request).finish()
    met = exchange(request)
    catalog = await city(request).catalog()
    layer = catalog.layer(layer_id, met.principal)
    properties: dict[str, Any] = {
        "object_id": {"title": "Id", "type": "integer", "readOnly": True, "x-ogc-role": "id"}
    } | _schema_properties(layer, language(request))
    properties["geometry"]["x-ogc-role"] = "primary-geometry"
    for name, role in zip(VALIDITY, ("primary-interval-start", "primary-interval-end"), strict=True):
        properties[name]["x-ogc-role"] = role
    address = f"{met.base}/collections/{layer.id}/schema"
    return json_answer(_schema(layer, address, properties, language(request)), media_type=SCHEMA)


async def collection_document(
    layer: Layer, served: ServedCity, catalog: Catalog, principal: Principal, *, base: str, spoken: Language
) -> dict[str, Any]:
    """A layer as a collection, with what the standard has no place for under `twin`."""
    address = f"{base}/collections/{layer.id}"
    grant = catalog.grant(layer, principal)
    in_use = await served.in_use(layer) if grant and grant.row_filter is None else None
    document: dict[str, Any] = {
        "id": layer.id,
        "title": said(layer.title, spoken),
        "itemType": "feature",
        "crs": [CRS84],
        "links": _links(address, layer),
        "twin": {
            "title": both(layer.title),
            "theme": {
                "id": layer.group,
                "zh": GROUPS[layer.group][0],
                "en": GROUPS[layer.group][1],
                "order": list(GROUPS).index(layer.group),
            },
            "order": layer.position,
            "geometry": "raster" if layer.theme.table == "terrain" else GEOMETRY_KINDS[layer.theme.geometry],
            "visible": layer.visible,
            "minzoom": layer.min_zoom,
            "maxzoom": layer.max_zoom,
            "count": (await served.counts(principal)).get(layer.id),
            "attribution": "; ".join(layer.attribution) or None,
            "licence": "; ".join(layer.licence) or None,
            "sharing": ", ".join(layer.sharing) or None,
            "made_up": layer.made_up,
            "properties": [_property(attribute, layer, catalog) for attribute in layer.properties],
            "legend": _legend(layer, catalog, in_use),
        },
    }
    if layer.description is not None:
        document["description"] = said(layer.description, spoken)
    if layer.extent is not None:
        document["extent"] = {
            "spatial": {"bbox": [list(layer.extent)], "crs": CRS84},
            "temporal": {"interval": [[None, None]], "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"},
        }
    return document


def _links(address: str, layer: Layer) -> list[Link]:
    title = layer.title.en
    return [
        link("self", f"{address}?f=json", JSON, title),
        link("alternate", f"{address}?f=html", HTML, f"{title} as a page"),
        link("items", f"{address}/items?f=json", GEOJSON, f"Objects of {title}"),
        link("items", f"{address}/items?f=html", HTML, f"Objects of {title} as a page"),
        link(QUERYABLES, f"{address}/queryables", SCHEMA, "What a filter may name"),
        link(DESCRIBED_BY, f"{address}/schema", SCHEMA, "What an object tells"),
        link("related", f"{address}/tiles/WebMercatorQuad/tilejson.json", JSON, "Vector tiles (TileJSON)"),
    ]


def _property(attribute: Attribute, layer: Layer, catalog: Catalog) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": attribute.name,
        "type": attribute.type,
        "unit": attribute.unit,
        "title": {"zh": attribute.zh, "en": attribute.en},
    }
    codes = codes_of(attribute, layer, catalog)
    return found | {"codes": {code: both(each.title) for code, each in codes.items()}} if codes else found


def codes_of(attribute: Attribute, layer: Layer, catalog: Catalog) -> dict[str, Code]:
    """The code list of a property, empty if it has none."""
    name = layer.theme.classes if attribute.name == "class" else attribute.codes
    return dict(catalog.codes.get(name or "", {}))


def _legend(layer: Layer, catalog: Catalog, in_use: set[str] | None) -> list[dict[str, Any]]:
    """The legend by day, with its colours by night."""
    by_night = legend(layer, catalog, "night", in_use=in_use)
    return [
        _entry(day) | {"night": {"color": night.color, "outline": night.outline}}
        for day, night in zip(legend(layer, catalog, in_use=in_use), by_night, strict=True)
    ]


def _entry(entry: Entry) -> dict[str, Any]:
    return {"label": both(entry.title), "color": entry.color, "outline": entry.outline, "kind": entry.kind}


def _schema(layer: Layer, address: str, properties: dict[str, Any], spoken: Language) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": address,
        "type": "object",
        "title": said(layer.title, spoken),
        "properties": properties,
        "additionalProperties": False,
    }


def _schema_properties(layer: Layer, spoken: Language) -> dict[str, Any]:
    found: dict[str, Any] = {"geometry": {"title": "Geometry", "format": GEOMETRY_FORMATS[layer.theme.geometry]}}
    for attribute in layer.properties:
        title = said(Title(attribute.zh, attribute.en), spoken)
        found[attribute.name] = {"title": title, "type": "string" if attribute.type == "text" else attribute.type}
        if attribute.unit:
            found[attribute.name]["x-ogc-unit"] = attribute.unit
    for name, both_titles in VALIDITY_TITLES.items():
        found[name] = {"title": said(both_titles, spoken), "type": "string", "format": "date-time"}
    return found
