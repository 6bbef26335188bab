"""Sensors as city objects: where they stand and what they watch; observations are kept elsewhere."""

from cim_models.theme import Attribute, Theme

SENSOR = Theme(
    table="sensor",
    layer="sensors",
    zh="传感器",
    en="Sensors",
    group="sensors",
    geometry="Point",
    classes="sensor_class",
    attributes=(
        Attribute("kind", "text", "类型", "Kind", codes="sensor_kind", indexed=True),
        Attribute("observed_property", "text", "监测量", "Observed property"),
        Attribute("unit", "text", "单位", "Unit"),
        Attribute("status", "text", "状态", "Status", codes="sensor_status"),
        Attribute("serves_uid", "text", "监测对象", "Watches"),
        Attribute("elevation", "number", "高程", "Elevation", unit="m"),
    ),
)
