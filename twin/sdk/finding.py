"""Finding from a script: places of addresses and addresses of places, in batches that a server takes at once."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from twin.sdk.client import Client
from twin.sdk.errors import WrongRequest

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

# Rows a request: a body stays far below what a server reads.
ROWS = 5_000
TYPES = {
    "level": "string", "score": "Float64", "address": "string", "layer": "string", "object_id": "Int64",
    "longitude": "float64", "latitude": "float64",
}  # fmt: skip
HEADINGS = ("地址", "详细地址", "住址", "门牌地址", "address", "addr")


def address_column(headings: Sequence[str], column: str | None) -> str:
    """The column that holds addresses: the one named, else the first that is called so. Raises WrongRequest."""
    named = (column,) if column is not None else HEADINGS
    if (found := next((name for name in named if name in headings), None)) is None:
        raise WrongRequest(f"no column {column or '地址'!r}; there are {', '.join(map(str, headings))}: name one")
    return found


def matches(client: Client, base: str, addresses: Sequence[str]) -> Iterator[dict[str, Any] | None]:
    """What the server finds for each address: level, score, address, layer, object_id, longitude, latitude; or None."""
    for start in range(0, len(addresses), ROWS):
        body = list(addresses[start : start + ROWS])
        answer = client.send("POST", f"{base}/geocode", body, headers={"Content-Type": "application/json"}).json()
        yield from (each["match"] for each in answer["results"])


def geocode_frame(
    client: Client, base: str, table: "pd.DataFrame | Sequence[str]", column: str | None
) -> "geopandas.GeoDataFrame":
    """The table with points in EPSG:4326, and of each how it was found."""
    import geopandas
    import pandas as pd

    frame = table.copy() if isinstance(table, pd.DataFrame) else pd.DataFrame({"address": list(table)})
    texts = frame[address_column(list(frame.columns), column)]
    found = list(matches(client, base, ["" if pd.isna(text) else str(text) for text in texts]))
    told = pd.DataFrame([match or {} for match in found], columns=list(TYPES), index=frame.index).astype(TYPES)
    frame[[f"match_{name}" for name in ("level", "score", "address", "layer", "object_id")]] = told.iloc[:, :5]
    points = geopandas.GeoSeries.from_xy(told["longitude"].fillna(0), told["latitude"].fillna(0), crs="EPSG:4326")
    return geopandas.GeoDataFrame(frame, geometry=points.where(told["level"].notna(), None), crs="EPSG:4326")
