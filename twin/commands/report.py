"""What an import did, for a person to read."""

from typing import TYPE_CHECKING

from rich.markup import escape

from twin.commands.console import out

if TYPE_CHECKING:
    from layers.report import Report

REASONS, ROWS = 5, 5


def tell(report: "Report", *, details: bool = False) -> None:
    """Print a data set's report: the numbers, then why rows were rejected or repaired.

    details: every row that the report keeps, not the first few.
    """
    if report.same_file:
        said = f"the same as before, {report.unchanged:,} objects unchanged"
    else:
        counts = [
            f"{count:,} {what}"
            for what in ("read", "inserted", "updated", "unchanged", "ended", "repaired", "rejected")
            if (count := getattr(report, what)) or what == "read"
        ]
        said = f"{', '.join(counts)} in {report.seconds:.1f} s"
    files = f" ({escape(', '.join(report.files))})" if report.files else ""
    out.print(f"  [bold]{report.dataset}[/bold]  {said}{files}", soft_wrap=True)
    for source, note in dict.fromkeys(report.notes):
        _line(f"{source}: {note}")
    for reason, count in report.reasons.most_common(None if details else REASONS):
        _line(f"{count:,} rejected: {reason}")
    rows = [(source, each.row, each.uid, each.reason) for source, each in report.rejects]
    rows += [(source, each.row, each.uid, f"repaired: {each.what}") for source, each in report.repairs]
    for source, row, uid, what in rows if details else rows[:ROWS]:
        _line(f"{source} row {row}{f' ({uid})' if uid else ''}: {what}")
    if len(rows) > ROWS and not details:
        _line(f"... and {report.rejected + report.repaired - ROWS:,} more rows; --details shows them")


def _line(text: str) -> None:
    # A file's own text: never read as markup.
    out.print(f"      {text}", markup=False, soft_wrap=True)
