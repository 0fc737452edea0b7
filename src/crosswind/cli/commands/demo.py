"""The command `crosswind demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Out, Quiet, StoreOption, Verbose, progress, store_of
from crosswind.output import print_finished


@app.command()
def demo(
    out: Out = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Pretrain a small encoder first, instead of the shipped one.")
    ] = False,
    store: StoreOption = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Default: one a core.")] = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """See the whole mission work on artificial languages, in minutes, without a network.

    Example: crosswind demo --out runs/demo
    """
    from crosswind.study import demo as microworld
    from crosswind.study.folder import check_out
    from crosswind.study.run import run_study

    folder = out or Path("runs/demo")
    spec = microworld.demo_study(from_scratch=from_scratch)
    check_out(folder, spec.name)
    with progress(quiet) as reporter:
        finished = run_study(
            spec, out=folder, store=store_of(store), reporter=reporter, workers=workers or microworld.workers()
        )
    print_finished(finished, verbose=verbose)
