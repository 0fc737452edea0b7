"""Perturbing from Python, in a line: a text, texts, an example, or columns of a `datasets.Dataset` or `DatasetDict`.

    >>> import crosswind
    >>> crosswind.perturb("Does it survive?", "keyboard:0.2", "en", seed=1)

`crosswind.perturb` is this function and the room of perturbations in one: a module that can be called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import index
from os import PathLike
from pathlib import Path
from typing import Any

from crosswind.data.examples import Dataset, Example, TaggingExample, kind_of, text_fields
from crosswind.data.languages import spelled
from crosswind.errors import UserError, shown
from crosswind.perturb.applied import Constraint
from crosswind.perturb.constraint import NamedConstraint, parse_constraints
from crosswind.perturb.dataset import perturb_dataset, perturb_examples
from crosswind.perturb.extent import Extent, check_fields
from crosswind.perturb.given import ByRole, check_roles
from crosswind.perturb.lexicons import environment_of
from crosswind.perturb.lines import LineNoise
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.spec import Spec, TextScope, parse_spec
from crosswind.perturb.table import is_table, perturb_table
from crosswind.tasks.base import TASKS

SpecLike = str | Spec
"""A specification as users write it, or parsed."""

_parsed = lru_cache(maxsize=256)(parse_spec)  # one example a call asks for the same again and again


def perturb_anything(
    data: Any,
    spec: SpecLike,
    language: str | None = None,
    seed: int = 1,
    *,
    fields: str | Sequence[str] = (),
    constraints: str | Sequence[str] = (),
    lexicons: str | Path | None = None,
    resolved: Mapping[Any, Any] | None = None,
    task: str = "",
) -> Any:
    """`data` after a perturbation, as the same kind of thing; `seed`, an integer from 0, is the number of the draw.

    A text, a list of texts, an example of any kind, or a `datasets.Dataset`, of which `fields` name the columns that
    may change: columns of text, or of lists of words, which stay as many in the same order (what moves, adds or drops
    words is refused: tags beside them could not follow). Where `context` may change and there is a column `answers` as
    SQuAD has it, the answers' texts and offsets follow. Of a `datasets.DatasetDict` every split is perturbed as alone.
    Of an example `fields` are as in a study (premise, hypothesis, question, context, choices, query, text; default: all
    of its texts) and `language` is its own. Equal rows of a table or list get different draws, and the result does not
    depend on their order. A name alone stands for a list of one. `lexicons` is the folder for `codemix`; a draw is that
    of the study in which `task` and ids are the same.

    `resolved` holds what the perturbation and the constraints need besides, by its role: a model for `masked-lm`,
    `similarity` or `aligner` (`crosswind.model.needed.loaded_model(role, FOLDER)`), a `Dataset` of this package for
    `donors` or `translation de`. Such a `Dataset` may be perturbed too, in the fields of its task: it, and a table with
    its answers, lends its own donors.

    Raises `UserError` for an unknown perturbation, language, field, column, constraint or need, for what is needed and
    not given, for a seed that is none, for a value that is no text (with its row), and `NotApplicable` where the
    perturbation has nothing to change.
    """
    if not isinstance(spec, str | Spec):
        raise UserError(f"{shown(spec)} is no perturbation", where="spec", hint='for example "keyboard:0.1"')
    parsed = _parsed(spec) if isinstance(spec, str) else spec
    fields, asked = _names(fields, "fields"), _names(constraints, "constraints")
    if not isinstance(lexicons, str | PathLike | None):
        raise UserError(f"{shown(lexicons)} names no folder", where="lexicons", hint="give its path")
    if not isinstance(task, str):
        raise UserError(f"{shown(task)} is no name of a task", where="task", hint="give a text")
    draw = _draw_number(seed)
    environment = environment_of(lexicons, where="lexicons")
    given = _Given(parsed, parse_constraints(asked, where="constraints") if asked else (), resolved)
    if is_table(data):
        scopes = [TextScope(_known(language), kind, fields, environment) for kind in ("line", "tagging", "span")]
        met, named = given.met(*scopes)
        return perturb_table(data, parsed, _known(language), draw, fields, environment, named, met)
    if isinstance(data, Dataset):
        return _dataset_after(data, given, language, draw, fields, environment)
    if hasattr(data, "cluster") and hasattr(data, "language"):
        usual = _usual(data)
        chosen = Extent(check_fields(fields, "fields")).of(kind_of(data), usual)
        if not chosen:
            raise UserError(f"an example of kind {kind_of(data)} has no {' or '.join(fields)}", where="fields")
        if language is not None and _known(language) != spelled(data.language, "example"):
            hint = "leave out `language`: an example knows its own"
            raise UserError(f"the example is in {data.language}, not in {language}", where="language", hint=hint)
        met, named = given.met(TextScope(data.language, kind_of(data), chosen, environment, task))
        (made,) = perturb_examples(
            [data],
            parsed,
            task=task,
            draw=draw,
            fields=chosen,
            environment=environment,
            resolved=met,
            constraints=named,
            whole_set=True,
        )
        return made.example
    if fields:
        raise UserError("texts have no fields", where="fields", hint="leave them out")
    if isinstance(data, str):
        return _lines_after([data], given, _known(language), draw, environment)[0]
    if isinstance(data, Sequence) and not isinstance(data, bytes | bytearray):
        for number, text in enumerate(data):
            if not isinstance(text, str):
                hint = "a list is one of texts; examples are perturbed one by one: [perturb(e, spec) for e in examples]"
                raise UserError(f"{shown(text)} is no text", where=f"data[{number}]", hint=hint)
        return _lines_after(data, given, _known(language), draw, environment)
    hint = "give a text, a list of texts, an example, a datasets.Dataset or DatasetDict, or a Dataset of a task"
    raise UserError(f"a {type(data).__name__} cannot be perturbed", where="data", hint=hint)


@dataclass(frozen=True)
class _Given:
    """A perturbation and constraints with what users bring for them."""

    spec: Spec
    constraints: tuple[NamedConstraint, ...]
    resolved: Mapping[Any, Any] | None

    def met(self, *scopes: TextScope) -> tuple[ByRole | None, list[Constraint]]:
        """What their needs resolve to in some scopes, and the constraints that are made of it."""
        met = None
        if self.resolved is not None:
            if not isinstance(self.resolved, Mapping):
                hint = 'give {role: what it is}, such as {"masked-lm": model}'
                raise UserError(f"{shown(self.resolved)} says not what is for what", where="resolved", hint=hint)
            check_roles(self.resolved, self.spec, scopes, self.constraints)
            met = ByRole(self.resolved)
        return met, [c.made(met) for c in self.constraints]


def _lines_after(texts: Sequence[str], given: _Given, language: str, draw: int, environment: Environment) -> list[str]:
    """Lines after noise, as the filter `crosswind perturb` makes them."""
    met, named = given.met(TextScope(language, environment=environment))
    noise = LineNoise(given.spec, language, draw=draw, environment=environment, resolved=met, constraints=named)
    return noise.perturbed(texts)


def _dataset_after(
    data: Dataset, given: _Given, language: str | None, draw: int, fields: Sequence[str], environment: Environment
) -> Dataset:
    """A data set after noise, which lends itself the donors that the perturbation needs."""
    if language is not None and _known(language) != spelled(data.language, "data"):
        hint = "leave out `language`: a data set knows its own"
        raise UserError(f"the data are in {data.language}, not in {language}", where="language", hint=hint)
    task = TASKS.get(data.task, where="data")
    chosen = Extent(check_fields(fields, "fields")).of(task.kind, task.perturbed)
    if not chosen:
        raise UserError(f"examples of kind {task.kind} have no {' or '.join(fields)}", where="fields")
    scope = TextScope(data.language, task.kind, chosen, environment, task.name)
    met, named = given.met(scope)
    met = (met or ByRole({})).of(data)
    made = perturb_dataset(
        data, given.spec, draw=draw, fields=chosen, environment=environment, resolved=met, constraints=named
    )
    return made.dataset


def _names(given: str | Sequence[str], where: str) -> tuple[str, ...]:
    """The names given, of which one may stand alone."""
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise UserError(f"{shown(given)} is no list of names", where=where, hint="give a list of texts")
    return tuple(names)


def _draw_number(seed: object) -> int:
    """The number of a draw. `True` and 1.0 are none: equal to 1, they would draw otherwise."""
    try:
        number = None if isinstance(seed, bool) else index(seed)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or number < 0:
        raise UserError(f"{shown(seed)} is no number of a draw", where="seed", hint="give an integer from 0: seed=1")
    return number


def _known(language: object) -> str:
    if not isinstance(language, str):
        what = "the language is not named" if language is None else f"{shown(language)} is no language code"
        raise UserError(what, where="language", hint='for example perturb(text, spec, "de")')
    return spelled(language, "language")


def _usual(example: Example) -> tuple[str, ...]:
    for name, text in text_fields(example).items():
        if not isinstance(text, str):
            raise UserError(f"the {name} of {example.id} is {shown(text)}, no text", where="data", hint="give texts")
    if isinstance(example, TaggingExample):
        return ("words",)
    return tuple(dict.fromkeys(name.partition(".")[0] for name, text in text_fields(example).items() if text))
