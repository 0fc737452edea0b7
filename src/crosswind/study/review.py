"""Reviews of perturbed texts by people: pages that do not tell what is perturbed, and what the answers say.

`make_review` writes a page and a CSV form for each annotator, and `key.json`, which stays with whoever asked. Clean
and perturbed texts are of different items, mixed with catch items, whose text says what to answer; every annotator gets
all of them, each in another order.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crosswind.analysis.agreement import (
    Level,
    alpha_interval,
    bootstrap_interval,
    krippendorff_alpha,
    wilson_interval,
)
from crosswind.data.examples import ChoiceExample, Dataset, Example, PairExample, SpanExample, text_fields
from crosswind.errors import UserError, shown
from crosswind.perturb.constraint import NamedConstraint
from crosswind.perturb.dataset import perturb_example
from crosswind.perturb.draw import key
from crosswind.perturb.extent import Extent
from crosswind.perturb.passage import SEPARATOR, WHOLE
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.perturbed import Perturbed
from crosswind.perturb.spec import Resolved, Spec
from crosswind.reading import csv_records, json_file
from crosswind.report.review import ReviewItem, review_page
from crosswind.run.folders import new_folder
from crosswind.study.own_text import changed_fields, needed_besides
from crosswind.tasks.base import TASKS, Task

KEY = "key.json"
GRADES = ("1", "2", "3", "4", "5")
_KINDS = ("perturbed", "clean", "catch")
_CATCH_EVERY = 10  # perturbed items for each catch item


@dataclass(frozen=True)
class ReviewEstimate:
    """A value with its 95 % interval over items (`analysis/agreement.py`), of `n` items.

    Value and limits are NaN where there are none: of an alpha where no answer varies, of a mean grade or an alpha
    where all draws of items give one value.
    """

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Reviewed:
    """What a review says.

    `validity`: the share of perturbed items to which every annotator gives the gold label. `accuracy` and
    `clean_accuracy`: the share of right answers to perturbed and to clean items, the human ceiling. `naturalness` and
    `clean_naturalness`: mean grades, 1 to 5. `agreement` on labels and `grade_agreement`: Krippendorff's alpha, nominal
    and ordinal. `caught`: of each annotator, the catch items that were answered as their text says.
    """

    spec: str
    task: str
    language: str
    validity: ReviewEstimate
    accuracy: ReviewEstimate
    clean_accuracy: ReviewEstimate
    naturalness: ReviewEstimate
    clean_naturalness: ReviewEstimate
    agreement: ReviewEstimate
    grade_agreement: ReviewEstimate
    caught: tuple[tuple[str, int, int], ...]

    def to_json(self) -> dict[str, Any]:
        """The record as JSON; null for a value or limit that there is none of."""
        record = asdict(self)
        for estimate in (value for value in record.values() if isinstance(value, dict)):
            estimate |= {name: None for name, number in estimate.items() if not math.isfinite(number)}
        return record


def make_review(
    spec: Spec,
    dataset: Dataset,
    count: int,
    out: Path,
    *,
    draw: int = 1,
    annotators: int = 2,
    environment: Environment | None = None,
    fields: Sequence[str] = (),
    resolved: Resolved | None = None,
    constraints: Sequence[NamedConstraint] = (),
) -> tuple[int, int, int]:
    """Write the pages of a review of `count` perturbed items; how many perturbed, clean and catch items they hold.

    Which items those are follows from a hash. `fields` names what may change (default: as the task says) and stands, as
    `constraints` do, in the name of what was reviewed, as in that of a condition; `resolved` is what these and the
    perturbation need besides. Raises `UserError` for a task whose labels no annotator can give, too few items that the
    perturbation changes, and a folder that is not empty.
    """
    task = TASKS[dataset.task]
    choices = _choices(task, dataset)
    extent = Extent(tuple(fields), tuple(constraints))
    limits = [c.made(resolved) for c in constraints]
    changing = extent.of(task.kind, task.perturbed)
    order = sorted(dataset.examples, key=lambda e: key("review", str(draw), e.id))
    order = [e for e in order if getattr(e, "label", None) is not None or isinstance(e, SpanExample)]
    perturbed: list[Example] = []
    changed: dict[str, list[tuple[str, str, str]]] = {}
    rest: list[Example] = []
    for example in order:
        if len(perturbed) == count:
            rest.append(example)
            continue
        made = perturb_example(
            example,
            spec,
            task=task.name,
            draw=draw,
            fields=changing,
            environment=environment,
            resolved=resolved,
            constraints=limits,
        )
        (perturbed if made.changed else rest).append(made.example)
        if made.changed:
            changed[example.id] = _changed_texts(example, made)
    if len(perturbed) < count or len(rest) < count:
        raise _too_few(spec, count, len(perturbed), len(order))
    catches = max(1, count // _CATCH_EVERY)
    items = [("perturbed", e) for e in perturbed] + [("clean", e) for e in rest[:count]]
    items += [("catch", e) for e in [*rest[count:], *perturbed][:catches]]  # whose id alone is used
    records = [_record(i, kind, e, choices, draw) for i, (kind, e) in enumerate(items)]
    with new_folder(out) as draft:
        for number in range(1, annotators + 1):
            _write_sheet(draft, str(number), records, task, dataset.language, choices, draw)
        about = {
            "spec": extent.label(spec),
            "task": task.name,
            "language": dataset.language,
            "draw": draw,
            "choices": choices,
            "annotators": annotators,
            "items": {
                r["code"]: {k: r[k] for k in ("id", "kind", "gold", "grade")}
                | ({"also": r["also"]} if r["also"] else {})
                | ({"changed": changed[r["id"]]} if r["kind"] == "perturbed" else {})
                for r in records
            },
        }
        (draft / KEY).write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return count, count, catches


def _too_few(spec: Spec, count: int, changed: int, items: int) -> UserError:
    """A refusal that says how many items a review of `count` perturbed ones needs."""
    if changed < count:
        what = f"{spec} changes {changed} of all {items:,} items, and {count} perturbed ones are asked for"
        most = min(changed, items // 2)
    else:
        what = f"{count} perturbed items are asked for, and as many clean ones of other examples stand beside them"
        what += f": that takes {2 * count} items, and there are {items:,}"
        most = items // 2
    hint = f"ask for {most} at most, or name more data" if most else "name more data"
    return UserError(what, where="--review", hint=hint)


def review_dataset(
    spec: Spec,
    dataset: Dataset,
    root: Path,
    count: int,
    out: Path | None,
    *,
    draw: int = 1,
    environment: Environment,
    fields: Sequence[str] = (),
    constraints: Sequence[NamedConstraint] = (),
) -> tuple[int, int, int]:
    """The same for a data set that a user names, of which `fields` may change; a `UserError` without a folder too.

    The data that a perturbation needs besides are read below `root`, models are loaded.
    """
    if out is None:
        raise UserError("no folder is named", where="-o", hint="the pages go into a new folder: -o reviews/xnli-de")
    changing = changed_fields(spec, dataset, fields, environment, constraints)
    return make_review(
        spec,
        dataset,
        count,
        out,
        draw=draw,
        environment=environment,
        fields=fields,
        resolved=needed_besides(spec, dataset, root, changing, environment, constraints),
        constraints=constraints,
    )


@dataclass(frozen=True)
class AnsweredReview:
    """A review with its annotators' answers: `about` is its key, `sheets` are item -> (label, grade) of each."""

    about: Mapping[str, Any]
    sheets: tuple[Mapping[str, tuple[str, int]], ...]

    def codes(self, kind: str) -> list[str]:
        """The items of a kind: `perturbed`, `clean` or `catch`."""
        return [code for code, item in self.about["items"].items() if item["kind"] == kind]

    def right(self, code: str) -> list[bool]:
        """Of each annotator, whether the answer to an item is the gold label, or one of the gold answers."""
        item = self.about["items"][code]
        return [sheet[code][0] in (item["gold"], *item.get("also", ())) for sheet in self.sheets]


