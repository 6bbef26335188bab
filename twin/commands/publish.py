"""`twin publish`: a table or view that stands in the city's database becomes a layer as it is."""

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer

from twin.commands.console import out


def publish(
    table: Annotated[str, typer.Argument(help="schema.table or schema.view; with --remove, the layer.")],
    *,
    layer: Annotated[str | None, typer.Option(help="Id of the layer. (default: the table's name)")] = None,
    title: Annotated[str | None, typer.Option(help="What people read. (default: the table's name)")] = None,
    key: Annotated[str | None, typer.Option(help="Column that tells rows apart. (default: the primary key)")] = None,
    geometry: Annotated[str | None, typer.Option(help="Column to show, where there are several.")] = None,
    index: Annotated[bool, typer.Option("--index", help="Make the index that quick tiles need.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take a published layer away; its table stays.")] = False,
    city: Annotated[str | None, typer.Option(help="Name of the city. (default: the default city)")] = None,
) -> None:
    """Publish a table or view of the city's database as a layer: seen at once, nothing copied, nothing changed."""
    from layers.publish import publish as publish_table
    from layers.publish import unpublish
    from twin.local import local_twin

    twin = local_twin(Path.cwd(), os.environ)
    with twin.database():
        url = twin.directory.find(city).url
        if remove:
            unpublish(url, table, who=getpass.getuser())
            out.print(f"{table} is no layer any more; its table is as it was", markup=False)
            return
        found = publish_table(
            url, table, who=getpass.getuser(), layer=layer, title=title, key=key, geometry=geometry, index=index
        )
    out.print(
        f"  {found.layer}  {found.rows:,} rows of the {found.kind} {found.source}, told apart by {found.key}, shown by"
        f" {found.geometry} (EPSG:{found.srid})",
        markup=False,
        soft_wrap=True,
    )
    for note in found.notes:
        out.print(f"      {note}", markup=False, soft_wrap=True)
