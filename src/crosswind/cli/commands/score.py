"""The command `crosswind score`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, Json, include_folders
from crosswind.output import print_line, print_table

if TYPE_CHECKING:
    from crosswind.evaluate.score import TaskScore


def _headline(scores: Mapping[str, float], task: TaskScore) -> float:
    """A language's score on the first of its task's keys that the mean over languages has."""
    return scores[next(iter(task.average))]


@app.command()
def score(
    predictions: Annotated[Path, typer.Argument(metavar="PREDICTIONS")],
    labels: Annotated[Path, typer.Argument(metavar="LABELS")],
    benchmark: Annotated[str, typer.Option(help="xtreme or xtreme-r")] = "xtreme-r",
    allow_missing: Annotated[bool, typer.Option("--allow-missing", help="Average over what is there.")] = False,
    suite: Annotated[
        str | None,
        typer.Option(metavar="SUITE", help="Refuse LABELS that are not as this frozen suite makes them."),
    ] = None,
    include: Include = None,
    as_json: Json = False,
) -> None:
    """Score official submission folders, PREDICTIONS/{task}/test-{language}.{tsv,json,jsonl}.

    Example: crosswind score predictions labels --benchmark xtreme --allow-missing
    """
    from crosswind.evaluate.score import score_folder

    include_folders(include)
    said: list[str] = []
    if suite is not None:
        from crosswind.study.suites import require_suite

        said = require_suite(labels, suite)
    scores = score_folder(predictions, labels, benchmark, allow_missing=allow_missing)
    scores = replace(scores, notes=(*scores.notes, *said))
    if as_json:
        print(json.dumps(scores.to_json(), ensure_ascii=False, indent=1))
        return
    rows = [
        (name, str(len(t.languages)), "  ".join(f"{k} {v:.2f}" for k, v in t.average.items()), f"{t.score:.2f}")
        for name, t in scores.tasks.items()
    ]
    print_table(("task", "languages", "mean over languages", "score"), rows)
    print(f"{benchmark}: {scores.score:.2f}, the mean of {', '.join(scores.averaged)}")
    for group, value in scores.groups.items():
        print(f"{group}: {value:.2f}")
    if scores.missing:
        print(f"missing: {', '.join(scores.missing)}")
    if scores.ignored:
        print(f"not in {benchmark}, left out: {', '.join(scores.ignored)}")
    unanswered = {name: task.unanswered for name, task in scores.tasks.items() if task.unanswered}
    by_task = f", which scored 0 ({', '.join(f'{name} {n}' for name, n in unanswered.items())})" if unanswered else ""
    if unanswered:
        print(f"unanswered: {sum(unanswered.values())} questions{by_task}")
    for name, task in scores.tasks.items():
        if len(task.languages) > 1:
            by_language = (f"{x} {_headline(of_x, task):.2f}" for x, of_x in sorted(task.languages.items()))
            print_line(f"{name} by language: {', '.join(by_language)}")
    for note in scores.notes:
        print(f"note: {note}")
