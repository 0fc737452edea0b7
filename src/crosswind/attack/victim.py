"""Victims: what is attacked, as a function from examples to goal scores.

A checkpoint or trained step is a `ModelVictim`. A function of the user's and a model behind an address (`endpoint.py`)
give predictions, which `PredictingVictim` scores.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, assert_never

import numpy as np

from crosswind.attack.echoed import in_order_asked
from crosswind.attack.goal import GoalScores, class_loss, rightness, span_loss, tagging_loss
from crosswind.attack.pool import DistractedQuery
from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Example,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
    text_fields,
)
from crosswind.errors import UserError, shown
from crosswind.evaluate.grid import Floats
from crosswind.evaluate.metrics.base import Metric
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.ranking import rank
from crosswind.model.offsets import MASK_SIGN
from crosswind.model.rows import Row, query_text

if TYPE_CHECKING:
    from crosswind.evaluate.predict import Predictor
    from crosswind.evaluate.purify import Purification

_GREATEST = 1e100  # of a victim's numbers: differences, squares and sums of these are finite
_GRID = 2.0**25  # as in evaluate.ranking: sums of products are exact


class Victim(Protocol):
    """What an attack asks. A result depends on its own example alone, never on the others of a call."""

    def __call__(self, examples: Sequence[Any]) -> GoalScores:
        """The goal scores `(n,)` of labelled examples."""
        ...


class ModelVictim:
    """A model with its head; examples go through the canonical shapes of `evaluate.predict`.

    `metric` is the task's; `pool` and `vectors` are those of a retrieval task. With a `purification` the model reads
    every text behind its input defences, as it does where it is evaluated (`fixed` as of `Purification.example`): what
    is attacked is both together.
    """

    def __init__(
        self,
        predictor: Predictor,
        metric: Metric,
        *,
        pool: Pool | None = None,
        vectors: Floats | None = None,
        purification: Purification | None = None,
        fixed: Collection[str] = (),
    ) -> None:
        self.predictor, self.metric, self.pool, self.vectors = predictor, metric, pool, vectors
        self.purification, self.fixed = purification, fixed
        self._rows: dict[Example, list[Row]] = {}  # of texts that were asked for and wait
        self._tags = {label: i for i, label in enumerate(predictor.head.labels)}

    def __call__(self, examples: Sequence[Any]) -> GoalScores:
        """The goal scores of examples; a `UserError` for an output that is not finite."""
        if self.purification is not None:
            self.purification.ahead(examples, self.fixed)
        read = [self.read(example) for example in examples]
        if self.predictor.head.kind == "query":
            return self._ranked(read)
        losses, rights, predictions = [], [], []
        self._encode(examples, read)
        rows = [owned_by(i, self._rows[example]) for i, example in enumerate(examples)]
        for example in examples:
            self._rows.pop(example, None)
        outputs_of = self.predictor.outputs(read, [row for some in rows for row in some])
        for example, seen, outputs in zip(examples, read, outputs_of, strict=True):
            prediction = self.predictor.read(seen, outputs)
            losses.append(self._loss(seen, outputs, prediction))
            prediction = self._in_text(example, prediction)
            rights.append(rightness(self.metric, example, prediction))
            predictions.append(prediction)
        return GoalScores(np.array(losses, dtype=np.float64), np.array(rights, dtype=np.float64), tuple(predictions))

    def full(self, examples: Sequence[Any]) -> list[int]:
        """Which of the examples fill whole passes of the canonical shapes; the others may wait for more of theirs.

        Where none fills a pass, those of the shape that most rows have: what is asked after them may fill the others.
        What is said of an example does not depend on when it is asked about.
        """
        if self.predictor.head.kind == "query":
            return list(range(len(examples)))
        fresh = [e for e in dict.fromkeys(examples) if e not in self._rows]
        if self.purification is not None:
            self.purification.ahead(fresh, self.fixed)
        self._encode(fresh, [self.read(e) for e in fresh])
        shapes = [[self.predictor.shape(row) for row in self._rows[e]] for e in examples]
        rows = Counter(shape for some in shapes for shape in some)
        heights = {shape: self.predictor.height(shape[0]) for shape in rows}
        room = Counter({shape: many // heights[shape] * heights[shape] for shape, many in rows.items()})
        chosen = []
        for i, some in enumerate(shapes):
            if all(room[shape] >= many for shape, many in Counter(some).items()):
                room.subtract(some)
                chosen.append(i)
        if rows and not chosen:
            fullest = max(rows, key=lambda shape: (rows[shape], shape))
            return [i for i, some in enumerate(shapes) if fullest in some]
        return chosen

    def _encode(self, examples: Sequence[Any], read: Sequence[Any]) -> None:
        """Keep the rows of examples, which are encoded together, each once."""
        fresh = {e: seen for e, seen in zip(examples, read, strict=True) if e not in self._rows}
        made: list[list[Row]] = [[] for _ in fresh]
        for row in self.predictor.rows([*fresh.values()]):
            made[row.owner].append(row)
        self._rows |= zip(fresh, made, strict=True)

    def read(self, example: Any) -> Any:
        """An example as the model reads it, with its gold answers where they are then."""
        if self.purification is None:
            return example
        read = self.purification.example(example, self.fixed)
        if not isinstance(example, SpanExample) or not isinstance(read, SpanExample) or not example.answers:
            return read
        language = example.context_language or example.language
        spans = (self.purification.span(example.context, language, answer) for answer in example.answers)
        return replace(read, answers=tuple(spans))

    def _in_text(self, example: Example, prediction: Prediction) -> Prediction:
        """An answer that was found behind an input defence, in the words of the text as it is written."""
        if self.purification is None or not isinstance(example, SpanExample):
            return prediction
        if prediction["end"] <= prediction["start"]:
            return prediction
        text, start, end = self.purification.answer(example, prediction["start"], prediction["end"])
        return {**prediction, "text": text, "start": start, "end": end}

    @property
    def mask(self) -> str:
        """What stands in a text for the mask token of the model; empty where it has none."""
        return MASK_SIGN if self.predictor.encoder.tokenizer.mask_token_id is not None else ""

    def reach(self, example: Any) -> Mapping[str, Span]:
        """Of each text that the model cuts, the characters that it sees; empty where it sees everything."""
        from crosswind.attack.reach import seen_characters

        return seen_characters(self.predictor, example)

    def gold_tags(self, example: TaggingExample) -> list[int | None]:
        """The model's number of each gold tag, `None` for a tag that it does not have."""
        return [self._tags.get(t) for t in example.tags or ()]

    def direction(self, example: QueryExample) -> Floats:
        """The vector `(width,)` along which a query nears its best wrong candidate and leaves its gold one."""
        assert self.pool is not None
        assert self.vectors is not None
        (query,) = self.predictor.embed([query_text(example)], max_length=self.predictor.query_length)
        scores = np.asarray(self.vectors, dtype=np.float64) @ query.astype(np.float64)
        gold = [self.pool.index[g] for g in example.gold if g in self.pool.index]
        best = max(gold, key=lambda i: scores[i]) if gold else None
        scores[gold] = -np.inf
        wrong = np.asarray(self.vectors[int(scores.argmax())], dtype=np.float32)
        direction: Floats = wrong if best is None else wrong - np.asarray(self.vectors[best], dtype=np.float32)
        return direction

    def estimates(self, bases: Sequence[Any], candidates: Sequence[Sequence[Any]]) -> list[list[float]]:
        """By how much the loss of each base would rise for each of its candidates, to first order (`gradient.py`)."""
        from crosswind.attack.gradient import estimated_gains, loss_gradients

        gradients = loss_gradients(self, [self.read(base) for base in bases])
        read = [[self.read(candidate) for candidate in some] for some in candidates]
        return [estimated_gains(self, g, some) for g, some in zip(gradients, read, strict=True)]

    def _loss(self, example: Example, outputs: Any, prediction: Prediction) -> float:
        match example:
            case PairExample() | ChoiceExample():
                assert example.label is not None
                return class_loss(prediction["scores"], example.label)
            case TaggingExample():
                assert example.tags is not None
                return tagging_loss(outputs, self.gold_tags(example))
            case SpanExample():
                return span_loss(example, outputs)
            case QueryExample():
                raise ValueError("queries are ranked")
            case _:
                assert_never(example)

    def _ranked(self, examples: Sequence[QueryExample]) -> GoalScores:
        assert self.pool is not None
        assert self.vectors is not None
        queries = self.predictor.embed([query_text(e) for e in examples], max_length=self.predictor.query_length)
        index = self.pool.index
        gold = [[index[g] for g in e.gold if g in index] for e in examples]
        most = max((len(g) for g in gold), default=0) + 1
        losses, rights, predictions = [], [], []
        every = zip(examples, queries, gold, rank(queries, self.vectors, gold, most), strict=True)
        for example, query, right, ranked in every:
            rights.append(float(bool(ranked.ranks) and ranked.ranks[0] == 1))
            wrong = [float(s) for i, s in zip(ranked.top, ranked.scores, strict=True) if int(i) not in right]
            scores = (_on_grid(query) * _on_grid(self.vectors[np.array(right, dtype=np.int64)])).sum(axis=1)
            highest = wrong[0] if wrong else -1.0
            ranks = list(ranked.ranks)
            if isinstance(example, DistractedQuery):
                added = self._added_scores(query, example.negatives)
                highest = max([highest, *added])
                # What is added stands behind all others: it wins no tie.
                best = sorted(scores.tolist(), reverse=True)
                ranks = [at + sum(s > score for s in added) for at, score in zip(ranks, best, strict=True)]
                rights[-1] = float(bool(ranks) and ranks[0] == 1)
            losses.append(highest - float(scores.max(initial=-1.0)))
            predictions.append({"ranks": ranks})
        return GoalScores(np.array(losses, dtype=np.float64), np.array(rights, dtype=np.float64), tuple(predictions))

    def _added_scores(self, query: Floats, added: Sequence[Candidate]) -> list[float]:
        """The scores of candidates that are not in the pool, as the pool's own are computed."""
        if self.purification is not None:
            added = self.purification.pool(Pool(tuple(added))).candidates
        vectors = self.predictor.embed([c.text for c in added], [c.context for c in added])
        scores: list[float] = (_on_grid(query) * _on_grid(vectors)).sum(axis=1).tolist()
        return scores


