"""The command `crosswind claims`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, Json, include_folders
from crosswind.output import print_line, print_table

if TYPE_CHECKING:
    from crosswind.study.claimed import ClaimsReport


@app.command()
def claims(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN… [CLAIMS.yaml]",
            help="Runs of one study; claims, a file or a name.",
        ),
    ],
    include: Include = None,
    as_json: Json = False,
) -> None:
    """Judge claims by a run: supported, refuted, undecided or not tested. Exit code 1 if one is refuted.

    Without a file those of the package are judged: crosswind-question, phang2020. Runs of several encoders are judged
    one by one, then by what they agree on. A run on development data beside them is what routes are chosen on.
    A name that nobody knows is an error (exit code 2).

    Example: crosswind claims runs/mine phang2020
    """
    from crosswind.study.claimed import claims_unlike_kept, judge_runs, runs_and_files

    include_folders(include)
    runs, files = runs_and_files(what)
    reports = [report for file in files for report in judge_runs(runs, file)]
    if as_json:
        entries = [entry for report in reports for entry in report.to_json()]
        print(json.dumps(entries, ensure_ascii=False, indent=1))
    else:
        for report in reports:
            _print(report)
    for note in claims_unlike_kept(runs, files):
        print(f"note: {note}", file=sys.stderr)
    if (mistyped := next((report.unknown for report in reports if report.unknown), None)) is not None:
        raise mistyped
    if any(judged.verdict == "refuted" for report in reports for judged in report.judged):
        raise typer.Exit(1)


def _print(report: ClaimsReport) -> None:
    from crosswind.analysis.claims import counted_verdicts

    print_line(f"{report.file.name}: {report.file.summary} (by {report.encoder_words})")
    rows = [
        (
            judged.claim.id,
            judged.verdict + (f" (analogue: {judged.analogue})" if judged.analogue else ""),
            report.statement(judged),
            "; ".join(finding.text for finding in judged.findings),
            report.published.get(judged.claim.id, ""),
        )
        for judged in report.judged
    ]
    print_table(("claim", "verdict", "statement", "what the run shows", "published"), rows)
    for judged in report.judged:
        if judged.outside:
            print_line(f"not tested: {judged.claim.id}: {judged.outside}")
        if judged.remark:
            print_line(f"in scope: {judged.claim.id}: {judged.remark}")
    print(f"claims {counted_verdicts(report.judged)}\n")
