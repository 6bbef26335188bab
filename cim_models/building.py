"""Buildings: footprints with height, storeys, function and year; solids hang on the same object."""

from cim_models.theme import Attribute, Theme

BUILDING = Theme(
    table="building",
    layer="buildings",
    zh="建筑",
    en="Buildings",
    group="buildings",
    geometry="MultiPolygon",
    classes="building_class",
    attributes=(
        Attribute("height", "number", "高度", "Height", unit="m", indexed=True),
        Attribute("height_source", "text", "高度来源", "Height from", codes="height_source"),
        Attribute("ground_z", "number", "地面高程", "Ground elevation", unit="m"),
        Attribute("storeys", "integer", "地上层数", "Storeys above ground"),
        Attribute("storeys_below", "integer", "地下层数", "Storeys below ground"),
        Attribute("function", "text", "用途", "Function", codes="building_function", indexed=True),
        Attribute("year_built", "integer", "建成年份", "Year built"),
        Attribute("roof_type", "text", "屋顶形式", "Roof type", codes="roof_type"),
        Attribute("dwellings", "integer", "住宅套数", "Dwellings"),
    ),
)
