"""`twin load`: bringing a city in, from a recipe, files or folders."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.commands.console import FAILED, out, say_error
from twin.commands.report import tell

if TYPE_CHECKING:
    from layers.formats import Columns
    from twin.loading import Manner

City = Annotated[str | None, typer.Option(help="City to load into. (default: the recipe's, else the default city)")]
Data = Annotated[Path | None, typer.Option(help="Folder of a recipe's files. (default: the recipe's own)")]


def load(
    source: Annotated[
        str, typer.Argument(help="A recipe (.yaml, or the name of one that ships), a file, or a folder.")
    ],
    *,
    city: City = None,
    data: Data = None,
    crs: Annotated[str | None, typer.Option(help="CRS of a file, instead of what it says, e.g. EPSG:4549.")] = None,
    layer: Annotated[str | None, typer.Option(help="Only this layer of a file.")] = None,
    axis: Annotated[str, typer.Option(help="yx where files write north (X of a survey) before east.")] = "xy",
    encoding: Annotated[str | None, typer.Option(help="Of the texts: UTF-8, GBK. (default: found out)")] = None,
    columns: Annotated[str | None, typer.Option(help="A table's places: x=经度,y=纬度 or wkt=图形.")] = None,
    address: Annotated[
        str | None, typer.Option(help="A table's column of addresses to look up in the city; several: 地址,校名.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Name of the data set. (default: the file's)")] = None,
    anywhere: Annotated[bool, typer.Option("--anywhere", help="Take in what is 100 km and more away too.")] = False,
    details: Annotated[bool, typer.Option("--details", help="Show every rejected and repaired row.")] = False,
) -> None:
    """Load data: a recipe, or files as they come, also in folders and zips.

    Read are OSM PBF and XML, GeoPackage, FlatGeobuf, Shapefile, GeoJSON, File Geodatabase, KML and KMZ, GML, GPX, DXF,
    MapInfo TAB and MIF, GeoParquet, CSV, XLSX, land survey coordinates, GeoTIFF, NetCDF and ASCII grids.

    A file goes in whole or not at all. Loading it again changes nothing; a newer edition supersedes the older one.
    """
    from layers.formats.geodatabase import is_geodatabase
    from layers.load import Said
    from twin.loading import RECIPES, LoadError, files_of, find_recipe, load_files, load_layer, load_recipe
    from twin.local import local_twin
    from twin.own_token import ensure_own_token

    path = Path(source)
    is_recipe = path.suffix.lower() in RECIPES or not path.exists()
    if not path.exists() and find_recipe(source) and data is None:
        raise LoadError(f"{source}: name the folder that its files are in with --data")
    if not is_recipe and data is not None:
        raise LoadError("--data names the folder of a recipe's files; a file or folder is loaded by its own path")
    is_folder = path.is_dir() and not is_geodatabase(path)
    if is_recipe and (crs or layer or dataset or encoding or columns or address or axis != "xy"):
        raise LoadError("--crs, --layer, --dataset and the like are for files; a recipe says them in its own lines")
    if is_folder and (layer or dataset):
        raise LoadError("--layer and --dataset are for one file; load it by its own path")
    said = Said(crs=crs, layer=layer, encoding=encoding, columns=_columns(columns, address), axis=_axis(axis))
    twin = local_twin(Path.cwd(), os.environ)
    refusals: list[Exception] = []
    with twin.database(make=is_recipe), manner_of_loading(anywhere=anywhere, details=details) as manner:
        if is_recipe:
            recipe = find_recipe(source)
            place = load_recipe(twin.directory, recipe, data or recipe.parent, city, manner)
            ensure_own_token(twin.token_file, [place])
        elif is_folder:
            refusals += load_files(twin.directory.find(city), files_of(path), manner, said)
        else:
            load_layer(twin.directory.find(city), path, manner, said, name=dataset)
    for refusal in refusals:
        say_error(str(refusal))
    if refusals:
        raise typer.Exit(FAILED)


def _axis(text: str) -> str:
    if text not in ("xy", "yx"):
        raise typer.BadParameter(f"{text!r} is neither xy nor yx", param_hint="--axis")
    return text


def _columns(text: str | None, address: str | None) -> "Columns | None":
    from layers.formats import Columns

    if address is not None:
        if text is not None:
            raise typer.BadParameter("a table has places or addresses; leave --columns out", param_hint="--address")
        return Columns(address=tuple(filter(None, (name.strip() for name in address.split(",")))))
    if text is None:
        return None
    named = dict(part.partition("=")[::2] for part in text.split(","))
    if set(named) not in ({"x", "y"}, {"wkt"}) or not all(named.values()):
        raise typer.BadParameter(f"{text!r} is neither x=...,y=... nor wkt=...", param_hint="--columns")
    return Columns(x=named.get("x"), y=named.get("y"), wkt=named.get("wkt"))


@contextmanager
def manner_of_loading(*, anywhere: bool = False, details: bool = False) -> "Iterator[Manner]":
    """How the command loads: with a progress bar, and each report as its data set is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    from layers.report import Report
    from twin.loading import Manner

    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(name: str, read: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name)
            bar.update(tasks[name], completed=read, total=total)

        def told(report: Report) -> None:
            if report.dataset in tasks:
                bar.remove_task(tasks.pop(report.dataset))
            tell(report, details=details)

        yield Manner(who=getpass.getuser(), told=told, progress=progress, anywhere=anywhere)
