"""Administrative areas: division codes of 6 (county), 9 (township) and 12 (village) digits."""

from cim_models.theme import Attribute, Theme

ADMINISTRATIVE_AREA = Theme(
    table="administrative_area",
    layer="administrative_areas",
    zh="行政区划",
    en="Administrative areas",
    group="administration",
    geometry="MultiPolygon",
    classes="administrative_class",
    attributes=(
        Attribute("code", "text", "区划代码", "Division code", indexed=True),
        Attribute("level", "text", "级别", "Level", codes="administrative_level"),
        Attribute("parent_code", "text", "上级代码", "Parent code", indexed=True),
        Attribute("population", "integer", "人口", "Population"),
    ),
)
