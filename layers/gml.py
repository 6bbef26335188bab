"""Features of a layer as GML (OGC 07-036, 3.2.1, and 03-105r1, 3.1.1), built by the database and passed on as bytes.

Both versions write a feature alike; what the prefixes gml and city stand for is said by the document around it.
"""

from typing import Any

from sqlalchemy import Numeric, Select, String, literal
from sqlalchemy import cast as sql_cast

from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.features import VALIDITY, Sort, Telling, ordered, told_columns
from layers.fields import GEOMETRY, ID, NILLABLE, fields_of
from layers.projection import decimals, official, projected
from layers.query import Selection, objects
from layers.srs_name import SrsName
from layers.statement import Statement, compiled, inlined

PREFIX = "city"
NAMESPACE = "http://citytwin.org/ns"
# ST_AsGML: no srsDimension, and lines as LineString.
OPTIONS = 2 + 4
# What XML 1.0 has no place for (clause 2.2); PostgreSQL keeps all but NUL.
CONTROLS = "".join(map(chr, (*range(1, 9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF)))
# A return would be read back as a line feed (2.11) if it were not escaped.
ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;"))
# A collection and its parts, by the database's name of its kind.
COLLECTIONS = {
    "ST_MultiPolygon": ("MultiSurface", "surfaceMember"),
    "ST_MultiLineString": ("MultiCurve", "curveMember"),
    "ST_MultiPoint": ("MultiPoint", "pointMember"),
    "ST_GeometryCollection": ("MultiGeometry", "geometryMember"),
}
KINDS = {
    "Point": (),
    "LineString": (),
    "MultiPolygon": ("ST_MultiPolygon",),
    "Geometry": tuple(COLLECTIONS),
}


def gml_statement(
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    *,
    limit: int,
    offset: int,
    sorts: tuple[Sort, ...],
    telling: Telling,
    srs: SrsName,
) -> Statement:
    """Rows of object_id and feature: an element city:{layer} as bytes of UTF-8. srs: of the geometry. Raises NoWay."""
    chosen = ordered(selection, catalog, principal, sorts=sorts).limit(limit).offset(offset)
    layer = selection.layer
    parts = [_start(layer), *_properties(layer, catalog, telling)]
    if telling.geometry:
        shape = _shape(layer, srs)
        parts.append(f"coalesce('<{PREFIX}:{GEOMETRY}>' || {shape} || '</{PREFIX}:{GEOMETRY}>', '')")
    parts.append(f"'</{PREFIX}:{layer.id}>'")
    return _statement(chosen, " || ".join(parts), catalog, srs)


def values_statement(
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    *,
    name: str,
    limit: int,
    offset: int,
    sorts: tuple[Sort, ...],
    srs: SrsName,
) -> Statement:
    """Rows of object_id and feature: the value of one property, or of the id, as it stands in its element.

    Who has no such value is told as an empty text: leave them out by the selection's filter.
    """
    layer = selection.layer
    if name == GEOMETRY:
        value = _shape(layer, srs)
    elif name == ID:
        value = f"'{layer.id}.' || chosen.object_id"
    else:
        value = _values(layer, catalog, frozenset((name,)))[name]
    chosen = ordered(selection, catalog, principal, sorts=sorts).limit(limit).offset(offset)
    return _statement(chosen, f"coalesce({value}, '')", catalog, srs)


def _statement(chosen: Select[Any], text: str, catalog: Catalog, srs: SrsName) -> Statement:
    inner = compiled(chosen)
    turn = projected if srs.east_first else official
    # OFFSET 0 keeps the transformation in a place of its own: it is done once, however often its result is named.
    sql = f"""
        select chosen.object_id, convert_to({text}, 'UTF8') as feature
        from ({inner.sql}) chosen
        cross join lateral (
            select ST_SetSRID({turn("chosen.geom", catalog.city.srid, srs.crs)}, 0) as shape offset 0
        ) turned
    """
    return Statement(sql, inner.names, inner.arguments)


def _start(layer: Layer) -> str:
    return f"'<{PREFIX}:{layer.id} gml:id=\"{layer.id}.' || chosen.object_id || '\">'"


def _properties(layer: Layer, catalog: Catalog, telling: Telling) -> list[str]:
    """An element for each value that an object has, and for the end of its validity even where that is open."""
    spelt = fields_of(layer).spelt
    found = []
    for name, value in _values(layer, catalog, telling.properties).items():
        element = f"{PREFIX}:{spelt[name]}"
        absent = f'<{element} xsi:nil="true"/>' if name == NILLABLE else ""
        found.append(f"coalesce('<{element}>' || {value} || '</{element}>', '{absent}')")
    return found


def _values(layer: Layer, catalog: Catalog, wanted: frozenset[str] | None) -> dict[str, str]:
    """SQL of each value as XML's text, null where there is none."""
    rows_of = objects(layer, catalog).alias("chosen")
    told = told_columns(rows_of, layer.properties, whole=layer.tells_whole, wanted=wanted)
    found = {}
    for name in fields_of(layer).spelt:
        if (column := told.get(name)) is None:
            continue
        attribute = layer.property(name)
        if name in VALIDITY:
            # As JSON has it: ISO 8601 with its zone, which xsd:dateTime is too.
            found[name] = f"(to_json({inlined(column)}) #>> '{{}}')"
        elif attribute is None or attribute.type == "text":
            found[name] = _escaped(inlined(sql_cast(column, String)))
        else:
            exact = sql_cast(column, Numeric) if attribute.type == "integer" else column
            found[name] = inlined(sql_cast(exact, String))
    return found


def _escaped(text: str) -> str:
    escaped = f"translate({text}, {_quoted(CONTROLS)}, '')"
    for character, escape in ESCAPES:
        escaped = f"replace({escaped}, {_quoted(character)}, {_quoted(escape)})"
    return escaped


def _shape(layer: Layer, srs: SrsName) -> str:
    """SQL of the geometry as GML. Each part has an id of its own, as GML 3.2 wants it (OGC 07-036, 7.2.4.5)."""
    named = f'srsName="{srs.text}"'
    opening_end = _quoted(f'" {named}>')
    number = f"'{layer.id}.' || chosen.object_id || '.{GEOMETRY}'"
    places = decimals(srs.crs)
    single = f"ST_AsGML(3, turned.shape, {places}, {OPTIONS}, 'gml', {number})"
    # The first blank stands before the first attribute of the outermost element.
    single = f"regexp_replace({single}, ' ', {_quoted(f' {named} ')})"
    cases = []
    for kind in KINDS[layer.theme.geometry]:
        element, member = COLLECTIONS[kind]
        part = f"ST_AsGML(3, part.geom, {places}, {OPTIONS}, 'gml', {number} || '.' || array_to_string(part.path, '.'))"
        cases.append(
            f"when '{kind}' then '<gml:{element} gml:id=\"' || {number} || {opening_end} ||"
            f" (select coalesce(string_agg('<gml:{member}>' || {part} || '</gml:{member}>', '' order by part.path), '')"
            f" from ST_Dump(turned.shape) part) || '</gml:{element}>'"
        )
    return f"case ST_GeometryType(turned.shape) {' '.join(cases)} else {single} end" if cases else single


def _quoted(text: str) -> str:
    return inlined(literal(text, String))
