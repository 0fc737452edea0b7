"""The command `crosswind list`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, Json, include_folders
from crosswind.errors import unknown
from crosswind.output import print_table, short_value


@app.command("list")
def list_things(
    what: Annotated[
        str,
        typer.Argument(
            metavar="tasks|mixtures|perturbations|languages|metrics|presets|corpora|executors|steps|stages|published"
        ),
    ],
    include: Include = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Of tasks: what is known to be wrong with the test sets, and citations.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List what there is.

    Example: crosswind list tasks
    """
    from crosswind.study.catalogue import CATALOGUE, LONG

    include_folders(include)
    if what not in CATALOGUE:
        raise unknown("list", what, CATALOGUE, where="list")
    rows = CATALOGUE[what]()
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    columns = [c for c in rows[0] if c not in LONG] if rows else []
    print_table(columns, [tuple(short_value(r[c]) for c in columns) for r in rows])
    for row in rows if verbose else ():
        if row.get("citation"):
            print(f"\n{row['name']}: {row['citation']}")
        for fault in row.get("faults", ()):
            about = f" ({' '.join(fault['languages'])})" if fault["languages"] else ""
            print(f"  known{about}: {fault['what']} [{fault['source']}]")
