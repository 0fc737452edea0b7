"""The command `crosswind report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, Quiet, include_folders


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN…", help="Run folders; several of one study are joined.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="The page.")] = None,
    latex: Annotated[
        bool, typer.Option("--latex", help="Tables for LaTeX (booktabs) too, beside the figures.")
    ] = False,
    include: Include = None,
    quiet: Quiet = False,
) -> None:
    """Write the report of runs that are there: several runs of one study, seeds run apart, are joined.

    The figures lie beside the page as SVG, with their data as CSV: in figures/, beside another name in NAME-figures/.
    So does the table of all comparisons (contrasts.parquet), unless the page lies in the folder of its only run.

    Example: crosswind report runs/seed1 runs/seed2 runs/seed3 -o report.html
    """
    from crosswind.report.brief import render_brief
    from crosswind.study.joined import join_runs
    from crosswind.study.reported import write_joined_report

    include_folders(include)
    run = join_runs(runs)
    path = output or (runs[0] / "report.html" if len(runs) == 1 else Path("report.html"))
    summary = write_joined_report(run, path, latex=latex)
    if not quiet:
        print(render_brief(summary))
    print(f"report: {path}")
