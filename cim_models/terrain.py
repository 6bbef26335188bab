"""Rasters in the catalogue: the footprint of a Cloud-Optimized GeoTIFF, whose cells stay in the file."""

from cim_models.theme import Attribute, Theme

TERRAIN = Theme(
    table="terrain",
    layer="terrain",
    zh="地形与影像",
    en="Terrain and imagery",
    group="terrain",
    geometry="MultiPolygon",
    classes="terrain_class",
    attributes=(
        Attribute("kind", "text", "类型", "Kind", codes="terrain_class"),
        Attribute("path", "text", "文件", "File"),
        Attribute("resolution", "number", "分辨率", "Resolution", unit="m"),
        Attribute("nodata", "number", "无值", "No-data value"),
    ),
)
