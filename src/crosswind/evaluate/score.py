"""Scores of official submission folders, averaged as XTREME and XTREME-R average them.

A task's score is the unweighted mean over its languages, a benchmark's the unweighted mean over its
tasks; question answering counts as the mean of exact match and F1 (`xtreme/evaluate.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crosswind.errors import UserError, unknown
from crosswind.evaluate import submission as files
from crosswind.evaluate.metrics import accuracy, mlqa, retrieval, squad, tagging
from crosswind.evaluate.metrics.base import METRICS, Array

_UPOS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X"
_NER = "O B-PER I-PER B-ORG I-ORG B-LOC I-LOC"


@dataclass(frozen=True)
class Submitted:
    """A task of a submission: its format, metric, the keys that are reported, and its labels.

    Where `labels` are named, a prediction that is none of them is an error.
    """

    group: str
    format: files.Format
    metric: str
    keys: tuple[str, ...]
    labels: frozenset[str] = frozenset()


_QA = ("f1", "exact_match")
_CHUNKS = ("f1", "precision", "recall", "token_accuracy")


def _labels(names: str) -> frozenset[str]:
    return frozenset(names.split())


TASKS: Mapping[str, Submitted] = {
    "xnli": Submitted(
        "classification", "lines", "accuracy", ("accuracy",), _labels("entailment neutral contradiction")
    ),
    "pawsx": Submitted("classification", "lines", "accuracy", ("accuracy",), _labels("0 1")),
    "xcopa": Submitted("classification", "lines", "accuracy", ("accuracy",), _labels("0 1")),
    "udpos": Submitted("structured prediction", "tags", "seqeval-f1", _CHUNKS, _labels(_UPOS)),
    "panx": Submitted("structured prediction", "tags", "seqeval-f1", _CHUNKS, _labels(_NER)),
    "xquad": Submitted("question answering", "answers", "squad", _QA),
    "mlqa": Submitted("question answering", "answers", "mlqa", _QA),
    "tydiqa": Submitted("question answering", "answers", "squad", _QA),
    "bucc2018": Submitted("retrieval", "pairs", "set-f1", ("f1", "precision", "recall")),
    "tatoeba": Submitted("retrieval", "lines", "accuracy", ("accuracy",)),
    "mewslix": Submitted("retrieval", "rankings", "map@20", ("map@20",)),
    "lareqa": Submitted("retrieval", "rankings", "map@20", ("map@20",)),
}
BENCHMARKS: Mapping[str, tuple[str, ...]] = {
    "xtreme": ("xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba"),
    "xtreme-r": (
        "xnli", "xcopa", "udpos", "panx", "xquad", "mlqa", "tydiqa", "tatoeba", "mewslix", "lareqa",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class TaskScore:
    """A task's scores in points: by language and key, their means over languages, and `score`, what
    enters the benchmark average. `unanswered` counts items without a prediction; they scored 0."""

    task: str
    group: str
    metric: str
    signature: str
    languages: Mapping[str, Mapping[str, float]]
    average: Mapping[str, float]
    score: float
    unanswered: int = 0


@dataclass(frozen=True)
class Scores:
    """A benchmark's scores in points. `score` is the mean over the tasks in `averaged`; `missing`
    are the tasks, and `task/language` files, of the benchmark that were not there."""

    benchmark: str
    tasks: Mapping[str, TaskScore]
    groups: Mapping[str, float]
    score: float
    averaged: tuple[str, ...]
    missing: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def score_folder(
    predictions: Path, labels: Path, benchmark: str = "xtreme-r", *, allow_missing: bool = False
) -> Scores:
    """Score a folder of predictions against one of labels.

    The languages of a task are those of its labels. Without `allow_missing` every task of the
    benchmark and every language must be there; with it, the averages are over what is. Raises
    `UserError` for what is missing, of the wrong length, or no label of its task.
    """
    if benchmark not in BENCHMARKS:
        raise unknown("benchmark", benchmark, BENCHMARKS)
    for folder in (predictions, labels):
        if not folder.is_dir():
            raise UserError("no such folder", where=str(folder))
    tasks: dict[str, TaskScore] = {}
    missing: list[str] = []
    for name in BENCHMARKS[benchmark]:
        given, gold = files.languages(predictions, name), files.languages(labels, name)
        absent = _absent(name, given, gold)
        if absent and not allow_missing:
            raise _missing(absent[0], predictions / name if gold else labels / name)
        missing += absent
        if common := [x for x in gold if x in given]:
            tasks[name] = _score_task(name, {x: (given[x], gold[x]) for x in common})
    if not tasks:
        raise UserError(f"no predictions for a task of {benchmark}", where=str(predictions), hint=_LAYOUT)
    groups = {t.group: _mean(o.score for o in tasks.values() if o.group == t.group) for t in tasks.values()}
    return Scores(benchmark, tasks, groups, _mean(t.score for t in tasks.values()), tuple(tasks), tuple(missing))


_LAYOUT = "a folder holds {task}/test-{language}.tsv, .json or .jsonl"


def _absent(task: str, given: Mapping[str, Path], gold: Mapping[str, Path]) -> list[str]:
    if not given or not gold:
        return [task]
    return [f"{task}/test-{x}" for x in gold if x not in given]


def _missing(what: str, where: Path) -> UserError:
    return UserError(
        f"{what} is missing", where=str(where), hint=f"{_LAYOUT}; --allow-missing averages over what is there"
    )


def _score_task(name: str, paths: Mapping[str, tuple[Path, Path]]) -> TaskScore:
    task = TASKS[name]
    metric = METRICS[task.metric]
    languages: dict[str, dict[str, float]] = {}
    unanswered = 0
    for language, (given, gold) in paths.items():
        statistics, absent = _READERS[task.format](given, gold, task, language)
        if not len(statistics):
            raise UserError("nothing to score in this file", where=str(gold))
        unanswered += absent
        scores = metric.all_scores(statistics)
        languages[language] = {key: scores[key] for key in task.keys}
    average = {key: _mean(scores[key] for scores in languages.values()) for key in task.keys}
    score = metric.benchmark_score(average)
    return TaskScore(name, task.group, task.metric, metric.signature(), languages, average, score, unanswered)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


_Scored = tuple[Array, int]  # statistics, items without a prediction


def _lines(given: Path, gold: Path, task: Submitted, language: str) -> _Scored:
    guess, right = files.read_lines(given), files.read_lines(gold)
    _require_count(given, "lines", len(right), len(guess))
    for number, label in enumerate(guess, 1):
        _require_label(label, task, f"{given}:{number}")
    index = {label: i for i, label in enumerate(dict.fromkeys(right + guess))}
    return accuracy.statistics([index[x] for x in guess], [index[x] for x in right]), 0


def _tags(given: Path, gold: Path, task: Submitted, language: str) -> _Scored:
    (guess, starts), (right, _) = files.read_tags(given), files.read_tags(gold)
    _require_count(given, "sentences", len(right), len(guess))
    for tags, gold_tags, start in zip(guess, right, starts, strict=True):
        _require_count(f"{given}:{start}", "tags in this sentence", len(gold_tags), len(tags))
        for number, tag in enumerate(tags, start):
            _require_label(tag, task, f"{given}:{number}")
    return tagging.statistics(guess, right), 0


def _pairs(given: Path, gold: Path, task: Submitted, language: str) -> _Scored:
    return retrieval.set_statistics(files.read_pairs(given), files.read_pairs(gold)), 0


def _answers(given: Path, gold: Path, task: Submitted, language: str) -> _Scored:
    guess, right = files.read_answers(given), files.read_gold_answers(gold)
    predicted, answers = [guess.get(i) for i in right], list(right.values())
    absent = _count_absent(given, predicted)
    if task.metric == "mlqa":
        return mlqa.statistics(predicted, answers, language), absent
    return squad.statistics(predicted, answers), absent


def _rankings(given: Path, gold: Path, task: Submitted, language: str) -> _Scored:
    guess, right = files.read_rankings(given), files.read_rankings(gold)
    absent = _count_absent(given, [guess.get(i) for i in right])
    ranks = [_ranks(guess.get(i, []), set(wanted)) for i, wanted in right.items()]
    return retrieval.statistics(ranks, [len(set(wanted)) for wanted in right.values()]), absent


def _ranks(ranking: list[str], wanted: set[str]) -> list[int]:
    """The ranks of the wanted candidates; one that is listed twice counts where it comes first."""
    first: dict[str, int] = {}
    for rank, candidate in enumerate(ranking, 1):
        first.setdefault(candidate, rank)
    return sorted(rank for candidate, rank in first.items() if candidate in wanted)


_READERS: Mapping[files.Format, Callable[[Path, Path, Submitted, str], _Scored]] = {
    "lines": _lines,
    "tags": _tags,
    "pairs": _pairs,
    "answers": _answers,
    "rankings": _rankings,
}


def _count_absent(given: Path, predicted: list[Any]) -> int:
    absent = sum(p is None for p in predicted)
    if predicted and absent == len(predicted):
        raise UserError("no id of the labels is predicted here", where=str(given), hint="is it another task's file?")
    return absent


def _require_count(where: object, what: str, expected: int, found: int) -> None:
    if expected != found:
        raise UserError(f"{expected} {what} expected, {found} found", where=str(where))


def _require_label(label: str, task: Submitted, where: str) -> None:
    if task.labels and label not in task.labels:
        raise unknown("label", label, task.labels, where=where)
