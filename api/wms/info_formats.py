"""Answers of GetFeatureInfo: plain text, HTML, GeoJSON and GML, of the same objects."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import shapely
from fastapi import Response
from shapely.geometry.base import BaseGeometry

from api.answers import said
from api.collections import codes_of
from api.ows.fault import Fault
from api.pages import environment
from api.schemas import VALIDITY_TITLES
from api.wms.call import Call
from api.wms.gml import feature_collection
from api.wms.texts import NOTHING, said_here
from layers.catalog import Layer, Title
from layers.crs import Crs

HEADERS = {
    "Cache-Control": "no-cache",
    "Vary": "Authorization, Accept-Language, Accept-Encoding",
    # Portals show it in frames and pop-ups of their own; it loads nothing and runs nothing.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}
GROUND = {
    "elevation": (Title("高程", "Elevation"), "m"),
    "vertical_datum": (Title("高程基准", "Vertical datum"), None),
}


@dataclass(frozen=True)
class Told:
    """One object. id: None for what is no object, such as the ground. geometry: x, y in the map's CRS."""

    id: int | None
    properties: Mapping[str, Any]
    geometry: BaseGeometry


@dataclass(frozen=True)
class Found:
    """What lies at the place of one layer, the nearest first."""

    layer: Layer
    features: tuple[Told, ...]


@dataclass(frozen=True)
class Row:
    """A property as people read it."""

    title: str
    value: str


def take_info_format(call: Call) -> str:
    """INFO_FORMAT, which version 1.3.0 wants to be said. Raises Fault."""
    asked = call.kvp.get("INFO_FORMAT")
    if asked is None:
        if call.version == "1.3.0":
            call.kvp.required("INFO_FORMAT")
        return "text/plain"
    kind = asked.lower().partition(";")[0].strip()
    kind = {"gml": "application/vnd.ogc.gml", "application/geojson": "application/geo+json"}.get(kind, kind)
    if kind not in WRITERS:
        detail = f"INFO_FORMAT={asked[:60]!r}: objects are told as {', '.join(INFO_FORMATS)}"
        raise Fault("InvalidFormat", detail, "INFO_FORMAT")
    return kind


def info_answer(call: Call, found: Sequence[Found], kind: str, crs: Crs) -> Response:
    """The objects in a format."""
    body = WRITERS[kind](call, found, crs)
    charset = "" if kind.endswith("json") else "; charset=utf-8"
    return Response(body, 200, HEADERS, kind + charset)


def _text(call: Call, found: Sequence[Found], _: Crs) -> bytes:
    lines = []
    for each in found:
        for told in each.features:
            number = "" if told.id is None else f" {told.id}"
            lines.append(f"{each.layer.id}{number} ({said(each.layer.title, call.spoken)})")
            lines += [f"  {row.title} = {row.value}" for row in _rows(call, each.layer, told)]
    return ("\n".join(lines or [said_here(NOTHING, call)]) + "\n").encode()


def _html(call: Call, found: Sequence[Found], _: Crs) -> bytes:
    address = f"{call.met.base}/collections"
    shown = [
        {
            "layer": said(each.layer.title, call.spoken),
            "number": told.id,
            "address": None if told.id is None else f"{address}/{each.layer.id}/items/{told.id}?f=html",
            "rows": _rows(call, each.layer, told),
        }
        for each in found
        for told in each.features
    ]
    page = environment().get_template("wms_info.html")
    return page.render(found=shown, lang=call.spoken, nothing=said_here(NOTHING, call)).encode()


def _json(call: Call, found: Sequence[Found], crs: Crs) -> bytes:
    """GeoJSON in the CRS of the map, x before y, which it names as desks expect it (GeoJSON 2008)."""
    features = [
        {
            "type": "Feature",
            "id": each.layer.id if told.id is None else f"{each.layer.id}.{told.id}",
            "geometry": orjson.Fragment(shapely.to_geojson(told.geometry)),
            "properties": dict(told.properties),
        }
        for each in found
        for told in each.features
    ]
    return orjson.dumps(
        {
            "type": "FeatureCollection",
            "features": features,
            "numberReturned": len(features),
            "timeStamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "crs": {"type": "name", "properties": {"name": crs.urn}},
        }
    )


def _gml(call: Call, found: Sequence[Found], crs: Crs) -> bytes:
    members = [(each.layer.id, told.id, told.properties, told.geometry) for each in found for told in each.features]
    return feature_collection(members, crs, address=call.met.base)


def _rows(call: Call, layer: Layer, told: Told) -> list[Row]:
    """What is known of an object, titles and codes in the client's language."""
    rows = []
    for name, value in told.properties.items():
        if value is None:
            continue
        if isinstance(value, dict):
            rows += [Row(inner, _shown(each)) for inner, each in value.items()]
            continue
        title, unit, meanings = _meaning(call, layer, name)
        meant = meanings.get(str(value), _shown(value))
        rows.append(Row(title, f"{meant} {unit}" if unit else meant))
    return rows


def _meaning(call: Call, layer: Layer, name: str) -> tuple[str, str | None, dict[str, str]]:
    """Title, unit and codes of a property."""
    attribute = layer.property(name)
    if attribute is not None:
        codes = codes_of(attribute, layer, call.catalog)
        meanings = {code: said(each.title, call.spoken) for code, each in codes.items()}
        return said(Title(attribute.zh, attribute.en), call.spoken), attribute.unit, meanings
    if name in GROUND and layer.theme.table == "terrain":
        title, unit = GROUND[name]
        return said(title, call.spoken), unit, {}
    return (said(VALIDITY_TITLES[name], call.spoken) if name in VALIDITY_TITLES else name), None, {}


def _shown(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


WRITERS: dict[str, Callable[[Call, Sequence[Found], Crs], bytes]] = {
    "text/plain": _text,
    "text/html": _html,
    "application/json": _json,
    "application/geo+json": _json,
    "application/vnd.ogc.gml": _gml,
}
INFO_FORMATS = tuple(WRITERS)
