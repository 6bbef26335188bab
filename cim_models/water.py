"""Water bodies, and the works that hold or cross them."""

from cim_models.theme import Attribute, Theme

WATER = Theme(
    table="water",
    layer="water",
    zh="水系",
    en="Water",
    group="water",
    geometry="Geometry",
    classes="water_class",
    attributes=(
        Attribute("level", "number", "水位", "Water level", unit="m"),
        Attribute("depth", "number", "水深", "Depth", unit="m"),
    ),
)

CONSTRUCTION = Theme(
    table="construction",
    layer="constructions",
    zh="工程设施",
    en="Constructions",
    group="water",
    geometry="Geometry",
    classes="construction_class",
    attributes=(
        Attribute("height", "number", "高度", "Height", unit="m"),
        Attribute("crest_level", "number", "顶高程", "Crest level", unit="m"),
        Attribute("sill_level", "number", "底槛高程", "Sill level", unit="m"),
        Attribute("width", "number", "净宽", "Width", unit="m"),
        Attribute("material", "text", "材料", "Material"),
        Attribute("year_built", "integer", "建成年份", "Year built"),
    ),
)
