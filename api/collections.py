"""Collections (OGC API Features Part 1, 7.13 and 7.14; Part 2, 6.2): what each layer is."""

from typing import Any

from fastapi import Request, Response

from api.answers import Language, both, json_answer, language, said, wants_html
from api.cities import ServedCity
from api.coverage import coverage_links
from api.crs import offered
from api.documentation import page_or
from api.exchange import city, exchange
from api.links import (
    DESCRIBED_BY,
    GEOJSON,
    HTML,
    JSON,
    QUERYABLES,
    SCHEMA,
    SCHEMA_OF,
    SORTABLES,
    STYLES,
    Link,
    header,
    link,
)
from api.maps import map_link
from api.pages import city_title, page, page_links
from api.parameters import FORMAT, Query
from api.routing import PartRouter
from api.tilesets import tileset_links
from cim_models.theme import Attribute
from cim_models.themes import GROUPS
from layers.access import Principal
from layers.catalog import Catalog, Code, Layer
from layers.crs import CRS84, storage_crs
from layers.edit import is_editable, may_edit
from layers.formats.write import FORMATS
from layers.legend import Entry, legend
from layers.view import written

GEOMETRY_KINDS = {"MultiPolygon": "polygon", "LineString": "line", "Point": "point", "Geometry": "mixed"}

router = PartRouter(tags=["Features"])


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
        "crs": [crs.uri for crs in offered(catalog)],
        "storageCrs": storage_crs(catalog).uri,
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
            "geometry": "raster" if layer.is_raster else GEOMETRY_KINDS[layer.theme.geometry],
            "visible": layer.visible,
            # Whoever shows no token yet may find one.
            "editable": is_editable(layer) if principal.is_anonymous else may_edit(layer, catalog, principal),
            "minzoom": layer.min_zoom,
            "maxzoom": layer.max_zoom,
            "count": (await served.counts(principal)).get(layer.id),
            "attribution": "; ".join(layer.attribution) or None,
            "licence": "; ".join(layer.licence) or None,
            "sharing": ", ".join(layer.sharing) or None,
            "made_up": layer.made_up,
            "properties": [_property(attribute, layer, catalog) for attribute in layer.properties],
            "legend": _legend(layer, catalog, in_use),
            "run": layer.run,
            "times": [written(moment) for moment in layer.times],
        },
    }
    if layer.description is not None:
        document["description"] = said(layer.description, spoken)
    if layer.extent is not None:
        document["extent"] = {
            "spatial": {"bbox": [list(layer.extent)], "crs": CRS84.uri},
            "temporal": {"interval": [_interval(layer)], "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"},
        }
    return document


def _interval(layer: Layer) -> list[str | None]:
    """A result is of the time that it was computed for, all else of any."""
    return [written(layer.times[0]), written(layer.times[-1])] if layer.times else [None, None]


def _links(address: str, layer: Layer) -> list[Link]:
    title = layer.title.en
    return [
        link("self", f"{address}?f=json", JSON, title),
        link("alternate", f"{address}?f=html", HTML, f"{title} as a page"),
        link("items", f"{address}/items?f=json", GEOJSON, f"Objects of {title}"),
        link("items", f"{address}/items?f=html", HTML, f"Objects of {title} as a page"),
        *(
            link("items", f"{address}/items?f={each.name}", each.media_type, f"Objects of {title} as {each.title}")
            for each in FORMATS.values()
            # Clients take the items link of their type, and a file has no pages.
            if each.media_type != GEOJSON
        ),
        link("related", f"{address}/aggregate", JSON, f"Statistics of {title}"),
        link(QUERYABLES, f"{address}/queryables", SCHEMA, "What a filter may name"),
        link(SORTABLES, f"{address}/sortables", SCHEMA, "What objects can be sorted by"),
        link(DESCRIBED_BY, f"{address}/schema", SCHEMA, "What an object tells"),
        link(SCHEMA_OF, f"{address}/schema", SCHEMA, "What an object tells and takes"),
        map_link(address, title),
        *(coverage_links(address, layer) if layer.theme.table == "coverage" else ()),
        link(STYLES, f"{address}/styles", JSON, f"Styles of {title}"),
        *tileset_links(address, title),
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
