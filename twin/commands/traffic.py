"""`twin traffic`: how far the engine may be trusted, found out here and now, and trips from others' files."""

from pathlib import Path
from typing import Annotated

import typer

from twin.commands.console import out

traffic = typer.Typer(no_args_is_help=True, help="Traffic: how far the engine may be trusted, and trips from files.")


@traffic.command()
def trips(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Matrix of trips: .omx or TNTP.")],
    *,
    write: Annotated[Path, typer.Option(help="Table to write: origin, destination, trips.")],
    matrix: Annotated[str | None, typer.Option(help="Which matrix of an OMX file.")] = None,
    lookup: Annotated[str | None, typer.Option(help="Which of an OMX file's lookups names the zones.")] = None,
) -> None:
    """Write a matrix as the table of trips that the scenario takes (demand "csv")."""
    from twin.traffic.demand import write_csv

    if file.suffix.lower() == ".omx":
        from twin.traffic.readers import omx

        demand = omx.read_trips(file, matrix, lookup=lookup)
    else:
        from twin.traffic.readers import tntp

        demand = tntp.read_trips(file)
    write_csv(write, demand)
    out.print(f"{demand.total:,.0f} trips between {len(demand.zones)} zones written to {write}")


@traffic.command()
def validate(
    *,
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder with traffic/ and lyon/.")],
    write: Annotated[Path | None, typer.Option(help="Page to write, its pictures beside it in images/.")] = None,
) -> None:
    """Run the published and counted cases, print what is found beside what should be, and fail if one is not met."""
    from twin.traffic.errors import TrafficError
    from twin.traffic.validation import report
    from twin.traffic.validation.cases import Row

    def tell(row: Row) -> None:
        out.print(f"  {'ok ' if row.good else 'NOT'} {row.case}: {row.figure}: {row.found} (should be {row.expected})")

    rows, solved, simulated, counters = report.run(data, tell)
    for each in counters:
        out.print(f"      Lyon, {each.name}: {each.simulated:,.0f} veh/h simulated, {each.counted:,.0f} counted")
    if write is not None:
        write.write_text(report.page(rows, solved, simulated, counters), encoding="utf-8")
        report.draw(write.parent / "images", solved, simulated)
        out.print(f"  written to {write}")
    failed = sum(not row.good for row in rows)
    if failed:
        raise TrafficError(f"{failed} of {len(rows)} figures are not met; see the lines marked NOT")
