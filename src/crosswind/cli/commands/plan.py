"""The command `crosswind plan`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, Json, include_folders


@app.command()
def plan(
    what: Annotated[Path, typer.Argument(metavar="RUN|STUDY.yaml")],
    effect: Annotated[float, typer.Option(help="The size that is to be seen, in points.")],
    pilot: Annotated[list[Path] | None, typer.Option(help="A run to take the variances from.")] = None,
    include: Include = None,
    as_json: Json = False,
) -> None:
    """Say how many seeds, items and draws would show an effect of this size, and what they cost.

    Example: crosswind plan runs/real-mini --effect 2
    """
    from crosswind.study.power import power_plan

    include_folders(include)
    made = power_plan(what, effect, pilot or [])
    if as_json:
        print(json.dumps(made.to_json(), ensure_ascii=False, indent=1))
        return
    for line in (*made.lines(), *(f"note: {note}" for note in made.notes)):
        print(line)
