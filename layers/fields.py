"""What a layer's properties are called in XML, and which of them a reference in XML means."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cim_models.theme import Attribute
from layers.catalog import Layer
from layers.features import VALIDITY
from layers.filter_functions import Kind
from layers.filters import FilterError

GEOMETRY = "geom"
ID = "object_id"
# What has no end is told to have none; whatever else an object lacks is left out.
NILLABLE = "valid_to"
# Name characters of XML 1.0 that every parser knows, without the colon.
NO_NAME = re.compile(
    r"[^A-Za-z0-9_.\-\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u3041-\u3094\u4e00-\u9fa5\uac00-\ud7a3]"
)
NO_START = re.compile(r"[0-9.\-]|\Z")
KINDS: dict[str, Kind] = {"text": "text", "integer": "number", "number": "number", "boolean": "boolean"}
# References to the object's id, as GML writes it, and to its geometry, as gml:boundedBy and clients that write the same
# filters to catalogues and to a WFS (ows:BoundingBox) do.
IDS = ("@id", "@fid", ID)
SHAPES = (GEOMETRY, "geometry", "boundedBy", "BoundingBox", "the_geom")
STEP = re.compile(r"(?:[^:/\[\]]*:)?([^:/\[\]]+)(?:\[1\])?\Z")


@dataclass(frozen=True)
class Fields:
    """The properties of a layer. spelt: XML name by own name; kinds: by own name, what a filter may do with it."""

    layer_id: str
    spelt: Mapping[str, str]
    kinds: Mapping[str, Kind]

    def meant(self, reference: str) -> str:
        """The property that a name or path means: height, city:height, city:buildings/city:height, @gml:id.

        Raises FilterError.
        """
        last, *before = [step.strip() for step in reversed(reference.strip().strip("/").split("/"))]
        names = [found[1] if (found := STEP.match(step)) else step for step in (last, *before)]
        # Of a path the last step is the property, those before it say again whose.
        if all(name in (self.layer_id, "*", ".", "") for name in names[1:]) and len(names) < 4:
            attribute = f"@{names[0]}" if last.startswith("@") else names[0]
            if attribute in IDS:
                return ID
            for name, spelt in self.spelt.items():
                if names[0] in (spelt, name) and not last.startswith("@"):
                    return name
            if reference.strip() in self.spelt:
                return reference.strip()
            if names[0] in SHAPES:
                return GEOMETRY
        known = ", ".join((*self.spelt.values(), GEOMETRY))
        raise FilterError(f"{reference[:60]!r}: {self.layer_id} has no such property; it has {known}")


def fields_of(layer: Layer) -> Fields:
    """The properties of a layer as XML names them."""
    return Fields(layer.id, spelt(layer.properties, whole=layer.tells_whole), _kinds(layer.properties))


@lru_cache(maxsize=1_000)
def spelt(properties: tuple[Attribute, ...], *, whole: bool) -> dict[str, str]:
    """XML names, in their order: what XML cannot spell is an underscore, and no two are alike."""
    found: dict[str, str] = {}
    taken = {GEOMETRY}
    names = [each.name for each in properties]
    # Before the uid: clients and test suites try a text out by the last there is, which JSON serves badly.
    place = names.index("uid") if "uid" in names else 0
    for name in (*names[:place], *(("attributes",) if whole else ()), *names[place:], *VALIDITY):
        plain = NO_NAME.sub("_", name)
        first = unique = f"_{plain}" if NO_START.match(plain) else plain
        number = 1
        while unique in taken:
            number += 1
            unique = f"{first}_{number}"
        if name not in found:
            found[name] = unique
            taken.add(unique)
    return found


@lru_cache(maxsize=1_000)
def _kinds(properties: tuple[Attribute, ...]) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {each.name: KINDS[each.type] for each in properties}
    return kinds | dict.fromkeys(VALIDITY, "time") | {ID: "number", GEOMETRY: "geometry"}