def answered_review(folder: Path, answers: Sequence[Path]) -> AnsweredReview:
    """A review whose `key.json` is in `folder`, with the answers of its annotators.

    Raises `UserError` with file:line for an item that is none of the review, an answer that is no label, a grade
    outside 1 to 5, fewer than two annotators, a sheet that is named twice, and a key that is damaged.
    """
    about = _read_key(folder / KEY)
    if len({path.resolve() for path in answers}) < max(2, len(answers)):
        what = "a review has two annotators an item, each with a file of answers"
        raise UserError(what, where="ANSWERS", hint="name the files of both, each once")
    sheets = [_answers(path, about) for path in answers]
    items: Mapping[str, Mapping[str, Any]] = about["items"]
    judged = [code for code, item in items.items() if item["kind"] != "catch"]
    both = zip(answers, sheets, strict=True)
    incomplete = [(path, code) for path, sheet in both for code in judged if code not in sheet]
    if incomplete:
        path, code = incomplete[0]
        what = f"{len(incomplete)} items are not answered, such as {code}"
        raise UserError(what, where=str(path), hint="every annotator answers every item")
    return AnsweredReview(about, tuple(sheets))


def _read_key(path: Path) -> Mapping[str, Any]:
    about = json_file(path)
    hint = "crosswind perturb --review wrote one"
    if not isinstance(about, dict) or not isinstance(about.get("items"), dict):
        raise UserError("no key of a review", where=str(path), hint=hint)
    texts = all(isinstance(about.get(name), str) for name in ("spec", "task", "language"))
    choices = about.get("choices")
    if not texts or not _labels(choices):
        raise UserError("lacks the spec, task, language or choices of the review", where=str(path), hint=hint)
    for code, item in about["items"].items():
        whole = isinstance(item, dict) and item.get("kind") in _KINDS and isinstance(item.get("gold"), str)
        if not whole or type(item.get("grade")) is not int:
            raise UserError(f"does not say kind, gold label and grade of {shown(code)}", where=str(path), hint=hint)
        also = item.get("also", [])
        if not isinstance(also, list) or not all(isinstance(answer, str) for answer in also):
            raise UserError(f"lists no further gold answers of {shown(code)}", where=str(path), hint=hint)
        unknown_labels = [label for label in (item["gold"], *also) if choices and label not in choices]
        if unknown_labels:
            what = f"says {shown(unknown_labels[0])} of {shown(code)}, which is none of the choices"
            raise UserError(what, where=str(path), hint=hint)
        if item["kind"] == "catch" and not 1 <= item["grade"] <= 5:
            raise UserError(f"the grade of {shown(code)} is not from 1 to 5", where=str(path), hint=hint)
    for kind in ("perturbed", "clean"):
        if not any(item["kind"] == kind for item in about["items"].values()):
            raise UserError(f"has no {kind} items", where=str(path), hint=hint)
    return about


