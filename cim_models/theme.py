"""A theme is one kind of city object: its table, its geometry, and the attributes that are real columns."""

from dataclasses import dataclass, field
from typing import Literal

AttributeType = Literal["text", "integer", "number", "boolean"]
GeometryType = Literal["Point", "LineString", "MultiPolygon", "Geometry"]


@dataclass(frozen=True)
class Attribute:
    """A typed column with its meaning: titles in both languages, unit (UCUM symbol), code list."""

    name: str
    type: AttributeType
    zh: str
    en: str
    unit: str | None = None
    codes: str | None = None
    indexed: bool = False


@dataclass(frozen=True)
class Theme:
    """One table of city objects.

    table: SQL name. layer: id of the layer that shows the whole theme. group: heading in the layer tree.
    classes: code list of the values of `class`. attributes: the hot columns beside the shared ones.
    """

    table: str
    layer: str
    zh: str
    en: str
    group: str
    geometry: GeometryType
    classes: str
    attributes: tuple[Attribute, ...] = field(default=())

    def attribute(self, name: str) -> Attribute:
        """The attribute of that name, shared ones included. Raises KeyError."""
        for attribute in (*SHARED, *self.attributes):
            if attribute.name == name:
                return attribute
        raise KeyError(name)


# What every city object tells of itself; the first three are read from the columns of the same name.
SHARED: tuple[Attribute, ...] = (
    Attribute("class", "text", "类别", "Class"),
    Attribute("name", "text", "名称", "Name"),
    Attribute("name_en", "text", "英文名称", "Name in English"),
    Attribute("uid", "text", "原编号", "Source id"),
    Attribute("cim_level", "integer", "CIM级别", "CIM level", codes="cim_level"),
    Attribute("village_code", "text", "村级代码", "Village code"),
)
