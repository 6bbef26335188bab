"""`twin codes`: what a land use code of one scheme is in another."""

from typing import Annotated

import typer

from twin.commands.console import out


def codes(
    code: Annotated[str, typer.Argument(help="A land use code, such as 0701.")],
    *,
    scheme: Annotated[str, typer.Option("--from", help="Its scheme, such as GB/T 21010.")],
    other: Annotated[str, typer.Option("--to", help="The scheme to look it up in, such as TD/T 1055 or 用地用海.")],
) -> None:
    """Tell what a land use code is called in another scheme, and whether that is the same or one of several."""
    from cim_models.vocabulary import counterpart, land_use_schemes

    for name in (scheme, other):
        if name not in land_use_schemes():
            raise typer.BadParameter(f"{name!r} is no scheme; there are {', '.join(land_use_schemes())}")
    found = counterpart(scheme, code, other)
    if not found.codes:
        said = "no counterpart is written down"
    elif found.exact:
        said = f"{other} {found.codes[0]}"
    else:
        said = f"{other} {', '.join(found.codes)}: not one to one, a person must choose"
    out.print(f"{scheme} {code}: {said}", markup=False, soft_wrap=True)