class PredictingVictim:
    """Whatever gives predictions: a function of the user's, or a model behind an address.

    A prediction is `{"scores": [a number a class or choice]}`, `{"tags": […]}`, `{"text": "…"}` or `{"ranks": […]}`
    by kind; `loss` in it stands for our own, which is 1 - rightness where there are no scores. `classes` is the
    number of classes of a pair task, `tags` are those of a tagging task (empty: any), `aliases` other spellings of
    them. Records are in the order of the examples, or have the `id` of theirs (`echoed.py`). Raises a `UserError`
    for NaN, for numbers beyond ±1e100, for a text in place of a number ("0.5"), for another number of scores or tags,
    for a tag that the task does not have, for ranks that right candidates cannot have, and for ids that are not those
    asked.
    """

    def __init__(
        self,
        predict: Callable[[Sequence[Any]], Sequence[Mapping[str, Any]]],
        metric: Metric,
        *,
        classes: int = 0,
        tags: Collection[str] = (),
        aliases: Mapping[str, str] = MappingProxyType({}),
        name: str = "the victim",
    ) -> None:
        self.predict, self.metric, self.classes, self.name = predict, metric, classes, name
        self.tags, self.aliases = tags, aliases

    def __call__(self, examples: Sequence[Any]) -> GoalScores:
        """The goal scores of examples by what is predicted for them."""
        answered = self.predict(list(examples))
        if isinstance(answered, str | Mapping) or not isinstance(answered, Iterable):
            raise self._wrong(f"gives {type(answered).__name__} for {len(examples)} examples, not a list")
        given = list(answered)
        if len(given) != len(examples):
            raise self._wrong(f"gives {len(given)} predictions for {len(examples)} examples")
        try:
            given = in_order_asked([e.id for e in examples], given)
        except ValueError as error:
            hint = "records are in the order of the examples; those of one call are told apart by `id` where all differ"
            raise UserError(f"{self.name} {error}", where="MODEL", hint=hint) from None
        losses, rights, predictions = [], [], []
        for example, record in zip(examples, given, strict=True):
            loss, prediction = self._checked(example, record)
            right = rightness(self.metric, example, prediction)
            losses.append(1 - right if loss is None else loss)
            rights.append(right)
            predictions.append(prediction)
        return GoalScores(np.array(losses, dtype=np.float64), np.array(rights, dtype=np.float64), tuple(predictions))

    def _checked(self, example: Example, record: Any) -> tuple[float | None, Prediction]:
        """The loss, where it is known, and the prediction in Crosswind's form."""
        if not isinstance(record, Mapping):
            raise self._wrong(f"gives {type(record).__name__} for {example.id}, not a record")
        loss = None if record.get("loss") is None else self._number(record["loss"], "loss", example)
        match example:
            case PairExample() | ChoiceExample():
                expected = len(example.choices) if isinstance(example, ChoiceExample) else self.classes
                scores = [self._number(s, "score", example) for s in self._list(record, "scores", example, expected)]
                assert example.label is not None
                prediction: Prediction = {"scores": scores, "predicted": int(np.argmax(scores))}
                return (class_loss(scores, example.label) if loss is None else loss), prediction
            case TaggingExample():
                tags = self._list(record, "tags", example, len(example.words))
                if odd := [t for t in tags if not isinstance(t, str)]:
                    raise self._wrong(f"gives {shown(odd[0])} as a tag of {example.id}")
                tags = [self.aliases.get(t, t) for t in tags]
                if self.tags and (odd := [t for t in tags if t not in self.tags]):
                    what = f"{self.name} gives {shown(odd[0])} as a tag of {example.id}, which is none of the task's"
                    raise UserError(what, where="MODEL", hint=f"the tags are {', '.join(self.tags)}")
                return loss, {"tags": tags}
            case SpanExample():
                if not isinstance(record.get("text"), str):
                    raise self._wrong(f"gives no text for {example.id}")
                return loss, {"text": record["text"]}
            case QueryExample():
                ranks = [self._rank(r, example) for r in self._list(record, "ranks", example, None)]
                if len(ranks) > len(example.gold) or len({*ranks}) < len(ranks):
                    rights = f"{len(example.gold)} right candidate{'s' * (len(example.gold) != 1)}"
                    what = f"gives the ranks {shown(sorted(ranks)[:8])} for {example.id}, which has {rights}"
                    raise self._wrong(f"{what}: one rank each, no two alike")
                return (float(min(ranks, default=0)) if loss is None else loss), {"ranks": sorted(ranks)}
            case _:
                assert_never(example)

    def _list(self, record: Mapping[str, Any], key: str, example: Example, expected: int | None) -> list[Any]:
        values = record.get(key)
        if not isinstance(values, Sequence) or isinstance(values, str):
            raise self._wrong(f"gives no {key} for {example.id}")
        if expected is not None and len(values) != expected:
            raise self._wrong(f"gives {len(values)} {key} for {example.id}, which has {expected}")
        return list(values)

    def _number(self, value: Any, what: str, example: Example) -> float:
        """A number within ±1e100; a text or a truth value that stands for one is none (numbers of tensors are).

        Greater ones are no scores of a model, and their differences would overflow.
        """
        try:
            number = math.nan if isinstance(value, str | bytes | bytearray | bool | np.bool_) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise self._wrong(f"gives {shown(value)} as a {what} of {example.id} ({_beginning(example)})")
        if abs(number) > _GREATEST:
            raise self._wrong(f"gives {shown(value)} as a {what} of {example.id}, which is beyond ±{_GREATEST:g}")
        return number

    def _rank(self, value: Any, example: Example) -> int:
        number = self._number(value, "rank", example)
        if number < 1 or not number.is_integer():
            raise self._wrong(f"gives {shown(value)} as a rank of {example.id}; the best candidate's rank is 1")
        return int(number)

    def _wrong(self, what: str) -> UserError:
        hint = 'a record an example: {"scores": […]}, {"tags": […]}, {"text": "…"} or {"ranks": […]}'
        return UserError(f"{self.name} {what}", where="MODEL", hint=hint)


def owned_by(number: int, rows: Sequence[Row]) -> list[Row]:
    """Rows as those of example `number` of a call."""
    return [Row(r.ids, r.types, number, r.positions, r.first, r.offsets, r.cut) for r in rows]


def _beginning(example: Example) -> str:
    return repr(next((t for t in text_fields(example).values() if t), "")[:60])


def _on_grid(vectors: Floats) -> Any:
    return np.rint(np.asarray(vectors, dtype=np.float64) * _GRID) / _GRID
