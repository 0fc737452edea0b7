"""The command `crosswind compare`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, Json, include_folders
from crosswind.errors import unknown
from crosswind.output import print_table


@app.command()
def compare(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    other: Annotated[str, typer.Argument(metavar="RUN|published", help="What it is set beside.")],
    protocol: Annotated[
        str | None,
        typer.Option(help="How a checkpoint from elsewhere was trained: zero-shot, intermediate, translate-train, …"),
    ] = None,
    include: Include = None,
    as_json: Json = False,
) -> None:
    """Set a run beside published results, where the protocols can be compared, or beside another run.

    Of two runs: what changed, the second minus the first, figure by figure, paired where their items match.
    Example: crosswind compare runs/mine published, crosswind compare runs/before runs/after
    """
    from crosswind.analysis.published import PROTOCOLS
    from crosswind.study.comparing import run_beside_published

    include_folders(include)
    if other != "published":
        if not Path(other).exists():
            raise unknown("run folder or thing to compare with", other, ["published"], where="compare")
        _beside_run(run, Path(other), as_json)
        return
    known = {name: name for name in PROTOCOLS}
    if protocol is not None and protocol not in known:
        raise unknown("protocol", protocol, known, where="--protocol")
    compared = run_beside_published(run, known[protocol] if protocol else None)
    if as_json:
        print(json.dumps(compared.to_json(), ensure_ascii=False, indent=1))
        return
    rows = [
        (
            *(row.route, row.published.task, row.published.where, row.published.key, f"{row.score:.1f}"),
            *(f"{row.published.value:.1f}", f"{row.difference:+.1f}", row.published.model),
            *(row.published.evidence, row.published.source),
        )
        for row in compared.rows
    ]
    columns = ("route", "task", "where", "key", "run", "published", "difference", "model", "evidence", "source")
    print_table(columns, rows)
    for reason, count in compared.reasons.items():
        print(f"not compared: {count} ({reason})")
    for note in compared.notes:
        print(f"note: {note}", file=sys.stderr)


def _beside_run(first: Path, second: Path, as_json: bool) -> None:
    from crosswind.study.changed import compare_runs

    change = compare_runs(first, second)
    if as_json:
        print(json.dumps(change.to_json(), ensure_ascii=False, indent=1))
        return
    columns = ("route", "target", "language", "condition", "key", "first", "second", "change", "what")
    print_table(columns, [*change.rows()])
    differ = sum(f.differs for f in change.figures)
    print(f"changed: {differ} of {len(change.figures)} figures (false discovery rate of 5 %)")
    if change.only_first or change.only_second:
        print(f"not compared: {change.only_first} figures of the first run alone, {change.only_second} of the second")
    for note in change.notes:
        print(f"note: {note}", file=sys.stderr)
