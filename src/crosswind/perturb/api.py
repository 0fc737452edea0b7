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
from crosswind.data.languages import spelled
from crosswind.errors import UserError
from crosswind.perturb.constraint import parse_constraints
from crosswind.perturb.dataset import perturb_example
from crosswind.perturb.extent import Extent, check_fields
from crosswind.perturb.lexicons import environment_of
from crosswind.perturb.spec import Spec, parse_spec
from crosswind.perturb.table import perturb_table, perturb_texts

SpecLike = str | Spec
"""A specification as users write it, or parsed."""

_parsed = lru_cache(maxsize=256)(parse_spec)  # one example a call asks for the same again and again


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
    may change: columns of text, or of lists of words, which stay as many in the same order (what moves, adds or drops
    words is refused: tags beside them could not follow). Where `context` may change and there is a column `answers` as
    SQuAD has it, the answers' texts and offsets follow. Of an example `fields` are as in a study
    (premise, hypothesis, question, context, choices, query, text; default: all of its texts) and `language` is its
    own. Equal rows of a table or list get different draws, and the result does not depend on their order. `lexicons`
    is the folder for `codemix`; a draw is that of the study in which `task` and ids are the same.

    Raises `UserError` for an unknown perturbation, field, column or constraint, and `NotApplicable` where the
    perturbation has nothing to change.
    """
    parsed = _parsed(spec) if isinstance(spec, str) else spec
    environment = environment_of(lexicons, where="lexicons")
    named = [c.made() for c in parse_constraints(constraints, where="constraints")] if constraints else []
    if hasattr(data, "column_names") and hasattr(data, "map"):
        return perturb_table(data, parsed, _known(language), seed, fields, environment, named)
    if hasattr(data, "cluster") and hasattr(data, "language"):
        usual = _usual(data)
        chosen = Extent(check_fields(fields, "fields")).of(kind_of(data), usual)
        if not chosen:
            raise UserError(f"an example of kind {kind_of(data)} has no {' or '.join(fields)}", where="fields")
        if language is not None and spelled(language, "language") != spelled(data.language, "example"):
            hint = "leave out `language`: an example knows its own"
            raise UserError(f"the example is in {data.language}, not in {language}", where="language", hint=hint)
        made = perturb_example(
            data, parsed, task=task, draw=seed, fields=chosen, environment=environment, constraints=named
        )
        return made.example
    if fields:
        raise UserError("texts have no fields", where="fields", hint="leave them out")
    if isinstance(data, str):
        return perturb_texts([data], parsed, _known(language), seed, environment, named)[0]
    if isinstance(data, Sequence) and all(isinstance(text, str) for text in data):
        return perturb_texts(data, parsed, _known(language), seed, environment, named)
    hint = "give a text, a list of texts, an example or a datasets.Dataset"
    raise UserError(f"a {type(data).__name__} cannot be perturbed", where="data", hint=hint)


def _known(language: str | None) -> str:
    if language is None:
        raise UserError("the language is not named", where="language", hint='for example perturb(text, spec, "de")')
    return spelled(language, "language")


def _usual(example: Example) -> tuple[str, ...]:
    if isinstance(example, TaggingExample):
        return ("words",)
    return tuple(dict.fromkeys(name.partition(".")[0] for name, text in text_fields(example).items() if text))
