"""The command `crosswind pretrain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, Quiet, Set, StoreOption, include_folders, progress, store_of


@app.command()
def pretrain(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.yaml")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the checkpoint goes.")],
    overrides: Set = None,
    store: StoreOption = None,
    include: Include = None,
    quiet: Quiet = False,
) -> None:
    """Pretrain an encoder (masked LM, translation LM) from raw and parallel text, or go on with one.

    Example: crosswind pretrain tiny.yaml --out encoders/tiny
    """
    from crosswind.study.pretrain import pretrain_into, read_config

    include_folders(include)
    spec = read_config(config, overrides)
    with progress(quiet) as reporter:
        facts = pretrain_into(spec, out, store_of(store), reporter)
    loss = facts["losses"][-1][1]
    print(f"{out}: {facts['steps']} steps, last mean loss {loss:.3f} nats, {facts['tokens']:,} tokens")
