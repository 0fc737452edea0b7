"""The command `crosswind store`: what was computed and kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import Commands, app
from crosswind.cli.options import Json, StoreOption, kept_store
from crosswind.output import print_table

store_app = typer.Typer(
    cls=Commands,
    help="Look at the store of computed steps, check it, make room in it.\n\nExample: crosswind store list",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(store_app, name="store")


@store_app.command("list")
def list_store(store: StoreOption = None, as_json: Json = False) -> None:
    """List what the store holds, the largest first.

    Example: crosswind store list
    """
    from dataclasses import asdict

    opened = kept_store(store)
    entries = sorted(opened.entries(), key=lambda entry: -entry.size)
    if as_json:
        print(json.dumps([asdict(entry) for entry in entries], ensure_ascii=False, indent=1))
        return
    rows = [(e.key[:12], e.kind, e.label + " (weights dropped)" * e.dropped, f"{e.size / 2**20:,.1f}") for e in entries]
    print_table(("key", "step", "what", "MiB"), rows)
    total = sum(entry.size for entry in entries) / 2**20
    print(f"{opened.root}: {len(entries):,} steps, {total:,.1f} MiB")


@store_app.command("verify")
def verify_store(store: StoreOption = None) -> None:
    """Compute every checksum anew; exit code 1 if something is damaged (the next run computes it again).

    Example: crosswind store verify
    """
    opened = kept_store(store)
    damaged = opened.verify()
    for key in damaged:
        print(f"damaged: {key}")
    print(f"{opened.root}: {len(damaged)} damaged")
    if damaged:
        raise typer.Exit(1)


@store_app.command("prune")
def prune_store(
    keep: Annotated[list[Path] | None, typer.Option(metavar="RUN", help="Keep the steps of this run folder.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Keep nothing.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, remove nothing.")] = False,
    store: StoreOption = None,
) -> None:
    """Remove every step that none of the runs named needs. What is in use by a process stays.

    Example: crosswind store prune --keep runs/main --keep runs/pilot
    """
    from crosswind.study.status import steps_of_runs

    kept = steps_of_runs(keep or (), everything=everything)
    opened = kept_store(store)
    sizes = {entry.key: entry.size for entry in opened.entries()}
    gone = [key for key in sizes if key not in kept] if dry_run else opened.prune(kept)
    freed = sum(sizes.get(key, 0) for key in gone) / 2**20
    print(f"{opened.root}: {len(gone):,} steps {'would go' if dry_run else 'removed'}, {freed:,.1f} MiB")
