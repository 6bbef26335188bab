"""`twin layers` and `export`: what a server shows, here or elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from twin.commands.console import out, print_table, progress

Url = Annotated[str | None, typer.Option(help="Server to ask. (default: TWIN_URL, else this machine's)")]
City = Annotated[str | None, typer.Option(help="Name of the city. (default: the server's default)")]


def layers(city: City = None, url: Url = None) -> None:
    """List the layers of a city."""
    from twin.sdk import connect

    rows = []
    with connect(url, city=city) as found:
        for name, layer in found.layers.items():
            count = layer.info["twin"].get("count")
            shown = "" if count is None else f"{count:,}"
            rows.append((name, layer.title["zh"], layer.title["en"], layer.geometry, shown))
    print_table(("layer", "标题", "title", "geometry", "objects"), rows)


def export(
    layer: Annotated[str, typer.Argument(help="Id of the layer; `twin layers` lists them.")],
    file: Annotated[
        Path, typer.Argument(help=".geojson .gpkg .fgb .csv .xlsx .kml .dxf .gml .gpx .parquet .tab.zip ...")
    ],
    *,
    bbox: Annotated[str | None, typer.Option(help="west,south,east,north in degrees")] = None,
    where: Annotated[str | None, typer.Option(help='CQL2 condition, e.g. "height > 50"')] = None,
    at: Annotated[str | None, typer.Option(help="Date or moment to look at. (default: now)")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    city: City = None,
    url: Url = None,
) -> None:
    """Write a layer, or a part of it, to a file in longitude and latitude.

    The ending says the format: .geojson .geojsonl .geojsons .gpkg .fgb .csv .xlsx .parquet .kml .gml .gpx .dxf,
    .zip (Shapefile), .tab.zip (MapInfo) or .gdb.zip (File Geodatabase).
    """
    from twin.export import DRIVERS, fetch
    from twin.export import export as write
    from twin.sdk import connect

    box = _box(bbox)
    with connect(url, city=city) as found:
        source = found[layer]
        if file.suffix.lower() not in DRIVERS:
            fetch(source, file, bbox=box, where=where, at=at, replace=force)
            out.print(f"{layer} in {file}", markup=False, soft_wrap=True)
            return
        total = None if (bbox or where or at) else source.info["twin"].get("count")
        with progress(layer, total) as passed:
            count = write(source, passed(source.features(box, where, at)), file, replace=force)
    out.print(f"{count:,} objects of {layer} in {file}", markup=False, soft_wrap=True)


def _box(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not west,south,east,north in degrees", param_hint="--bbox") from None
    return [west, south, east, north]
