"""Land: parcels with a use code in a named scheme and edition, and what grows on them."""

from cim_models.theme import Attribute, Theme

LAND = Theme(
    table="land",
    layer="land",
    zh="土地利用",
    en="Land use",
    group="land",
    geometry="MultiPolygon",
    classes="land_class",
    attributes=(
        Attribute("scheme", "text", "分类标准", "Scheme", codes="land_use_scheme"),
        Attribute("edition", "text", "标准版本", "Edition of the scheme"),
        Attribute("code", "text", "地类代码", "Land use code", codes="land_use", indexed=True),
    ),
)

VEGETATION = Theme(
    table="vegetation",
    layer="vegetation",
    zh="植被",
    en="Vegetation",
    group="land",
    geometry="Geometry",
    classes="vegetation_class",
    attributes=(
        Attribute("height", "number", "高度", "Height", unit="m"),
        Attribute("crown_diameter", "number", "冠幅", "Crown diameter", unit="m"),
        Attribute("species", "text", "树种", "Species"),
    ),
)
