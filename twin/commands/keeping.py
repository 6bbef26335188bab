"""`twin backup` and `restore`: the cities of this machine in one file, and back."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.commands.console import out, step

if TYPE_CHECKING:
    from twin.keeping.manifest import Manifest


def backup(file: Annotated[Path, typer.Argument(help="File to make; it must not be there yet.")]) -> None:
    """Save every city, its files, the settings and your token in one file, while others go on editing."""
    from twin.keeping.backup import backup as save
    from twin.local import local_twin

    manifest = save(local_twin(Path.cwd(), os.environ), file, os.environ, step)
    _tell(manifest)
    out.print(f"  saved in {file}, {file.stat().st_size / 1e6:,.1f} MB; it holds secrets", markup=False, soft_wrap=True)


def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    *,
    check: Annotated[bool, typer.Option("--check", help="Only read it and compare its checksums.")] = False,
) -> None:
    """Bring the cities of a backup back into an empty home; a broken one is refused before anything is touched."""
    from twin.keeping import restore as keeping
    from twin.local import local_twin

    if check:
        _tell(keeping.check(file, step))
        return
    twin = local_twin(Path.cwd(), os.environ)
    manifest = keeping.restore(twin, file, step)
    _tell(manifest)
    out.print(f"  restored in {twin.home}; `twin up` serves them", markup=False, soft_wrap=True)
    if manifest.settings:
        told = f"  the settings that were in force are in {twin.home / keeping.SETTINGS_FILE}"
        out.print(told, markup=False, soft_wrap=True)


def _tell(manifest: "Manifest") -> None:
    for city in manifest.cities:
        moment = f"{city.taken_at:%Y-%m-%d %H:%M:%S} UTC"
        rows, files = sum(city.rows.values()), len(manifest.files(city))
        out.print(f"  {city.name}  as of {moment}: {rows:,} rows in {len(city.rows)} tables, {files} files")
