"""The command `crosswind status`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, Json, StoreOption, include_folders, store_of
from crosswind.output import print_table


@app.command()
def status(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    store: StoreOption = None,
    include: Include = None,
    as_json: Json = False,
) -> None:
    """Say how far a run is: what is computed, what is missing, whether a process works on it.

    Example: crosswind status runs/demo
    """
    from crosswind.study.status import status_of

    include_folders(include)
    state = status_of(run, store_of(store))
    if as_json:
        print(json.dumps(state.to_json(), ensure_ascii=False, indent=1))
        return
    print_table(("step", "there", "of"), [(kind, str(n), str(of)) for kind, (n, of) in state.kinds.items()])
    print(f"{state.name}: {state.cells_there} of {state.cells} cells; {state.share:.0%} of the work is done")
    print("a process works on it" if state.running else f"no process works on it; to go on: {state.command}")
