"""Predictions of a model that was never loaded here, from a file: read, checked item by item, made `Prediction`s.

A row is an item under a condition: `id`, `condition` (`clean`, or a perturbation as its results call it, such as
`keyboard:0.1`), `prediction` and, where the model gives them, `probabilities` (one a class). Columns `task`,
`language`, `draw` and `protection` say more where a file holds several. Parquet, CSV, TSV, JSON and JSON lines are
read, and what lm-evaluation-harness logs of exported items (`--log_samples`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, assert_never

from crosswind.data.examples import (
    ChoiceExample,
    Dataset,
    Example,
    PairExample,
    Pool,
    QueryExample,
    SpanExample,
    TaggingExample,
)
from crosswind.data.records import TableRecord
from crosswind.data.tables import read_own_table
from crosswind.data.writing import file_id
from crosswind.errors import UserError, mixed_labels, shown, unknown
from crosswind.evaluate.predictions import Prediction
from crosswind.perturb.spec import parse_spec
from crosswind.tasks.base import Task

CLEAN_CONDITION = "clean"
MOST_DRAWS = 1000  # of a study
_COLUMNS = ("id", "condition", "prediction", "probabilities", "task", "language", "draw", "protection")
_DIGITS = 10  # fewer of them are the number of a class
_OUTSIDE = "O"  # the tag of a word of which nothing is predicted


@dataclass(frozen=True, slots=True)
class GivenCondition:
    """What a row is a prediction of: task and language (empty where the file does not say them) and the condition."""

    task: str = ""
    language: str = ""
    condition: str = CLEAN_CONDITION
    draw: int = 0
    protection: str = "none"


@dataclass(frozen=True, slots=True)
class GivenRow:
    """A prediction as a file has it (None: there is none), with its place.

    `generated`: a model wrote it freely, so that what cannot be read is the model's mistake and not the file's.
    """

    prediction: Any
    probabilities: tuple[float, ...] | None
    where: str
    generated: bool = False


@dataclass(frozen=True)
class GivenPredictions:
    """The rows of some files by what they are predictions of and the ids of their items."""

    rows: Mapping[GivenCondition, Mapping[str, GivenRow]]

    @property
    def tasks(self) -> list[str]:
        """The tasks that the files name."""
        return sorted({key.task for key in self.rows} - {""})

    @property
    def draws(self) -> int:
        """How many draws of a perturbation there are."""
        return max(1, *(key.draw for key in self.rows))

    def of(self, wanted: GivenCondition) -> Mapping[str, GivenRow]:
        """The rows of a cell, of files that say task and language or do not; a `UserError` where there is none."""
        fitting = [key for key in self.rows if _fits(key, wanted)]
        if not fitting:
            raise UserError(
                f"no prediction of {_described(wanted)}",
                where="--predictions",
                hint="the files have " + "; ".join(dict.fromkeys(map(_described, self.rows))),
            )
        merged: dict[str, GivenRow] = {}
        for key in fitting:
            for name, row in self.rows[key].items():
                if name in merged:
                    raise _twice(name, merged[name].where, row.where)
                merged[name] = row
        return merged


def _fits(key: GivenCondition, wanted: GivenCondition) -> bool:
    same = (key.condition, key.draw, key.protection) == (wanted.condition, wanted.draw, wanted.protection)
    return same and key.task in ("", wanted.task) and key.language in ("", wanted.language)


def _described(key: GivenCondition) -> str:
    draw = f", draw {key.draw}" if key.draw > 1 else ""
    protection = f", {key.protection} protected" if key.protection != "none" else ""
    return " ".join(filter(None, (key.task, key.language, f"{key.condition}{draw}{protection}")))


def read_given(paths: Sequence[Path]) -> GivenPredictions:
    """The rows of files of predictions.

    Raises `UserError` with file and line for a missing column or value, a number that is none, and an item that stands
    twice under one condition.
    """
    rows: dict[GivenCondition, dict[str, GivenRow]] = {}
    for path in paths:
        for record in read_own_table(path, _COLUMNS).records:
            name, key, row = _logged(record) if "doc" in record.values else _plain(record)
            others = rows.setdefault(key, {})
            if name in others:
                raise _twice(name, others[name].where, row.where)
            others[name] = row
    if not rows:
        raise UserError("no prediction in these files", where=", ".join(map(str, paths)))
    return GivenPredictions(rows)


def _twice(name: str, first: str, second: str) -> UserError:
    return UserError(
        f"two predictions for {name!r} under one condition, the first at {first}",
        where=second,
        hint="columns task, language and draw tell several predictions of one item apart",
    )


def _plain(record: TableRecord) -> tuple[str, GivenCondition, GivenRow]:
    for column in ("id", "condition"):
        if record.values.get(column) in (None, ""):
            hint = "columns: id, condition (`clean`, `keyboard:0.1`, …), prediction and, if any, probabilities"
            raise UserError(f"no {column} in this row", where=record.where, hint=hint)
    prediction = record.get("prediction")
    probabilities = _numbers(record, record.values.get("probabilities"))
    return str(record.get("id")), _key(record.values, record.where), GivenRow(prediction, probabilities, record.where)


def _logged(record: TableRecord) -> tuple[str, GivenCondition, GivenRow]:
    """A row of lm-evaluation-harness's log: the item as it was exported (`doc`), and what the model answered.

    Of choices the answers are (log-likelihood, whether it is the greedy continuation) for each; of generated text the
    first one counts.
    """
    item = record.mapping("doc")
    answers = record.values.get("filtered_resps") or record.values.get("resps")
    if "id" not in item or not isinstance(answers, list) or not answers or answers[0] == []:
        hint = "log samples of items that `crosswind export --format lm-eval` wrote"
        raise UserError("no item with its answers in this row", where=record.where, hint=hint)
    key = _key(item, record.where)
    if item.get("choices") is None:
        first = answers[0][0] if isinstance(answers[0], list) else answers[0]
        return str(item["id"]), key, GivenRow(str(first).strip(), None, record.where, generated=True)
    pairs = [answer[0] if isinstance(answer, list) and len(answer) == 1 else answer for answer in answers]
    try:
        likelihoods = [float(pair[0]) for pair in pairs]
        choices = len(item["choices"])
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        raise UserError("no log-likelihood for every choice", where=record.where) from None
    if len(likelihoods) != choices or not all(map(math.isfinite, likelihoods)):
        what = f"{len(likelihoods)} log-likelihoods for {choices} choices, or one that is not finite"
        raise UserError(what, where=record.where)
    return str(item["id"]), key, GivenRow(likelihoods.index(max(likelihoods)), None, record.where)


def _key(values: Mapping[str, Any], where: str) -> GivenCondition:
    condition = canonical_condition(str(values.get("condition") or CLEAN_CONDITION).strip())
    draw = values.get("draw")
    try:
        number = 1 if draw in (None, "") else int(str(draw))
    except ValueError:
        number = -1
    if not 0 <= number <= MOST_DRAWS:
        raise UserError(f"{shown(draw)} is no number of a draw", where=where, hint=f"1 to {MOST_DRAWS:,}; 0 is clean")
    number = 0 if condition == CLEAN_CONDITION else number
    names = {name: values.get(name) for name in ("task", "language", "protection")}
    for name, value in names.items():
        if value is not None and not isinstance(value, str):
            raise UserError(f"the {name} {shown(value)} is no text", where=where)
    return GivenCondition(
        names["task"] or "", names["language"] or "", condition, number, names["protection"] or "none"
    )


@lru_cache(maxsize=256)
def canonical_condition(text: str) -> str:
    """A condition as results call it: perturbations without where data lie; what is none stays as it is."""
    try:
        return "+".join(atom.condition for atom in parse_spec(text).atoms)
    except UserError:
        return text


def _numbers(record: TableRecord, value: Any) -> tuple[float, ...] | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = _listed(value)
    try:
        if isinstance(value, Mapping):
            raise TypeError("its keys are no probabilities")
        numbers = tuple(float(v) for v in value)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"no probabilities: {shown(value)}", where=record.where, hint="a list of numbers") from None
    return numbers


def _listed(text: str) -> list[Any]:
    """A list as CSV holds it: JSON, or words between blanks."""
    if text.lstrip().startswith("["):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return [text]
        return value if isinstance(value, list) else [text]
    return text.split()


@dataclass(frozen=True)
class Taken:
    """The predictions of a data set in its order, how many items have none, and sentences about what was read how."""

    predictions: tuple[Prediction, ...]
    unanswered: int
    notes: tuple[str, ...] = ()


def take_predictions(
    rows: Mapping[str, GivenRow], dataset: Dataset, task: Task, *, others: Iterable[Example] = ()
) -> Taken:
    """The predictions of a data set from the rows of a file.

    Items are named by their ids, or by what the official files call them. `others` are items of the split that are not
    evaluated: rows of theirs are counted in the notes. Raises `UserError` for an item without a row, a row of no item,
    and a prediction that the task cannot have (an unknown class, a tag too many, a candidate outside the pool).
    """
    where = f"{dataset.task} {dataset.split}, {dataset.language}"
    named = {e.id: e for e in dataset.examples}
    short = {file_id(e): e.id for e in dataset.examples}
    at: dict[str, GivenRow] = {}
    stray: list[str] = []
    for name, row in rows.items():
        full = name if name in named else short.get(name)
        if full is None:
            stray.append(name)
        elif full in at:
            raise _twice(full, at[full].where, row.where)
        else:
            at[full] = row
    notes = _stray(stray, rows, dataset, others, where)
    if missing := [e.id for e in dataset.examples if e.id not in at]:
        raise UserError(
            f"{len(missing):,} of {len(dataset):,} items have no prediction: {', '.join(missing[:3])}",
            where=where,
            hint="write a row for every item; what the model left unanswered has an empty prediction, and is not right",
        )
    reader = _Reader(task, dataset.pool)
    predictions = tuple(reader.prediction(e, at[e.id]) for e in dataset.examples)
    return Taken(predictions, reader.unanswered, (*notes, *reader.notes(len(dataset), where)))


def _stray(
    stray: Sequence[str], rows: Mapping[str, GivenRow], dataset: Dataset, others: Iterable[Example], where: str
) -> list[str]:
    if not stray:
        return []
    known = {name for e in others for name in (e.id, file_id(e))}
    unheard = [name for name in stray if name not in known]
    if unheard:
        error = unknown("item", unheard[0], [e.id for e in dataset.examples][:2000], where=rows[unheard[0]].where)
        what = f"{error.what}, and {len(unheard) - 1:,} more" if len(unheard) > 1 else error.what
        raise UserError(f"{what}: {where} does not have it", where=error.where, hint=error.hint)
    return [f"{where}: {len(stray):,} predictions are of items that are not evaluated here"]


class _Reader:
    """Makes predictions of one task's rows, and remembers how they were written."""

    def __init__(self, task: Task, pool: Pool | None) -> None:
        self.task, self.pool = task, pool
        self.unanswered = self.other = self.single = self.unread = 0
        self.spoken: dict[bool, tuple[str, str]] = {}

    def prediction(self, example: Example, row: GivenRow) -> Prediction:
        """A prediction of an example; a `UserError` where it can be none."""
        empty = row.prediction is None or row.prediction == ""
        match example:
            case PairExample():
                predicted = -1 if empty else self._class(row, self.task.labels)
                return self._scored(predicted, row, len(self.task.labels), empty)
            case ChoiceExample():
                predicted = -1 if empty else self._option(row, example)
                return self._scored(predicted, row, len(example.choices), empty)
            case TaggingExample():
                return self._tags(row, example, empty)
            case SpanExample():
                return self._answer(row)
            case QueryExample():
                return self._ranking(row, example, empty)
            case _:
                assert_never(example)

    def notes(self, items: int, where: str) -> list[str]:
        """Sentences on how the predictions were read."""
        texts = []
        if self.unanswered:
            texts.append(
                f"{where}: {self.unanswered:,} of {items:,} items have an empty prediction, which is not right"
            )
        if True in self.spoken and self.task.labels and not all(x.isdecimal() for x in self.task.labels):
            order = ", ".join(f"{i} {name}" for i, name in enumerate(self.task.labels))
            texts.append(f"{where}: classes are given as numbers, read in the task's order: {order}")
        if self.other:
            texts.append(f"{where}: {self.other:,} predictions are not the most probable class by their probabilities")
        if self.unread:
            texts.append(
                f"{where}: {self.unread:,} generated texts are not a tag of the task for each word: none is right"
            )
        if self.single:
            texts.append(f"{where}: {self.single:,} rankings name one candidate, so that no other is ranked")
        return texts

    def _scored(self, predicted: int, row: GivenRow, classes: int, empty: bool) -> Prediction:
        self.unanswered += empty
        probabilities = row.probabilities
        if probabilities is None:
            return {"predicted": predicted}
        total = sum(probabilities)
        if len(probabilities) != classes or not all(0 <= p <= 1 for p in probabilities) or abs(total - 1) > 0.01:
            raise UserError(
                f"no probabilities of {classes} classes: {shown(list(probabilities))}",
                where=row.where,
                hint="one number a class in the task's order, in [0, 1], together 1",
            )
        self.other += not empty and max(probabilities) > probabilities[predicted]
        return {"predicted": predicted, "scores": list(probabilities)}

    def _class(self, row: GivenRow, labels: Sequence[str]) -> int:
        text = self._written(row)
        if text in labels:
            return labels.index(text)
        if text in self.task.aliases:
            return labels.index(self.task.aliases[text])
        if text.isdecimal() and len(text) < _DIGITS and int(text) < len(labels):
            return int(text)
        raise unknown("class", text, [*labels, *self.task.aliases], where=row.where)

    def _option(self, row: GivenRow, example: ChoiceExample) -> int:
        text = self._written(row)
        names = self.task.labels or tuple(f"choice{i}" for i in range(1, len(example.choices) + 1))
        if text in names:
            return names.index(text)
        if text.isdecimal() and len(text) < _DIGITS and int(text) < len(example.choices):
            return int(text)
        known = [*names, *map(str, range(len(example.choices)))]
        raise unknown("option", text, known, where=row.where)

    def _written(self, row: GivenRow) -> str:
        """A class as it is written; names and numbers in one column are refused."""
        value = row.prediction
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise UserError(f"no class: {shown(value)}", where=row.where)
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
        self.spoken.setdefault(text.isdecimal(), (text, row.where))
        if len(self.spoken) > 1:
            one, at = self.spoken[not text.isdecimal()]
            raise mixed_labels(one, at, text, row.where)
        return text

    def _tags(self, row: GivenRow, example: TaggingExample, empty: bool) -> Prediction:
        if empty:
            self.unanswered += 1
            return {"tags": [_OUTSIDE] * len(example.words)}
        value = _listed(row.prediction) if isinstance(row.prediction, str) else row.prediction
        if not isinstance(value, list | tuple):
            raise UserError(f"no tags: {shown(value)}", where=row.where, hint="a list, or tags between blanks")
        tags = [self.task.aliases.get(str(tag), str(tag)) for tag in value]
        if row.generated and (len(tags) != len(example.words) or not {*tags} <= {*self.task.labels}):
            self.unread += 1
            return {"tags": [_OUTSIDE] * len(example.words)}
        if len(tags) != len(example.words):
            raise UserError(f"{len(tags)} tags for {len(example.words)} words", where=row.where)
        for tag in tags:
            if tag not in self.task.labels:
                raise unknown("tag", tag, self.task.labels, where=row.where)
        return {"tags": tags}

    def _answer(self, row: GivenRow) -> Prediction:
        if row.prediction is None:
            self.unanswered += 1
            return {"text": None}
        if isinstance(row.prediction, list | tuple | dict):
            raise UserError(f"no answer: {shown(row.prediction)}", where=row.where, hint="a text")
        return {"text": str(row.prediction)}

    def _ranking(self, row: GivenRow, example: QueryExample, empty: bool) -> Prediction:
        assert self.pool is not None
        value: Any = [] if empty else row.prediction
        if isinstance(value, str):
            value = _listed(value) if value.lstrip().startswith("[") else [value]
        if not isinstance(value, list | tuple):
            raise UserError(f"no candidates: {shown(value)}", where=row.where, hint="ids of candidates, best first")
        top = [str(name) for name in value]
        if len(set(top)) < len(top):
            raise UserError("a candidate is ranked twice", where=row.where)
        for name in top:
            if name not in self.pool.index:
                raise unknown("candidate", name, [c.id for c in self.pool.candidates][:2000], where=row.where)
        self.unanswered += empty
        self.single += len(top) == 1 and self.task.search == "ranked" and self.task.metric != "accuracy"
        gold = set(example.gold)
        ranks = [rank for rank, name in enumerate(top, 1) if name in gold]
        prediction: Prediction = {"top": top, "ranks": ranks, "pool": len(self.pool)}
        match self.task.search:
            case "ranked":
                return prediction
            case "mined":  # every pair that stands in the file counts: where to cut was decided elsewhere
                if row.probabilities is not None:
                    raise UserError(
                        f"a margin beside a pair of {self.task.name}: every pair of a file of predictions counts",
                        where=row.where,
                        hint="leave out the pairs below the threshold of your development set (an empty prediction for"
                        " their sentences) and the column of margins; only `crosswind run` fits a threshold itself",
                    )
                return {**prediction, "chosen": top}
            case _:
                assert_never(self.task.search)
