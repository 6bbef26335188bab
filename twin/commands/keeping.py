"""`twin backup`, `archive`, `restore` and `prune`: the cities of this machine in a file or a folder, and back."""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.commands.console import FAILED, out, print_table, say_error, step

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
    source: Annotated[Path, typer.Argument(help="A backup, or the folder of an archive.")],
    *,
    to: Annotated[
        str | None, typer.Option(help='Moment that an archive is brought back to, e.g. "2026-08-01T14:30+08:00".')
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only read a backup and compare its checksums.")] = False,
) -> None:
    """Bring saved cities back into an empty home; what is broken is refused before anything is touched."""
    from twin.keeping import KeepingError, moments
    from twin.keeping import restore as backups
    from twin.local import local_twin

    if check:
        _tell(backups.check(source, step))
        return
    twin = local_twin(Path.cwd(), os.environ)
    if source.is_dir():
        moments.restore_moment(twin, source, _moment(to), step)
    elif to is not None:
        raise KeepingError(f"{source}: a backup is of one moment; --to is for the folder of an archive")
    else:
        _tell(backups.restore(twin, source, step))
    out.print(f"  restored in {twin.home}; `twin up` serves them", markup=False, soft_wrap=True)
    settings = twin.home / backups.SETTINGS_FILE
    if settings.exists():
        out.print(f"  the settings that were in force are in {settings}", markup=False, soft_wrap=True)


def prune(
    *,
    history: Annotated[int | None, typer.Option(min=1, help="Days to keep past beliefs. (TWIN_KEEP_HISTORY)")] = None,
    results: Annotated[int | None, typer.Option(min=1, help="Days to keep results. (TWIN_KEEP_RESULTS)")] = None,
    logs: Annotated[int | None, typer.Option(min=1, help="Days to keep logs put aside. (TWIN_KEEP_LOGS)")] = None,
    archive: Annotated[
        int | None, typer.Option(min=1, help="Days of which the archive brings every moment back. (TWIN_KEEP_ARCHIVE)")
    ] = None,
    act: Annotated[bool, typer.Option("--yes/--dry-run", help="Throw it away, or only say what would go.")] = False,
) -> None:
    """Say what the policy no longer keeps, and why; with --yes throw it away."""
    from twin.keeping.prune import Policy
    from twin.keeping.prune import prune as throw_away
    from twin.local import local_twin

    twin = local_twin(
        Path.cwd(), os.environ, keep_history=history, keep_results=results, keep_logs=logs, keep_archive=archive
    )
    kept = twin.settings
    found = throw_away(twin, Policy(kept.keep_history, kept.keep_results, kept.keep_logs, kept.keep_archive), act=act)
    if not found:
        out.print("nothing to throw away")
        return
    rows = [(each.where, each.what, f"{each.count:,}", f"{each.oldest:%Y-%m-%d}", each.why) for each in found]
    print_table(("where", "what", "count", "oldest", "why"), rows)
    if kept.keep_history is not None:
        out.print(f"what was known more than {kept.keep_history} days ago (recorded=) is then told in part only")
    out.print("thrown away" if act else "nothing is thrown away yet; add --yes to do it")


archive = typer.Typer(no_args_is_help=True, help="Archive: every moment of the cities, in a folder on another disk.")


@archive.command()
def start(folder: Annotated[Path, typer.Argument(help="Folder on another disk or machine.")]) -> None:
    """Copy the database, and from now on its log and the cities' files; again: make another copy."""
    from twin.keeping.moments import start as begin
    from twin.local import local_twin

    begin(local_twin(Path.cwd(), os.environ), folder, os.environ, step)
    out.print(f"  archived to {folder} from now on", markup=False, soft_wrap=True)


@archive.command()
def stop() -> None:
    """Bring what is there by now into the archive, and end it."""
    from twin.keeping.moments import stop as end
    from twin.local import local_twin

    folder = end(local_twin(Path.cwd(), os.environ))
    out.print(f"  archived to {folder} up to now, and no further", markup=False, soft_wrap=True)


@archive.command()
def status() -> None:
    """Say where to, and whether it arrives; exit status 1 if it does not."""
    from twin.keeping.moments import state
    from twin.local import local_twin

    found = state(local_twin(Path.cwd(), os.environ))
    if found is None:
        out.print("not archived; `twin archive start FOLDER` begins")
        return
    last = f"{found.archived_at:%Y-%m-%d %H:%M:%S} UTC" if found.archived_at else "nothing yet"
    out.print(f"archived to {found.folder}; last {last}", markup=False, soft_wrap=True)
    if found.failed_at:
        say_error(f"the last attempt failed, {found.failed_at:%Y-%m-%d %H:%M:%S} UTC; is the folder there, and room?")
        raise typer.Exit(FAILED)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} is no moment; e.g. 2026-08-01T14:30:00+08:00", param_hint="--to")
    return moment


def _tell(manifest: "Manifest") -> None:
    for city in manifest.cities:
        moment = f"{city.taken_at:%Y-%m-%d %H:%M:%S} UTC"
        rows, files = sum(city.rows.values()), len(manifest.files(city))
        out.print(f"  {city.name}  as of {moment}: {rows:,} rows in {len(city.rows)} tables, {files} files")
