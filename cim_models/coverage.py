"""Rasters in time: each row is one frame, the footprint of a Cloud-Optimized GeoTIFF whose cells stay in the file."""

from cim_models.theme import Attribute, Theme

COVERAGE = Theme(
    table="coverage",
    layer="coverages",
    zh="栅格结果",
    en="Raster results",
    group="results",
    geometry="MultiPolygon",
    classes="coverage_class",
    attributes=(
        Attribute("variable", "text", "变量", "Variable"),
        Attribute("unit", "text", "单位", "Unit"),
        Attribute("path", "text", "文件", "File"),
        Attribute("band", "integer", "波段", "Band"),
        Attribute("resolution", "number", "分辨率", "Resolution", unit="m"),
        Attribute("vertical_datum", "text", "高程基准", "Vertical datum"),
    ),
)
