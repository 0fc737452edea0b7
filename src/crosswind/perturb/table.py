"""Perturbing lines, and columns of a `datasets.Dataset`: texts, lists of words, contexts with their answers."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crosswind.data.examples import Dataset, Span, SpanExample, TaggingExample
from crosswind.errors import UserError, shown, unknown
from crosswind.perturb.applied import Constraint
from crosswind.perturb.dataset import perturb_examples
from crosswind.perturb.given import ByRole
from crosswind.perturb.lines import LineNoise, line_ids
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.pieces import Keep
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import Spec

_BATCH = 1000  # rows of a table that are perturbed at once; the result does not depend on it
_ANSWERS, _CONTEXT, _QUESTION = "answers", "context", "question"


def is_table(data: Any) -> bool:
    """Whether it is a data set of the library `datasets`, or several splits of one; one that is streamed too."""
    return hasattr(data, "column_names") and hasattr(data, "map")


def perturb_table(
    table: Any,
    spec: Spec,
    language: str,
    seed: int,
    fields: Sequence[str],
    environment: Environment,
    constraints: Sequence[Constraint],
    resolved: ByRole | None = None,
) -> Any:
    """A `datasets.Dataset` of which the columns `fields` changed, and `answers` where they lie in a changed context.

    Of a `DatasetDict` each split becomes what it would become alone. Raises a `UserError` for data that are streamed,
    which nobody can count before they are read.
    """
    noise = _Noise(spec, language, seed, environment, constraints, resolved or ByRole({}))
    if not isinstance(table, dict):
        return _perturbed(noise, table, fields)
    splits: dict[str, Any] = {}
    for name, split in table.items():
        try:
            splits[name] = _perturbed(noise, split, fields)
        except UserError as error:
            raise type(error)(error.what, where=f"split {name}, {error.where}", hint=error.hint) from None
    return type(table)(splits)


def _perturbed(noise: _Noise, table: Any, fields: Sequence[str]) -> Any:
    if not hasattr(table, "num_rows"):
        hint = "take rows into memory: datasets.Dataset.from_list(list(stream.take(1000))), or give a list of texts"
        raise UserError(f"{type(table).__name__}: it is streamed, and has no rows yet", where="data", hint=hint)
    if not fields:
        hint = f"name the columns: fields=[…] of {', '.join(table.column_names)}"
        raise UserError("which columns may change is not named", where="fields", hint=hint)
    for name in fields:
        if name not in table.column_names:
            raise unknown("column", name, table.column_names, where="fields")
    columns: dict[str, list[Any]] = {}
    rest = list(fields)
    if _CONTEXT in fields and _ANSWERS in table.column_names:
        if _ANSWERS in fields:
            raise UserError("answers follow the context", where="fields", hint="leave out `answers`")
        together = [name for name in (_QUESTION, _CONTEXT) if name in fields]
        columns |= _reading(noise, table, together)
        rest = [name for name in fields if name not in together]
    for name in rest:
        values = list(table[name])
        if any(isinstance(v, list) for v in values):
            columns[name] = _words(noise, name, values)
        else:
            _require_texts(values, name)
            columns[name] = noise.lines(values)

    def put(batch: dict[str, list[Any]], rows: list[int]) -> dict[str, list[Any]]:
        return batch | {name: [values[i] for i in rows] for name, values in columns.items()}

    return table.map(
        put, with_indices=True, batched=True, batch_size=_BATCH, features=table.features, load_from_cache_file=False
    )


def _require_texts(values: Sequence[Any], name: str) -> None:
    """A `UserError` for the first row whose column `name` holds no text."""
    for row, value in enumerate(values):
        if not isinstance(value, str):
            hint = "columns that may change hold texts, or lists of words; leave out the rows that have none"
            raise UserError(f"{shown(value)} is no text, in the column {name!r}", where=f"row {row}", hint=hint)


@dataclass(frozen=True)
class _Noise:
    spec: Spec
    language: str
    seed: int
    environment: Environment
    constraints: Sequence[Constraint]
    resolved: ByRole

    def __call__(self, examples: Sequence[Any], fields: Sequence[str]) -> list[Any]:
        itself = Dataset("", self.language, "", tuple(examples))
        return perturb_examples(
            examples,
            self.spec,
            task="",
            draw=self.seed,
            fields=fields,
            environment=self.environment,
            resolved=self.resolved.of(itself),
            constraints=self.constraints,
            whole_set=True,
        )

    def lines(self, texts: Sequence[str]) -> list[str]:
        """Lines after noise."""
        noise = LineNoise(
            self.spec,
            self.language,
            draw=self.seed,
            environment=self.environment,
            resolved=self.resolved,
            constraints=self.constraints,
        )
        return noise.perturbed(texts)


def _words(noise: _Noise, name: str, values: Sequence[list[str]]) -> list[list[str]]:
    """Lists of words, each as long as it was and in its order: columns beside them hold tags by position."""
    hint = "perturb examples of a tagging task, whose tags follow (crosswind export writes their files)"
    for atom in noise.spec.atoms:
        if atom.perturbation.changes_words:
            what = f"{atom.name} adds or drops words, and tags beside the column {name!r} could not follow"
            raise UserError(what, where="fields", hint=hint)
    for row, words in enumerate(values):
        if not isinstance(words, list) or not all(isinstance(w, str) and w for w in words):
            odd = words if not isinstance(words, list) else next(w for w in words if not isinstance(w, str) or not w)
            what = (
                f"{shown(odd)} is no {'word' if isinstance(words, list) else 'list of words'}, in the column {name!r}"
            )
            raise UserError(what, where=f"row {row}", hint="leave out the rows that have none")
    ids = [f"{name}/{i}" for i in line_ids(" ".join(words) for words in values)]
    examples = [TaggingExample(i, i, noise.language, tuple(v), None) for i, v in zip(ids, values, strict=True)]
    changed = noise(examples, ("words",))
    for row, (perturbed, before) in enumerate(zip(changed, values, strict=True)):
        if len(perturbed.example.words) != len(before) or any(_moves(r, before) for r in perturbed.rewrites.values()):
            what = f"words of the column {name!r} would move or be other in number, and tags beside it could not follow"
            raise UserError(what, where=f"row {row}", hint=hint)
    return [list(p.example.words) for p in changed]


def _moves(rewrite: Rewrite, words: Sequence[str]) -> bool:
    """Whether something of a word stands behind something of a later one, of a text that is these words in a row."""
    starts = list(itertools.accumulate((len(word) + 1 for word in words), initial=0))
    owners = [bisect_right(starts, piece.start) for piece in rewrite.pieces if isinstance(piece, Keep)]
    return any(b < a for a, b in itertools.pairwise(owners))


def _reading(noise: _Noise, table: Any, fields: Sequence[str]) -> dict[str, list[Any]]:
    """Questions and contexts, and the answers where they lie now."""
    contexts, answers = list(table[_CONTEXT]), list(table[_ANSWERS])
    questions = list(table[_QUESTION]) if _QUESTION in table.column_names else [""] * len(contexts)
    _require_texts(contexts, _CONTEXT)
    if _QUESTION in fields:
        _require_texts(questions, _QUESTION)
    questions = [question or "" for question in questions]
    spans = [_spans(row, *pair) for row, pair in enumerate(zip(contexts, answers, strict=True))]
    ids = line_ids(f"{question}\n{context}" for question, context in zip(questions, contexts, strict=True))
    examples = [
        SpanExample(i, i, noise.language, question, context, some)
        for i, question, context, some in zip(ids, questions, contexts, spans, strict=True)
    ]
    changed = [p.example for p in noise(examples, fields)]
    new = [
        {**before, "text": list(e.answer_texts), "answer_start": [a.start for a in e.answers]}
        for e, before in zip(changed, answers, strict=True)
    ]
    return {name: [getattr(e, name) for e in changed] for name in fields} | {_ANSWERS: new}


def _spans(row: int, context: Any, answers: Any) -> tuple[Span, ...]:
    hint = 'answers are {"text": [...], "answer_start": [...]} as in SQuAD; rename the column if it is something else'
    texts, starts = (answers.get(n) for n in ("text", "answer_start")) if isinstance(answers, Mapping) else (None, None)
    if not isinstance(context, str) or not isinstance(texts, list) or not isinstance(starts, list):
        raise UserError(f"{shown(answers)} says not where answers lie", where=f"row {row}", hint=hint)
    spans = []
    for text, start in itertools.zip_longest(texts, starts):
        if not isinstance(text, str) or not isinstance(start, int) or context[start : start + len(text)] != text:
            raise UserError(f"the answer {shown(text)} is not at {start} of its context", where=f"row {row}", hint=hint)
        if not text:
            raise UserError(
                "an answer is empty", where=f"row {row}", hint="an unanswerable question has no answers: []"
            )
        spans.append(Span(start, start + len(text)))
    return tuple(spans)
