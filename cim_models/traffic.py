"""Roads as a graph of edges and nodes, railways, and the places that people go to."""

from cim_models.theme import Attribute, Theme

ROAD = Theme(
    table="road",
    layer="roads",
    zh="道路",
    en="Roads",
    group="traffic",
    geometry="LineString",
    classes="road_class",
    attributes=(
        Attribute("ref", "text", "路线编号", "Road number"),
        Attribute("lanes", "integer", "车道数", "Lanes"),
        Attribute("speed_kmh", "number", "限速", "Speed limit", unit="km/h"),
        Attribute("oneway", "boolean", "单行", "One way"),
        Attribute("width", "number", "宽度", "Width", unit="m"),
        Attribute("surface", "text", "路面", "Surface"),
        Attribute("bridge", "boolean", "桥梁", "Bridge"),
        Attribute("tunnel", "boolean", "隧道", "Tunnel"),
        Attribute("vertical_level", "integer", "层次", "Vertical level"),
        Attribute("start_node", "text", "起点", "Start node", indexed=True),
        Attribute("end_node", "text", "终点", "End node", indexed=True),
    ),
)

ROAD_NODE = Theme(
    table="road_node",
    layer="road_nodes",
    zh="道路节点",
    en="Road nodes",
    group="traffic",
    geometry="Point",
    classes="road_node_class",
    attributes=(
        Attribute("kind", "text", "类型", "Kind", codes="road_node_kind"),
        Attribute("degree", "integer", "连接数", "Degree"),
        Attribute("elevation", "number", "高程", "Elevation", unit="m"),
    ),
)

RAILWAY = Theme(
    table="railway",
    layer="railways",
    zh="铁路",
    en="Railways",
    group="traffic",
    geometry="LineString",
    classes="railway_class",
    attributes=(
        Attribute("gauge_mm", "integer", "轨距", "Gauge", unit="mm"),
        Attribute("electrified", "boolean", "电气化", "Electrified"),
        Attribute("bridge", "boolean", "桥梁", "Bridge"),
        Attribute("tunnel", "boolean", "隧道", "Tunnel"),
    ),
)

FACILITY = Theme(
    table="facility",
    layer="facilities",
    zh="公共设施",
    en="Facilities",
    group="facilities",
    geometry="Geometry",
    classes="facility_class",
    attributes=(
        Attribute("capacity", "integer", "容量", "Capacity"),
        Attribute("address", "text", "地址", "Address"),
        Attribute("phone", "text", "电话", "Telephone"),
    ),
)
