"""The command `crosswind run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, Out, Quiet, Set, StoreOption, Verbose, include_folders, progress, store_of
from crosswind.output import print_finished, print_forecast


@app.command()
def run(
    study: Annotated[Path, typer.Argument(metavar="STUDY.yaml")],
    overrides: Set = None,
    out: Out = None,
    store: StoreOption = None,
    executor: Annotated[str, typer.Option(help="local")] = "local",
    workers: Annotated[int, typer.Option(min=1, help="Processes of one thread each.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the steps and the estimated work.")] = False,
    track: Annotated[
        list[str] | None, typer.Option(help="Also write curves and scores to tensorboard, wandb, mlflow, trackio.")
    ] = None,
    include: Include = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Run a study: train, evaluate, perturb, compare. Found again: what is there already.

    Example: crosswind run studies/real-mini.yaml --set data.root=DIR --workers 2
    """
    from crosswind.study.folder import check_out
    from crosswind.study.run import forecast, run_study
    from crosswind.study.spec import read_study
    from crosswind.study.tracked import track_run, trackers_of

    include_folders(include)
    trackers = trackers_of(track or [])
    spec = read_study(study, overrides)
    folder = out or Path("runs") / spec.name
    check_out(folder, spec.name)
    artifacts = store_of(store)
    if dry_run:
        print_forecast(forecast(spec, artifacts, executor), verbose=verbose)
        return
    with progress(quiet) as reporter:
        finished = run_study(spec, out=folder, store=artifacts, reporter=reporter, executor=executor, workers=workers)
    track_run(trackers, spec, finished, artifacts)
    print_finished(finished, verbose=verbose)