def _labels(choices: Any) -> bool:
    listed = isinstance(choices, list) and all(isinstance(c, str) for c in choices)
    return listed and len(set(choices)) == len(choices)


def read_review(folder: Path, answers: Sequence[Path]) -> Reviewed:
    """What the answers of annotators say of a review; raises as `answered_review` does."""
    return what_answers_say(answered_review(folder, answers), answers)


def what_answers_say(review: AnsweredReview, answers: Sequence[Path]) -> Reviewed:
    """The same of answers that were read, from these files."""
    about, sheets = review.about, review.sheets
    items: Mapping[str, Mapping[str, Any]] = about["items"]
    noisy, clean = review.codes("perturbed"), review.codes("clean")
    judged = [code for code, item in items.items() if item["kind"] != "catch"]
    right = {c: review.right(c) for c in judged}
    labels = [[sheet[c][0] for sheet in sheets] for c in judged]
    grades = [[sheet[c][1] for sheet in sheets] for c in judged]
    caught = []
    for path, sheet in zip(answers, sheets, strict=True):
        traps = [c for c, item in items.items() if item["kind"] == "catch"]
        hit = sum(sheet.get(c) == (items[c]["gold"], items[c]["grade"]) for c in traps)
        caught.append((path.name, hit, len(traps)))
    return Reviewed(
        spec=about["spec"],
        task=about["task"],
        language=about["language"],
        validity=_share([float(all(right[c])) for c in noisy]),
        accuracy=_share([float(np.mean(right[c])) for c in noisy]),
        clean_accuracy=_share([float(np.mean(right[c])) for c in clean]),
        naturalness=_mean([float(np.mean([sheet[c][1] for sheet in sheets])) for c in noisy]),
        clean_naturalness=_mean([float(np.mean([sheet[c][1] for sheet in sheets])) for c in clean]),
        agreement=_alpha(labels, "nominal"),
        grade_agreement=_alpha(grades, "ordinal"),
        caught=tuple(caught),
    )


def _changed_texts(before: Example, made: Perturbed[Example]) -> list[tuple[str, str, str]]:
    """The texts that differ, as a constraint is shown them: before, after, language; one where the parts moved."""
    old, new = text_fields(before), text_fields(made.example)
    if any(name.rpartition(":")[2] == WHOLE for name in made.rewrites):
        return [(SEPARATOR.join(old.values()), SEPARATOR.join(new.values()), before.language)]
    other = getattr(before, "context_language", "") or before.language
    return [
        (text, new[name], other if name == "context" else before.language)
        for name, text in old.items()
        if new[name] != text
    ]


def _share(values: Sequence[float]) -> ReviewEstimate:
    """The mean over items of a share in [0, 1]: an item counts once, its annotators' answers are not independent."""
    total = float(np.sum(values))
    return ReviewEstimate(total / len(values), *wilson_interval(total, len(values)), len(values))


def _mean(values: Sequence[float]) -> ReviewEstimate:
    array = np.array(values)

    def mean(index: Any) -> float:
        return float(array[index].mean())

    return ReviewEstimate(float(array.mean()), *_with_width(bootstrap_interval(len(array), mean)), len(array))


def _alpha(units: Sequence[Sequence[str | int]], level: Level) -> ReviewEstimate:
    return ReviewEstimate(krippendorff_alpha(units, level), *_with_width(alpha_interval(units, level)), len(units))


