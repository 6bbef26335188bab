"""`twin init`: laying a city down."""

import os
from pathlib import Path
from typing import Annotated

import typer

from twin.commands.console import out


def init(
    name: Annotated[str, typer.Argument(help="Name in addresses: lower-case letters, digits and _.")],
    *,
    metric_crs: Annotated[
        str, typer.Option(help="Projected CRS in metres in which the city is measured, e.g. EPSG:4549.")
    ],
    title: Annotated[str | None, typer.Option(help="Title in English. (default: the name)")] = None,
    title_zh: Annotated[str | None, typer.Option(help="Title in Chinese. (default: the English one)")] = None,
    srid: Annotated[int, typer.Option(help="Geographic CRS that it is stored in: 4326, or 4490 (CGCS2000).")] = 4326,
    datum: Annotated[str, typer.Option(help="Vertical datum of all its heights.")] = "unknown",
    zone: Annotated[str, typer.Option(help="Time zone, e.g. Asia/Shanghai; a bare date is a day there.")] = "UTC",
) -> None:
    """Lay a city down, empty. What is said here is never changed after."""
    from cim_models.database import CitySpec
    from twin.local import local_twin
    from twin.own_token import ensure_own_token

    english = title or name
    spec = CitySpec(
        name=name,
        title_zh=title_zh or english,
        title_en=english,
        srid=srid,
        metric_srid=_epsg(metric_crs),
        vertical_datum=datum,
        time_zone=_zone(zone),
    )
    twin = local_twin(Path.cwd(), os.environ)
    with twin.database():
        place = twin.directory.create(spec)
        ensure_own_token(twin.token_file, [place])
    out.print(
        f"{spec.title_en} is laid down; fill it with `twin load --city {name} FILE`", markup=False, soft_wrap=True
    )


def _epsg(text: str) -> int:
    code = text.upper().removeprefix("EPSG:")
    if not code.isdigit():
        raise typer.BadParameter(f"{text!r} is no EPSG code; e.g. EPSG:4549", param_hint="--metric-crs")
    return int(code)


def _zone(text: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise typer.BadParameter(f"{text!r} is no time zone; e.g. Asia/Shanghai", param_hint="--zone") from None
