"""Objects of the city as arrays of shapes and columns."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from twin.scenarios.city import Box, City

Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Objects:
    """Shapes in metres and the columns asked for, one entry for each object; `id` is the object's own."""

    shape: Shapes
    id: list[int]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.id)

    def __getitem__(self, name: str) -> list[Any]:
        return self.columns[name]

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """A column as numbers, NaN where there is none."""
        return np.array([np.nan if value is None else value for value in self.columns[name]], np.float64)

    def take(self, which: npt.NDArray[Any]) -> "Objects":
        """Some of them, by mask or index."""
        chosen = np.arange(len(self))[which].tolist()
        return Objects(
            self.shape[which],
            [self.id[i] for i in chosen],
            {name: [values[i] for i in chosen] for name, values in self.columns.items()},
        )

    def of_class(self, *classes: str) -> "Objects":
        """Those of one of these classes; "class" must have been read."""
        return self.take(self.among("class", classes))

    def among(self, name: str, values: Collection[Any]) -> npt.NDArray[np.bool_]:
        """Whether each has one of these values in a column."""
        return np.fromiter((value in values for value in self.columns[name]), bool, len(self))


def read(city: City, layer: str, box: Box | None, *columns: str) -> Objects:
    """All objects of a layer that touch a box (CRS84), in order of their ids, so that equal cities run equally."""
    return objects_of(city.features(layer, box=box, columns=columns), columns)


def objects_of(table: pa.Table, columns: Collection[str]) -> Objects:
    """Of a table with "object_id" and "geometry", in order of their ids."""
    shapes = shapely.from_wkb(np.array(table["geometry"].to_pylist(), object))
    ids = np.array(table["object_id"].to_pylist(), np.int64)
    present = ~shapely.is_missing(shapes)
    order = np.flatnonzero(present)[np.argsort(ids[present], kind="stable")]
    return Objects(
        shapely.force_2d(shapes[order]),
        ids[order].tolist(),
        {name: table[name].take(order).to_pylist() for name in columns},
    )


def further(value: Any) -> dict[str, Any]:
    """The `attributes` of an object, whether they come as text or as a mapping."""
    if isinstance(value, str):
        value = json.loads(value)
    return dict(value) if isinstance(value, dict) else {}
