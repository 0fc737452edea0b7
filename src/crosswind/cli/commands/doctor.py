"""The command `crosswind doctor`."""

from __future__ import annotations

import json

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Json, StoreOption
from crosswind.output import print_table


@app.command()
def doctor(store: StoreOption = None, as_json: Json = False) -> None:
    """Say what works on this machine: libraries, device, data, store; exit code 1 if a needed part does not.

    Example: crosswind doctor
    """
    from crosswind.study.doctor import examine

    checks = examine(store)
    if as_json:
        print(json.dumps([check.to_json() for check in checks], ensure_ascii=False, indent=1))
    else:
        print_table(("", "what", "state"), [(check.state, check.what, check.text) for check in checks])
    if any(check.state == "broken" for check in checks):
        raise typer.Exit(1)
