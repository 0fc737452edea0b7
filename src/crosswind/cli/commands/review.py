"""The command `crosswind review`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, Json, include_folders
from crosswind.errors import UserError
from crosswind.output import lines_out, print_table

if TYPE_CHECKING:
    from crosswind.study.calibrated import Calibration
    from crosswind.study.review import Reviewed


@app.command("review")
def review_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What crosswind perturb --review wrote.")],
    answers: Annotated[list[Path], typer.Argument(metavar="ANSWERS...", help="The CSV files of the annotators.")],
    calibrate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONSTRAINT",
            help="Find the threshold at which perturbed items stay valid: chrf, edit-rate, similarity(model=DIR).",
        ),
    ] = None,
    validity: Annotated[
        float | None, typer.Option(help="The share of valid items that --calibrate asks for. [default: 0.9]")
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Of --calibrate: the constraints as YAML for a study."),
    ] = None,
    as_json: Json = False,
    include: Include = None,
) -> None:
    """Validity, human accuracy, naturalness and agreement of a review that annotators sent back.

    Example: crosswind review reviews/xnli-de answers-1.csv answers-2.csv --calibrate chrf
    """
    from crosswind.study.calibrated import calibrate as calibrate_constraints
    from crosswind.study.calibrated import clean_validity, constraints_file
    from crosswind.study.review import answered_review, what_answers_say

    include_folders(include)
    for option, given in (("--output", target), ("--validity", validity)):
        if given is not None and not calibrate:
            raise UserError("no constraint is calibrated", where=option, hint="name one: --calibrate chrf")
    asked_share = 0.9 if validity is None else validity
    review = answered_review(folder, answers)
    reviewed = what_answers_say(review, answers)
    calibrations = calibrate_constraints(review, calibrate, asked_share, folder) if calibrate else []
    if as_json:
        more = {"calibrations": [c.to_json() for c in calibrations]} if calibrations else {}
        print(json.dumps(reviewed.to_json() | more, ensure_ascii=False, indent=1))
    else:
        _print_review(reviewed)
        for made in calibrations:
            _print_calibration(made)
        if calibrations and (clean := clean_validity(review)) < asked_share:
            asked = f"{100 * asked_share:g} % that are asked of perturbed ones"
            print(f"note: of the clean items {100 * clean:.1f} % are valid, fewer than the {asked}")
    if target is not None:
        text = constraints_file(calibrations, review)
        with lines_out(target) as write:
            write(text.encode())


def _print_review(reviewed: Reviewed) -> None:
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
    for name, e in others:
        # Where all verdicts are the same, there is no agreement beyond chance to speak of; where all items are alike,
        # there is no interval.
        value = f"{e.value:.2f}" if math.isfinite(e.value) else "–"
        rows.append((name, value, f"{e.low:.2f} to {e.high:.2f}" if math.isfinite(e.low) else "", str(e.n)))
    print_table(("", "value", "95 % interval", "items"), rows)
    for name, hit, count in reviewed.caught:
        missed = "; who misses them may not have read the others" if hit < count else ""
        print(f"{name}: {hit} of {count} catch items answered as they say{missed}")


def _print_calibration(made: Calibration) -> None:
    print()
    rows = [
        (
            f"{level.threshold:g}",
            str(level.items),
            f"{100 * level.valid / level.items:.1f} %",
            f"{100 * level.low:.1f} to {100 * level.high:.1f}",
            "proposed" if level == made.chosen else "",
        )
        for level in made.levels
    ]
    print_table((f"{made.constraint}: {made.side}", "items", "valid", "95 % interval", ""), rows)
    print(f"{made.proposed or made.constraint}: {made.finding}")
