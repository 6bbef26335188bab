"""The whole city model as SQLAlchemy tables, for a city whose storage CRS is given."""

from functools import cache

from sqlalchemy import MetaData

from cim_models import access, overview, registry, search, solid
from cim_models.base import city_object_table
from cim_models.themes import THEMES


@cache
def schema(srid: int) -> MetaData:
    """Tables of a city stored in EPSG:`srid` (4326 or 4490)."""
    metadata = MetaData()
    for theme in THEMES.values():
        city_object_table(theme, metadata, srid)
    for table in (
        registry.city,
        registry.dataset,
        registry.import_run,
        registry.plan,
        registry.layer,
        registry.change,
        registry.consumer,
        registry.validity_clock,
        registry.code_list,
        registry.code,
        access.token,
        access.permission,
        solid.solid,
        overview.overview,
        overview.overview_coverage,
        overview.overview_layer,
    ):
        table(metadata)
    search.search_entry(metadata, srid)
    return metadata
