"""outputFormat: what features come as, under the names that the standards and other servers gave."""

from api.ows.fault import INVALID, Fault
from api.wfs.call import Call

JSON = "application/json"
GML32, GML311 = "gml32", "gml311"
# Files, by the name under which /collections/{layer}/items knows them.
FILES = {
    "csv": ("text/csv", "csv"),
    "shp": ("shape-zip", "application/zip", "application/x-zipped-shp"),
    "gpkg": ("application/geopackage+sqlite3", "gpkg", "geopackage", "geopkg"),
    "fgb": ("application/flatgeobuf", "flatgeobuf", "fgb"),
}
GML_FORMATS = {
    GML32: ("application/gml+xml; version=3.2", "text/xml; subtype=gml/3.2", "text/xml; subtype=gml/3.2.1", "gml32"),
    GML311: ("text/xml; subtype=gml/3.1.1", "text/xml; subtype=gml/3.1.1/profiles/gmlsf/1.0.0/0", "gml3"),
}
NAMES = {"json": (JSON, "json", "application/geo+json", "geojson"), **FILES}
GENERAL = ("text/xml", "application/xml", "application/gml+xml", "gml", "xmlschema", "application/xml+xsd")


def gml_format(call: Call) -> str:
    """The GML of the call's version."""
    return GML32 if call.dialect.is_newest else GML311


def offered(call: Call) -> list[str]:
    """The names that the capabilities list, the default first."""
    own = GML_FORMATS[gml_format(call)]
    return [*own[:2], JSON, *(names[0] for names in FILES.values())]


def take_format(call: Call) -> str:
    """gml32, gml311, json, or the name of a file. Raises Fault."""
    asked = call.kvp.get("OUTPUTFORMAT")
    if asked is None:
        return gml_format(call)
    known = {_plain(name): form for form, names in _names(call).items() for name in names}
    found = known.get(_plain(asked))
    if found is None:
        raise Fault(INVALID, f"outputFormat={asked[:80]!r}: there are {', '.join(offered(call))}", "outputFormat")
    return found


def check_schema_format(call: Call) -> None:
    """A schema is only written for the GML of the version. Raises Fault."""
    if take_format(call) != gml_format(call):
        detail = f"outputFormat: schemas are for {call.dialect.gml_format}"
        raise Fault(INVALID, detail, "outputFormat")


def _names(call: Call) -> dict[str, tuple[str, ...]]:
    own = gml_format(call)
    return {**NAMES, own: (*GML_FORMATS[own], *GENERAL)}


def _plain(name: str) -> str:
    # A plus that a client left unescaped arrives as a blank.
    return name.lower().replace(" ", "").replace("+", "").replace('"', "")
