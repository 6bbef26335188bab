"""`twin check`: a layer looked over, told here, on a page and on the map."""

import getpass
import os
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from twin.commands.console import out

FEWEST = 0.999


def check(
    layer: Annotated[str, typer.Argument(help="Id of the layer; `twin layers` lists them.")],
    *,
    page: Annotated[Path | None, typer.Option(help="Write the report to this .html file too.")] = None,
    server: Annotated[str, typer.Option(help="Address of the city, for the page's links into its viewer.")] = "",
    city: Annotated[str | None, typer.Option(help="Name of the city. (default: the default city)")] = None,
) -> None:
    """Look a layer over: completeness, validity, duplicates, overlaps and gaps, heights, stale editions, CIM levels.

    Each finding becomes an object of the layer check_LAYER, to be seen on the map.
    """
    from layers.check import check as look_over
    from layers.check import delivery
    from layers.load import load
    from twin.check_page import write_page
    from twin.local import local_twin

    twin = local_twin(Path.cwd(), os.environ)
    with twin.database():
        place = twin.directory.find(city)
        findings = look_over(place.url, layer, home=place.files, today=date.today())
        if findings.objects:
            load(place.url, [delivery(place.url, findings)], who=getpass.getuser(), home=place.files)
    out.print(f"  [bold]{layer}[/bold]  {findings.objects:,} objects, {len(findings.found):,} findings")
    for kind, count in Counter(each.kind for each in findings.found).most_common():
        first = next(each for each in findings.found if each.kind == kind)
        _line(f"{count:,} {kind}: {first.en}; {first.zh} (object {', '.join(map(str, first.objects[:3]))})")
    lacking = [f"{name} {share:.0%}" for name, share in findings.filled.items() if share < FEWEST]
    if lacking:
        _line(f"filled in part: {', '.join(lacking)}")
    for zh, en in findings.remarks:
        _line(f"{en}; {zh}")
    if findings.objects:
        _line(f"on the map: the layer check_{layer}")
    if page is not None:
        write_page(findings, page, base=server.rstrip("/"))
        _line(f"report: {page}")


def _line(text: str) -> None:
    out.print(f"      {text}", markup=False, soft_wrap=True)
