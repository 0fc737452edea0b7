"""The report of runs that are there."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from crosswind.analysis.official import official_scores
from crosswind.analysis.summary import Summary
from crosswind.errors import UserError
from crosswind.report.page import write_report
from crosswind.study.folder import declared_late
from crosswind.study.joined import RunResults, facts_of


def write_joined_report(run: RunResults, path: Path) -> Summary:
    """Write the page of a run, or of several joined; returns what it shows."""
    if path.is_dir():
        raise UserError("is a folder", where=str(path), hint="name a file with -o")
    summary = run.summary()
    late = [note for folder in run.paths if (note := declared_late(folder))]
    steps = [note for notes in run.rows["notes"].to_list() for note in notes]
    write_report(
        path,
        title=run.name,
        facts=facts_of(run),
        summary=summary,
        notes=[*dict.fromkeys([*late, *steps])],
        official=official_scores(run.rows.filter(pl.col("score").is_not_null())),
    )
    return summary
