"""The command `crosswind audit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, Json, include_folders
from crosswind.output import print_table


@app.command()
def audit(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN…", help="A run folder, or several of one study.")],
    include: Include = None,
    as_json: Json = False,
) -> None:
    """Review a run itself: seeds, floors, budgets, overlap, missing cells, … Exit code 1 if a review fails.

    Example: crosswind audit runs/mine
    """
    from crosswind.study.audit import REVIEWS
    from crosswind.study.audited import audit_runs

    include_folders(include)
    audited = audit_runs(runs)
    passed, failed, silent = audited.counts
    if as_json:
        print(json.dumps(audited.to_json(), ensure_ascii=False, indent=1))
    else:
        words = {True: "passes", False: "fails", None: "–"}
        rows = [(words[s.passed], name, REVIEWS[name].question, s.evidence) for name, s in audited.seen.items()]
        print_table(("", "review", "question", "evidence"), rows)
        score = "" if audited.score is None else f"; {audited.score:.1f} of ten of those that say something"
        print(f"{passed} pass, {failed} fail, {silent} have nothing to say{score}")
    if failed:
        raise typer.Exit(1)