def _with_width(interval: tuple[float, float]) -> tuple[float, float]:
    """An interval of draws; none where all of them are alike, which says nothing of other items."""
    return interval if interval[0] < interval[1] else (math.nan, math.nan)


def _choices(task: Task, dataset: Dataset) -> list[str]:
    """What an annotator may answer: the labels, the numbers of the options, or nothing for a written answer."""
    match task.kind:
        case "pair":
            return list(task.labels)
        case "choice":
            most = max(len(e.choices) for e in dataset.examples if isinstance(e, ChoiceExample))
            return [str(i + 1) for i in range(most)]
        case "span":
            return []
        case _:
            hint = "pairs, choices and span questions have labels that an annotator gives"
            raise UserError(f"{task.name} is of kind {task.kind}", where="--review", hint=hint)


def _record(number: int, kind: str, example: Example, choices: Sequence[str], draw: int) -> dict[str, Any]:
    code = f"{key('review item', str(draw), kind, example.id):016x}"[:8]
    if kind == "catch":
        gold = choices[number % len(choices)] if choices else "attention"
        text = f"This item checks that texts are read. Answer {gold}, and grade it 1."
        return {"code": code, "id": "", "kind": kind, "gold": gold, "also": [], "grade": 1, "texts": (("text", text),)}
    texts, (gold, *also) = _seen(example, choices)
    return {"code": code, "id": example.id, "kind": kind, "gold": gold, "also": also, "grade": 0, "texts": texts}


def _seen(example: Example, choices: Sequence[str]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """The texts of an example with what they are called, and the right answers."""
    match example:
        case PairExample(label=int(label)):
            return (("first text", example.first), ("second text", example.second)), (choices[label],)
        case ChoiceExample(label=int(label)):
            options = tuple((f"option {i + 1}", text) for i, text in enumerate(example.choices))
            before = (("text", example.context), ("question", example.question))
            return (*(t for t in before if t[1]), *options), (str(label + 1),)
        case SpanExample():
            answers = tuple(dict.fromkeys(map(_plain_answer, example.answer_texts if example.answers else ("",))))
            return (("text", example.context), ("question", example.question)), answers
        case _:
            raise ValueError(f"{example.id} has no label to review")


def _write_sheet(
    folder: Path,
    annotator: str,
    records: Sequence[Mapping[str, Any]],
    task: Task,
    language: str,
    choices: Sequence[str],
    draw: int,
) -> None:
    order = sorted(records, key=lambda r: key("review order", annotator, str(draw), str(r["code"])))
    items = [ReviewItem(str(r["code"]), tuple(r["texts"])) for r in order]
    question = {"pair": "Which label is right?", "choice": "Which option is right?", "span": "What is the answer?"}
    page = review_page(
        items,
        annotator=annotator,
        language=language,
        instructions=f"{task.summary[:1].upper()}{task.summary[1:]}.",
        question=question[task.kind],
        choices=choices,
    )
    (folder / f"review-{annotator}.html").write_text(page, encoding="utf-8")
    with (folder / f"review-{annotator}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("item", "texts", "label", "naturalness"))
        for item in items:
            writer.writerow((item.code, "\n".join(f"{name}: {text}" for name, text in item.texts), "", ""))


def _plain_answer(text: str) -> str:
    """A written answer without capitals, outer punctuation and doubled spaces: what two annotators may differ in."""
    return " ".join(text.casefold().split()).strip(" .,;:!?'\"()")


def _answers(path: Path, about: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """Item -> (label, grade) of a sheet that came back; items without an answer are left out."""
    sheet: dict[str, tuple[str, int]] = {}
    choices: Sequence[str] = about["choices"]
    for line, record in csv_records(path):
        where = f"{path}:{line}"
        if not {"item", "label", "naturalness"} <= set(record):
            hint = "the columns are item, label and naturalness"
            raise UserError("no sheet of a review", where=f"{path}:1", hint=hint)
        code, label, grade = (record[name].strip() for name in ("item", "label", "naturalness"))
        if code not in about["items"]:
            raise UserError(f"{shown(code)} is no item of this review", where=where, hint="is it another review's?")
        if code in sheet:
            raise UserError(f"{code} is answered twice", where=where, hint="an annotator answers an item once")
        if not label and not grade:
            continue
        if choices and label not in choices:
            raise UserError(f"{shown(label)} is no answer", where=where, hint=f"one of {', '.join(choices)}")
        if grade not in GRADES:
            raise UserError(f"{shown(grade)} is no grade", where=where, hint="naturalness is graded 1 to 5")
        sheet[code] = (label if choices else _plain_answer(label), int(grade))
    return sheet
