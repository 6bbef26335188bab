"""Utility networks by medium: pipes with inverts, and the nodes they join."""

from cim_models.theme import Attribute, Theme

UTILITY_PIPE = Theme(
    table="utility_pipe",
    layer="utility_pipes",
    zh="管线",
    en="Utility pipes",
    group="utilities",
    geometry="LineString",
    classes="utility_pipe_class",
    attributes=(
        Attribute("medium", "text", "介质", "Medium", codes="utility_medium", indexed=True),
        Attribute("material", "text", "管材", "Material"),
        Attribute("diameter_mm", "number", "管径", "Diameter", unit="mm"),
        Attribute("invert_start", "number", "起点管底高程", "Invert at start", unit="m"),
        Attribute("invert_end", "number", "终点管底高程", "Invert at end", unit="m"),
        Attribute("year_built", "integer", "建成年份", "Year built"),
        Attribute("start_node", "text", "起点", "Start node", indexed=True),
        Attribute("end_node", "text", "终点", "End node", indexed=True),
    ),
)

UTILITY_NODE = Theme(
    table="utility_node",
    layer="utility_nodes",
    zh="管点",
    en="Utility nodes",
    group="utilities",
    geometry="Point",
    classes="utility_node_class",
    attributes=(
        Attribute("medium", "text", "介质", "Medium", codes="utility_medium", indexed=True),
        Attribute("invert", "number", "井底高程", "Invert", unit="m"),
        Attribute("ground_level", "number", "地面高程", "Ground level", unit="m"),
        Attribute("depth", "number", "埋深", "Depth", unit="m"),
    ),
)
