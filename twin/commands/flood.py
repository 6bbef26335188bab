"""`twin flood`: how far the flood engine may be trusted, found out here and now."""

from pathlib import Path
from typing import Annotated

import typer

from twin.commands.console import out

flood = typer.Typer(no_args_is_help=True, help="Floods: how far the engine may be trusted.")


@flood.callback()
def _group() -> None:
    """Keeps `validate` a verb of its own while it is the only one."""


@flood.command()
def validate(
    *,
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder with flood/.")],
    write: Annotated[Path | None, typer.Option(help="Page to write, its pictures beside it in images/.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Only begin the two real places, and do not judge them.")
    ] = False,
) -> None:
    """Run exact, modelled and observed cases, print what is found beside what should be, and fail if one is not met."""
    from twin.flood.errors import FloodError
    from twin.flood.validation.draw import draw
    from twin.flood.validation.ladder import climb
    from twin.flood.validation.report import page
    from twin.flood.validation.rows import Row

    def tell(row: Row) -> None:
        figure = ", ".join(filter(None, (row.case, row.mode, row.figure)))
        out.print(f"  {'ok ' if row.good else 'NOT'} {figure}: {row.found} (should be {row.expected})")

    ladder = climb(data, tell, quick=quick)
    if write is not None:
        write.write_text(page(ladder), encoding="utf-8")
        draw(write.parent / "images", ladder)
        out.print(f"  written to {write}")
    failed = sum(not row.good for row in ladder.rows)
    if failed:
        raise FloodError(f"{failed} of {len(ladder.rows)} figures are not met; see the lines marked NOT")
