"""The way in: landing page, conformance, and the OpenAPI document (OGC API Features Part 1, 7.2 to 7.4)."""

from typing import Any

from fastapi import Request, Response

from api.answers import json_answer, language, said, wants_html
from api.city import extent
from api.crs import offered
from api.documentation import page_or
from api.exchange import city, exchange
from api.links import FUNCTIONS, HTML, JSON, OPENAPI, SCHEMES, STYLES, XML, header, link
from api.maps import CONFORMANCE as MAPS
from api.maps import map_link
from api.openapi import openapi_document, operations
from api.pages import city_title, page, page_links
from api.parameters import FORMAT, Query
from api.processes.documents import CONFORMANCE as PROCESSES
from api.processes.documents import service_links
from api.routing import PartRouter
from api.styles import CONFORMANCE as STYLING
from api.tilesets import CONFORMANCE as TILES
from api.tilesets import tileset_links
from cim_models.themes import GROUPS
from layers.access import Principal
from layers.catalog import Catalog, Title
from layers.crs import CRS84, box_in, storage_crs

FEATURES = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
FILTERING = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf"
WRITING = "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf"
SCHEMAS = "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf"
CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf"
CONFORMS_TO = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    *(f"{FEATURES}/{part}" for part in ("core", "oas30", "html", "geojson")),
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    *(f"{FILTERING}/{part}" for part in ("queryables", "queryables-query-parameters", "filter", "features-filter")),
    *(f"{WRITING}/{part}" for part in ("create-replace-delete", "update", "features")),
    *(
        f"{SCHEMAS}/{part}"
        for part in (
            "schemas",
            "core-roles-features",
            "returnables-and-receivables",
            "queryables",
            "sortables",
        )
    ),
    "http://www.opengis.net/spec/ogcapi-features-8/1.0/conf/sorting",
    *(
        f"{CQL2}/{part}"
        for part in (
            "cql2-text",
            "cql2-json",
            "basic-cql2",
            "advanced-comparison-operators",
            "case-insensitive-comparison",
            "accent-insensitive-comparison",
            "basic-spatial-functions",
            "basic-spatial-functions-plus",
            "spatial-functions",
            "temporal-functions",
            "array-functions",
            "functions",
            "property-property",
            "arithmetic",
        )
    ),
    *TILES,
    *MAPS,
    *STYLING,
    *PROCESSES,
)
DESCRIPTION = Title(
    "这座城市的数字孪生：各图层可以查询、下载，也可以在地图上查看。",
    "The digital twin of this city: its layers can be queried, downloaded and seen on the map.",
)

router = PartRouter(tags=["Service"])


@router.get("/", **page_or(operation_id="getLandingPage"))
async def landing(request: Request) -> Response:
    """What there is in the city, and where."""
    query = Query(request)
    html = wants_html(request, query.take(FORMAT))
    query.finish()
    met, spoken = exchange(request), language(request)
    catalog = await city(request).catalog()
    links = [
        link("self", f"{met.base}/?f=json", JSON, "This document"),
        link("alternate", f"{met.base}/?f=html", HTML, "This document as a page"),
        link("service-desc", f"{met.base}/api?f=json", OPENAPI, "API description (OpenAPI 3.0)"),
        link("service-doc", f"{met.base}/api?f=html", HTML, "API description as a page"),
        link("conformance", f"{met.base}/conformance?f=json", JSON, "Standards that this service follows"),
        link("data", f"{met.base}/collections?f=json", JSON, "Layers"),
        map_link(met.base, "the city"),
        *tileset_links(met.base, "the city"),
        link(SCHEMES, f"{met.base}/tileMatrixSets", JSON, "Grids of the tiles"),
        link(STYLES, f"{met.base}/styles", JSON, "Map styles"),
        link("related", f"{met.base}/wms?SERVICE=WMS&REQUEST=GetCapabilities", XML, "Maps (WMS 1.3.0 and 1.1.1)"),
        link("related", f"{met.base}/wfs?SERVICE=WFS&REQUEST=GetCapabilities", XML, "Features (WFS 2.0.0 and 1.1.0)"),
        link(FUNCTIONS, f"{met.base}/functions", JSON, "Functions that a filter may call"),
        link("search", f"{met.base}/search", JSON, "Search by name, address, code, id or coordinates"),
        *service_links(met.base),
        link("related", f"{met.base}/city", JSON, "The city"),
        link("related", f"{met.root}/viewer/?city={city(request).name}", HTML, "The city on the map"),
    ]
    title, description = said(city_title(catalog), spoken), said(DESCRIPTION, spoken)
    if html:
        counts = await city(request).counts(met.principal)
        layers = list(catalog.layers(met.principal))
        return page(
            request,
            "landing.html",
            links=page_links(links),
            city_title=title,
            description=description,
            made_up=catalog.city.made_up,
            layer_count=len(layers),
            layers=[
                {"id": layer.id, "title": said(layer.title, spoken), "count": counts[layer.id]}
                for layer in sorted(layers, key=lambda layer: list(GROUPS).index(layer.group))
                if counts.get(layer.id)
            ],
            viewer=links[-1]["href"],
        )
    told = {"title": title, "description": description, **_dataset(catalog, met.principal), "links": links}
    return json_answer(told, headers={"Link": header(links)})


def _dataset(catalog: Catalog, principal: Principal) -> dict[str, Any]:
    """Where all of it is, and the CRSs it is told in (OGC 20-058, /req/dataset-map/desc-extent and desc-crs)."""
    storage, box = storage_crs(catalog), extent(catalog, principal)
    told: dict[str, Any] = {"crs": [crs.uri for crs in offered(catalog)], "storageCrs": storage.uri}
    if box is not None:
        spatial: dict[str, Any] = {"bbox": [box], "crs": CRS84.uri}
        if (stored := box_in(box, CRS84, storage)) is not None:
            spatial["storageCrsBbox"] = [storage.to_official(stored)]
        told["extent"] = {"spatial": spatial}
    return told


@router.get("/conformance", **page_or(operation_id="getConformance"))
async def conformance(request: Request) -> Response:
    """The requirements classes that this service meets."""
    query = Query(request)
    html = wants_html(request, query.take(FORMAT))
    query.finish()
    if html:
        catalog = await city(request).catalog()
        links = [link("alternate", f"{exchange(request).base}/conformance?f=json", JSON, "This page as a document")]
        title = said(city_title(catalog), language(request))
        return page(request, "conformance.html", links=links, city_title=title, conforms_to=_conforms_to(request))
    return json_answer({"conformsTo": _conforms_to(request)})


def _conforms_to(request: Request) -> tuple[str, ...]:
    # The class wants every change without a precondition refused, which desktop programs could not live with.
    locking = request.app.state.settings.require_if_match
    return (*CONFORMS_TO, f"{WRITING}/optimistic-locking-etags") if locking else CONFORMS_TO


@router.get("/api", **page_or(operation_id="getApi", kind=OPENAPI))
async def api(request: Request) -> Response:
    """What can be asked of this service."""
    query = Query(request)
    html = wants_html(request, query.take(FORMAT))
    query.finish()
    met = exchange(request)
    catalog = await city(request).catalog()
    document = openapi_document(
        request.app, title=city_title(catalog).en, address=met.base, whole_server=met.base == met.root
    )
    if html:
        links = [link("alternate", f"{met.base}/api?f=json", OPENAPI, "This page as a document")]
        title = said(city_title(catalog), language(request))
        return page(request, "api.html", links=links, city_title=title, operations=operations(document))
    return json_answer(document, media_type=OPENAPI)
