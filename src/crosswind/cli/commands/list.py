"""The command `crosswind list`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, Json, include_folders
from crosswind.errors import UserError, unknown
from crosswind.output import print_table, short_value

MATRIX_KEY = """Of the 50 languages of XTREME-R those in which it applies; + those in which it does once it is given
what it needs (a lexicon, a table, a model); - where it does not. Which ones, and why not: --json."""


@app.command("list")
def list_things(
    what: Annotated[
        str,
        typer.Argument(
            metavar="tasks|mixtures|perturbations|recipes|languages|metrics|presets|corpora|executors|steps|stages|"
            "published"
        ),
    ],
    include: Include = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Of tasks: what is known to be wrong with the test sets, and citations.")
    ] = False,
    matrix: Annotated[
        bool,
        typer.Option(
            "--matrix", help="Of perturbations and recipes: where each applies, kinds of examples by languages."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """List what there is.

    Example: crosswind list tasks; crosswind list perturbations --matrix
    """
    from crosswind.study.catalogue import (
        CATALOGUE,
        LONG,
        perturbation_cells,
        perturbation_matrix,
        recipe_listing,
        recipe_matrix,
    )

    include_folders(include)
    if matrix:
        if what not in ("perturbations", "recipes"):
            raise UserError(f"{what} have no matrix", where="--matrix", hint="crosswind list perturbations --matrix")
        if as_json:
            cells = perturbation_cells() if what == "perturbations" else recipe_listing()
            print(json.dumps(cells, ensure_ascii=False))
            return
        counts = perturbation_matrix() if what == "perturbations" else recipe_matrix()
        print_table([*counts[0]], [tuple(row.values()) for row in counts])
        print(MATRIX_KEY)
        return
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
