"""Perturbing from Python, in a line: a text, texts, an example, or a column of a `datasets.Dataset`.

    >>> import crosswind
    >>> crosswind.perturb("Does it survive?", "keyboard:0.2", "en", seed=1)

`crosswind.perturb` is this function and the room of perturbations in one: a module that can be called.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from crosswind.data.examples import Example, TaggingExample, kind_of, text_fields
from crosswind.errors import UserError, unknown
from crosswind.perturb.applied import Constraint
from crosswind.perturb.constraint import parse_constraints
from crosswind.perturb.dataset import perturb_example, perturb_examples
from crosswind.perturb.extent import Extent, check_fields
from crosswind.perturb.lexicons import environment_of
from crosswind.perturb.lines import line_ids
from crosswind.perturb.noise import numbered, perturb_passages
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.spec import Spec, TextScope, parse_spec

SpecLike = str | Spec
"""A specification as users write it, or parsed."""

_parsed = lru_cache(maxsize=256)(parse_spec)  # one example a call asks for the same again and again

_BATCH = 1000  # rows of a table that are perturbed at once; the result does not depend on it


def perturb_anything(
    data: Any,
    spec: SpecLike,
    language: str | None = None,
    seed: int = 1,
    *,
    fields: Sequence[str] = (),
    constraints: Sequence[str] = (),
    lexicons: str | Path | None = None,
    task: str = "",
) -> Any:
    """`data` after a perturbation, as the same kind of thing; `seed` is the number of the draw.

    A text, a list of texts, an example of any kind, or a `datasets.Dataset`, of which `fields` name the columns that
    may change: columns of text, or of lists of words, which stay as many. Of an example `fields` are as in a study
    (premise, hypothesis, question, context, choices, query, text; default: all of its texts) and `language` is its
    own. Equal rows of a table or list get different draws, and the result does not depend on their order. `lexicons`
    is the folder for `codemix`; a draw is that of the study in which `task` and ids are the same.

    Raises `UserError` for an unknown perturbation, field, column or constraint, and `NotApplicable` where the
    perturbation has nothing to change.
    """
    parsed = _parsed(spec) if isinstance(spec, str) else spec
    environment = environment_of(lexicons)
    named = [c.made() for c in parse_constraints(constraints, where="constraints")] if constraints else []
    if hasattr(data, "column_names") and hasattr(data, "map"):
        return _table(data, parsed, _known(language), seed, fields, environment, named)
    if hasattr(data, "cluster") and hasattr(data, "language"):
        usual = _usual(data)
        chosen = Extent(check_fields(fields, "fields")).of(kind_of(data), usual)
        if not chosen:
            raise UserError(f"an example of kind {kind_of(data)} has no {' or '.join(fields)}", where="fields")
        if language is not None and language != data.language:
            hint = "leave out `language`: an example knows its own"
            raise UserError(f"the example is in {data.language}, not in {language}", where="language", hint=hint)
        made = perturb_example(
            data, parsed, task=task, draw=seed, fields=chosen, environment=environment, constraints=named
        )
        return made.example
    if fields:
        raise UserError("texts have no fields", where="fields", hint="leave them out")
    if isinstance(data, str):
        return _texts([data], parsed, _known(language), seed, environment, named)[0]
    if isinstance(data, Sequence) and all(isinstance(text, str) for text in data):
        return _texts(data, parsed, _known(language), seed, environment, named)
    hint = "give a text, a list of texts, an example or a datasets.Dataset"
    raise UserError(f"a {type(data).__name__} cannot be perturbed", where="data", hint=hint)


def _known(language: str | None) -> str:
    if language is None:
        raise UserError("the language is not named", where="language", hint='for example perturb(text, spec, "de")')
    return language


def _usual(example: Example) -> tuple[str, ...]:
    if isinstance(example, TaggingExample):
        return ("words",)
    return tuple(dict.fromkeys(name.partition(".")[0] for name, text in text_fields(example).items() if text))


def _texts(
    texts: Sequence[str],
    spec: Spec,
    language: str,
    seed: int,
    environment: Environment,
    constraints: Sequence[Constraint],
) -> list[str]:
    """Lines after noise, as the filter `crosswind perturb` makes them."""
    scope = TextScope(language, environment=environment)
    prepared = {(atom, language, scope.kind): atom.prepare(scope) for atom in spec.atoms}
    passages = [Passage.line(t, language, i) for t, i in zip(texts, line_ids(texts), strict=True)]
    atoms = list(numbered(spec.atoms))
    noised = perturb_passages(passages, atoms, draw_number=seed, prepared=prepared, constraints=constraints)
    return noised.texts


def _table(
    table: Any,
    spec: Spec,
    language: str,
    seed: int,
    fields: Sequence[str],
    environment: Environment,
    constraints: Sequence[Constraint],
) -> Any:
    if not fields:
        hint = f"name the columns: fields=[…] of {', '.join(table.column_names)}"
        raise UserError("which columns may change is not named", where="fields", hint=hint)
    columns: dict[str, list[Any]] = {}
    for name in fields:
        if name not in table.column_names:
            raise unknown("column", name, table.column_names, where="fields")
        values = list(table[name])
        if all(isinstance(v, str) for v in values):
            columns[name] = _texts(values, spec, language, seed, environment, constraints)
            continue
        if not all(isinstance(v, list) and all(isinstance(w, str) for w in v) for v in values):
            raise UserError(f"the column {name!r} holds neither texts nor lists of words", where="fields")
        ids = [f"{name}/{i}" for i in line_ids(" ".join(words) for words in values)]
        examples = [TaggingExample(i, i, language, tuple(v), None) for i, v in zip(ids, values, strict=True)]
        changed = perturb_examples(
            examples, spec, task="", draw=seed, fields=("words",), environment=environment, constraints=constraints
        )
        columns[name] = [list(getattr(p.example, "words", ())) for p in changed]
    features = table.features

    def put(batch: dict[str, list[Any]], rows: list[int]) -> dict[str, list[Any]]:
        return batch | {name: [values[i] for i in rows] for name, values in columns.items()}

    return table.map(
        put, with_indices=True, batched=True, batch_size=_BATCH, features=features, load_from_cache_file=False
    )
