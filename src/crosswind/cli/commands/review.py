"""The command `crosswind review`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Json
from crosswind.output import print_table


@app.command("review")
def review_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What crosswind perturb --review wrote.")],
    answers: Annotated[list[Path], typer.Argument(metavar="ANSWERS...", help="The CSV files of the annotators.")],
    as_json: Json = False,
) -> None:
    """Validity, human accuracy, naturalness and agreement of a review that annotators sent back.

    Example: crosswind review reviews/xnli-de answers-1.csv answers-2.csv
    """
    from crosswind.study.review import read_review

    reviewed = read_review(folder, answers)
    if as_json:
        print(json.dumps(reviewed.to_json(), ensure_ascii=False, indent=1))
        return
    print(f"{reviewed.spec} on {reviewed.task}, {reviewed.language}")
    shares = (
        ("validity", reviewed.validity),
        ("human accuracy, perturbed", reviewed.accuracy),
        ("human accuracy, clean", reviewed.clean_accuracy),
    )
    rows = [
        (name, f"{100 * e.value:.1f} %", f"{100 * e.low:.1f} to {100 * e.high:.1f}", str(e.n)) for name, e in shares
    ]
    others = (
        ("naturalness (1 to 5), perturbed", reviewed.naturalness),
        ("naturalness (1 to 5), clean", reviewed.clean_naturalness),
        ("agreement on labels (alpha)", reviewed.agreement),
        ("agreement on grades (alpha)", reviewed.grade_agreement),
    )
    rows += [(name, f"{e.value:.2f}", f"{e.low:.2f} to {e.high:.2f}", str(e.n)) for name, e in others]
    print_table(("", "value", "95 % interval", "items"), rows)
    for name, hit, count in reviewed.caught:
        print(f"{name}: {hit} of {count} catch items answered as they say")
