"""A city with one layer, `odd`, whose fields have whatever names and values its source gave."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

from cim_models.partitions import generic_partition_statements
from layers.seeds import add_dataset_layer


def lay_down(url: str, fields: object, rows: Iterable[tuple[Mapping[str, Any], str]]) -> None:
    """Fill an empty city. rows: the values and the shape (WKT, EPSG:4490) of each object."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into dataset (name, themes, title_zh, title_en, properties, loaded_at, extent)"
            " values ('odd', array['generic_object'], '怪', 'Odd', %s, now(), array[120.95, 28.1, 120.96, 28.11])",
            (json.dumps(fields),),
        )
        for statement in generic_partition_statements(1):
            connection.execute(statement)  # type: ignore[arg-type]
        add_dataset_layer(connection, "odd", 1, "怪", "Odd")
        for number, (values, shape) in enumerate(rows):
            connection.execute(
                "insert into generic_object (dataset_id, uid, content_hash, class, attributes, geom)"
                " values (1, %s, '', 'Odd', %s, st_geomfromtext(%s, 4490))",
                (str(number), json.dumps(values), shape),
            )
