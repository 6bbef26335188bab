"""What the types of model attributes are in Arrow, for those who read and map files."""

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from cim_models.theme import AttributeType

COLUMN_TYPES: Final[Mapping[AttributeType, pa.DataType]] = {
    "text": pa.string(),
    "integer": pa.int32(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}
