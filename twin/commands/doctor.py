"""`twin doctor`: what is missing, and the command that helps."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from twin.commands.console import out

if TYPE_CHECKING:
    from twin.doctor import Finding

UNWELL = 1


def doctor() -> None:
    """Look at this machine: what a twin needs, what is missing, what helps. Exit status 1 if it cannot run."""
    from twin.doctor import machine, packages

    findings = packages()
    for finding in findings:
        _tell(finding)
    if all(finding.well for finding in findings):
        # Only now: without its packages nothing else can be looked at.
        from twin.local import local_twin

        for finding in machine(local_twin(Path.cwd(), os.environ)):
            _tell(finding)
            findings.append(finding)
    if any(finding.required and not finding.well for finding in findings):
        raise typer.Exit(UNWELL)


def _tell(finding: "Finding") -> None:
    mark = "[green]ok[/green]" if finding.well else "[red]no[/red]" if finding.required else "[yellow]--[/yellow]"
    out.print(f"{mark}  {finding.subject:<12} ", end="")
    out.print(finding.said, markup=False, soft_wrap=True)
    if finding.help:
        out.print(f"    {'':<12} {finding.help}", markup=False, soft_wrap=True, style="bold")
