"""Links, made in one place."""

from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request

JSON = "application/json"
XML = "text/xml"
GEOJSON = "application/geo+json"
HTML = "text/html"
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
MVT = "application/vnd.mapbox-vector-tile"
STYLE = "application/vnd.mapbox.style+json"

QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SORTABLES = "http://www.opengis.net/def/rel/ogc/1.0/sortables"
SCHEMA_OF = "http://www.opengis.net/def/rel/ogc/1.0/schema"
FUNCTIONS = "http://www.opengis.net/def/rel/ogc/1.0/functions"
DESCRIBED_BY = "describedby"
SCHEMES = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"
STYLES = "http://www.opengis.net/def/rel/ogc/1.0/styles"

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

Link = dict[str, Any]


def link(rel: str, href: str, media_type: str, title: str) -> Link:
    """A link object as OGC API and RFC 8288 mean it."""
    return {"rel": rel, "href": href, "type": media_type, "title": title}


def same_query(request: Request, address: str, **changed: str | None) -> str:
    """An address with the request's query, and what is changed in it; None leaves a parameter out."""
    changes = dict(request.query_params) | changed
    parameters = {name: value for name, value in changes.items() if value is not None}
    return f"{address}?{urlencode(parameters, quote_via=quote, safe=',:/')}" if parameters else address


def header(links: list[Link]) -> str:
    """Links as the value of a Link header (RFC 8288), without their titles, which may be Chinese."""
    return ", ".join(f'<{each["href"]}>; rel="{each["rel"]}"; type="{each["type"]}"' for each in links)
