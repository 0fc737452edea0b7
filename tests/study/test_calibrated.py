"""Constraints calibrated by reviews: thresholds of verdicts whose truth is known, and what is proposed and written."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.stats import binomtest
from typer.testing import CliRunner

from crosswind.analysis.agreement import wilson_interval
from crosswind.cli import app
from crosswind.data.examples import ChoiceExample, Dataset, PairExample
from crosswind.errors import UserError
from crosswind.perturb.constraint import NamedConstraint, parse_constraints
from crosswind.perturb.damage import chrf
from crosswind.perturb.passage import Passage
from crosswind.perturb.spec import parse_spec
from crosswind.study.calibrated import AnsweredReview, calibrate, calibrated, constraints_file
from crosswind.study.review import answered_review, make_review

LABELS = ("entailment", "neutral", "contradiction")
TEXT = "The little boy is reading a great book in the garden behind his house, number"


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        # Newcombe 1998 (Two-sided confidence intervals for the single proportion), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_an_interval_is_that_of_the_published_examples_and_of_scipy(
    count: int, of: int, low: float, high: float
) -> None:
    assert wilson_interval(count, of) == pytest.approx((low, high), abs=5e-5)
    other = binomtest(count, of).proportion_ci(method="wilson")
    assert wilson_interval(count, of) == pytest.approx((other.low, other.high), abs=1e-12)


def test_the_loosest_threshold_whose_interval_lies_above_the_share_is_proposed() -> None:
    measures = [i / 100 for i in range(100, 0, -1)]
    made = calibrated(NamedConstraint("edit-rate"), measures, [m <= 0.5 for m in measures], 0.9)
    assert [(v.threshold, v.items, v.valid) for v in made.levels] == [
        (0.1, 10, 10), (0.2, 20, 20), (0.3, 30, 30), (0.4, 40, 40), (0.5, 50, 50),
        (0.6, 60, 50), (0.7, 70, 50), (0.8, 80, 50), (0.9, 90, 50), (1.0, 100, 50),
    ]  # fmt: skip
    # n / (n + 1.96²): of 30 valid items 0.8865, of 40 0.9124, of 50 0.9287.
    assert [round(v.low, 4) for v in made.levels[2:5]] == [0.8865, 0.9124, 0.9287]
    assert made.chosen == made.levels[4]
    assert made.proposed == "edit-rate(most=0.5)"
    assert made.finding == "of 50 items within it 50 are valid, at 95 % 92.9 to 100.0 %, so at least 90 %"
    # At 80 % the sixth tenth would do as a share (50 of 60), and not by its interval (0.72).
    assert calibrated(NamedConstraint("edit-rate"), measures, [m <= 0.5 for m in measures], 0.8).chosen == made.chosen


def test_a_least_value_is_looked_for_from_above() -> None:
    measures = [100 - i for i in range(50)]
    made = calibrated(NamedConstraint("chrf"), measures, [True] * 50, 0.9)
    assert [(v.threshold, v.items) for v in made.levels[:2]] == [(96, 5), (91, 10)]
    assert made.proposed == "chrf(least=51)"
    assert made.finding.endswith("so at least 90 %; nothing beyond it was reviewed")


def test_the_written_number_lets_through_the_items_that_were_counted() -> None:
    measures = [1 / 3] * 20 + [2 / 7] * 20
    made = calibrated(NamedConstraint("edit-rate"), measures, [True] * 40, 0.9)
    assert [(v.threshold, v.items) for v in made.levels] == [(0.2858, 20), (0.3334, 40)]
    made = calibrated(NamedConstraint("chrf"), [200 / 3] * 40, [True] * 40, 0.9)
    assert made.proposed == "chrf(least=66.66)"


def test_too_few_verdicts_and_too_few_valid_items_are_told_apart() -> None:
    few = calibrated(NamedConstraint("chrf"), [90.0] * 34, [True] * 34, 0.9)
    assert (few.proposed, few.needed) == (None, 35)
    assert few.finding == (
        "too few verdicts: 34 items cannot say that 90 % are valid, even if all are; at least 35 are needed"
    )
    assert calibrated(NamedConstraint("chrf"), [90.0] * 35, [True] * 35, 0.9).proposed == "chrf(least=90)"
    finding = calibrated(NamedConstraint("chrf"), [90.0] * 60, [True] * 50 + [False] * 10, 0.9).finding
    assert finding == "at no threshold the interval lies above 90 %: too few items are valid, or too few were judged"


def test_a_threshold_of_which_too_little_is_valid_is_seldom_proposed() -> None:
    random = np.random.default_rng(7)
    proposed = 0
    for _ in range(400):
        valid = random.random(100) < 0.9  # exactly the share asked for, whatever is measured
        made = calibrated(NamedConstraint("edit-rate"), random.random(100), valid.tolist(), 0.9)
        proposed += made.proposed is not None
    # One threshold alone would be at most 2.5 % of the time; ten that hold one another are looked at.
    assert proposed / 400 < 0.1


def reviewed(folder: Path, count: int, *, valid: float) -> tuple[list[Path], dict[str, list[list[str]]]]:
    """A review of swaps, and sheets of two annotators, one of whom errs where chrF is below `valid`."""
    examples = [
        PairExample(f"x/{i}", f"x/{i}", "en", f"{TEXT} {i}.", "Somebody reads.", i % 3) for i in range(3 * count)
    ]
    data = Dataset("xnli", "en", "test", tuple(examples), fingerprint="f")
    make_review(parse_spec("swap:0.1"), data, count, folder)
    about = json.loads((folder / "key.json").read_text())
    changed = {code: item["changed"] for code, item in about["items"].items() if item["kind"] == "perturbed"}
    sheets = []
    for number in (1, 2):
        sheets.append(folder.parent / f"answers-{number}.csv")
        with sheets[-1].open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("item", "label", "naturalness"))
            for code, item in about["items"].items():
                low = min((chrf(a, b) for a, b, _ in changed.get(code, ())), default=100.0)
                err = number == 2 and low < valid
                label = LABELS[(LABELS.index(item["gold"]) + err) % 3]
                writer.writerow((code, label, item["grade"] or 4))
    return sheets, changed


def test_a_review_proposes_constraints_that_a_study_accepts(tmp_path: Path) -> None:
    folder = tmp_path / "review"
    sheets, changed = reviewed(folder, 60, valid=60)
    texts = [f"{TEXT} {i}." for i in range(180)]
    for before, after, language in (text for some in changed.values() for text in some):
        assert before in [*texts, "Somebody reads."]
        assert (before != after, language) == (True, "en")
    worst = sorted(min(chrf(a, b) for a, b, _ in some) for some in changed.values())
    assert sum(value >= 60 for value in worst) >= 40
    assert worst[0] < 40
    target = tmp_path / "constraints.yaml"
    arguments = ["review", str(folder), *map(str, sheets), "--calibrate", "chrf", "--calibrate", "edit-rate"]
    ran = CliRunner().invoke(app, [*arguments, "--validity", "0.8", "-o", str(target)])
    assert ran.exit_code == 0, ran.output
    written = yaml.safe_load(target.read_text())["constraints"]
    assert len(written) == 2
    for text in written:
        assert f"{text}: of " in ran.output
        (named,) = parse_constraints([text])
        check = named.made().check
        assert check is not None
        passed = sum(
            all(check([(Passage.line(a, language), Passage.line(b, language)) for a, b, language in some]))
            for some in changed.values()
        )
        (made,) = calibrate(answered_review(folder, sheets), [named.name], 0.8, folder)
        assert made.chosen is not None
        assert (made.proposed, made.chosen.items) == (text, passed)
    (chrf_floor,) = (w for w in written if w.startswith("chrf"))
    # Valid are those of 60 and more; how far below the eighth part of invalid ones may lie the sample says.
    assert 50 < float(chrf_floor.removeprefix("chrf(least=").removesuffix(")")) < 67
    shown = CliRunner().invoke(app, [*arguments, "--validity", "0.8", "--json"])
    assert [c["proposed"] for c in json.loads(shown.stdout)["calibrations"]] == written


def test_parts_that_change_places_are_one_text(tmp_path: Path) -> None:
    examples = [
        ChoiceExample(f"c/{i}", f"c/{i}", "en", f"The man fell {i}.", "Why?", ("He was pushed.", "He sang."), i % 2)
        for i in range(12)
    ]
    data = Dataset("xcopa", "en", "test", tuple(examples), fingerprint="f")
    make_review(parse_spec("option-order:1"), data, 4, tmp_path / "review")
    items = json.loads((tmp_path / "review" / "key.json").read_text())["items"].values()
    moved = [item["changed"] for item in items if item["kind"] == "perturbed"]
    assert len(moved) == 4
    for ((before, after, _),) in moved:
        assert before.split("\x1e")[2:] == ["He was pushed.", "He sang."]
        assert after.split("\x1e")[2:] == ["He sang.", "He was pushed."]


def test_a_small_review_says_how_many_items_it_lacks_and_writes_nothing(tmp_path: Path) -> None:
    sheets, _ = reviewed(tmp_path / "review", 10, valid=0)
    arguments = ["review", str(tmp_path / "review"), *map(str, sheets), "--calibrate", "chrf"]
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 0, ran.output
    assert "chrf: too few verdicts: 10 items cannot say that 90 % are valid, even if all are; at least 35" in ran.output
    for option in (["--validity", "0.8"], ["-o", str(tmp_path / "out.yaml")]):
        ran = CliRunner().invoke(app, [*arguments[:-2], *option])
        assert isinstance(ran.exception, UserError)
        assert ran.exception.what == "no constraint is calibrated"
    ran = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / "out.yaml")])
    assert isinstance(ran.exception, UserError) or ran.exit_code == 2
    assert not (tmp_path / "out.yaml").exists()


def test_what_cannot_be_calibrated_is_refused(tmp_path: Path) -> None:
    sheets, changed = reviewed(tmp_path / "review", 10, valid=0)
    review = answered_review(tmp_path / "review", sheets)
    for constraint, message in (
        ("digits", "digits has no threshold"),
        ("chrf(least=70)", "is what is looked for"),
        ("chrff", "chrff"),
        ("similarity", "'model' is missing"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            calibrate(review, [constraint], 0.9, tmp_path)
        assert caught.value.where == "--calibrate"
    with pytest.raises(UserError, match="no validity to ask for"):
        calibrate(review, ["chrf"], 1.0, tmp_path)
    code = next(iter(changed))
    for bad, message in ((None, "does not hold the texts"), ([["a", "b"]], "are no changed texts"), ([], "no changed")):
        items = {**review.about["items"], code: {**review.about["items"][code], "changed": bad}}
        broken = AnsweredReview({**review.about, "items": items}, review.sheets)
        with pytest.raises(UserError, match=message) as caught:
            calibrate(broken, ["chrf"], 0.9, tmp_path)
        assert caught.value.where == str(tmp_path / "key.json")


def test_a_damaged_key_is_named_and_a_sheet_counts_once(tmp_path: Path) -> None:
    folder = tmp_path / "review"
    sheets, changed = reviewed(folder, 10, valid=0)
    with pytest.raises(UserError, match="each with a file of answers"):
        answered_review(folder, [sheets[0], folder / ".." / sheets[0].name])
    whole = json.loads((folder / "key.json").read_text())
    code, item = next((c, i) for c, i in whole["items"].items() if c in changed)
    perturbed = {c: i for c, i in whole["items"].items() if c in changed}
    for part in (
        *({name: value for name, value in whole.items() if name != left} for left in ("spec", "task", "language")),
        *(whole | {"choices": bad} for bad in (None, 3, [3])),
        *(whole | {"items": bad} for bad in ([1], {}, perturbed, {code: "x"})),
        *(
            whole | {"items": {**whole["items"], code: {k: v for k, v in item.items() if k != left}}}
            for left in ("kind", "gold", "grade")
        ),
        whole | {"choices": [*whole["choices"], whole["choices"][0]]},
        *(
            whole | {"items": {**whole["items"], code: item | bad}}
            for bad in (
                {"kind": "other"},
                {"gold": "none of them"},
                {"also": ["none of them"]},
                {"grade": True},
                {"kind": "catch", "grade": 0},
                {"kind": "catch", "grade": 6},
            )
        ),
    ):
        (folder / "key.json").write_text(json.dumps(part))
        with pytest.raises(UserError) as caught:
            answered_review(folder, sheets)
        assert caught.value.where == str(folder / "key.json")


def test_a_spec_of_several_lines_stays_a_comment(tmp_path: Path) -> None:
    folder = tmp_path / "review"
    sheets, _ = reviewed(folder, 40, valid=0)
    whole = json.loads((folder / "key.json").read_text())
    (folder / "key.json").write_text(json.dumps(whole | {"spec": "x\nconstraints: []\u2028y"}))
    review = answered_review(folder, sheets)
    written = yaml.safe_load(constraints_file(calibrate(review, ["chrf"], 0.5, folder), review))
    assert [text.partition("(")[0] for text in written["constraints"]] == ["chrf"]
