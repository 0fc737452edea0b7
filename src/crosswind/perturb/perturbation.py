"""What a perturbation is: a family of alternatives, one file a perturbation, found by `PERTURBATIONS`.

A perturbation says which sites of a passage may change and what each may become. Noise draws from the
alternatives at a severity, an attack searches them: one definition serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from crosswind.data.examples import Candidate, QueryExample
from crosswind.errors import UserError
from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.applied import Constraint
from crosswind.perturb.needs import Need
from crosswind.perturb.passage import PassageKind
from crosswind.registry import Registry

Nature = Literal["preserving", "diagnostic"]
Value = str | int | float | tuple[str, ...]


class Lexicons(Protocol):
    """Bilingual lexicons: who passes them in decides where they come from."""

    def translations(self, source: str, target: str) -> Mapping[str, tuple[str, ...]]:
        """Lower-cased word of `source` -> its words in `target`, best first; a `UserError` if there is none."""
        ...

    def lacking(self, source: str, target: str) -> str | None:
        """Why there is no lexicon from `source` to `target`, or `None`; nothing is read for it."""
        ...

    def fingerprints(self, source: str, target: str) -> Mapping[str, str]:
        """File name -> SHA-256 of what `translations` reads."""
        ...


@dataclass(frozen=True, slots=True)
class Environment:
    """What a perturbation may need and a lower room cannot own."""

    lexicons: Lexicons | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What alternatives are prepared for.

    The language and the kind of the passages, the fields of them that may change (`choices` stands for
    all options; `text` and `context` of a candidate), the parameters' values, the environment, and the name
    of the task (empty for lines).
    """

    language: str
    params: Mapping[str, Value]
    environment: Environment = field(default_factory=Environment)
    kind: PassageKind = "line"
    fields: tuple[str, ...] = ("text",)
    task: str = ""


Given = Mapping[str, Any]
"""What the needs resolved to, by role: a `Dataset`, the path of a step's folder, a model's place."""

Additions = Callable[[Sequence[tuple[Candidate | QueryExample, int]]], Sequence[Sequence[Candidate]]]
"""For each drawn (candidate of the pool or query, 64 random bits) the candidates that it adds to the pool."""


def _everywhere(setting: Setting) -> str | None:
    return None


def _nothing(setting: Setting) -> tuple[Need, ...]:
    return ()


class NotApplicable(UserError):  # noqa: N818  (it is a verdict on a cell, and callers skip the cell)
    """A perturbation has no alternatives in a language: the cell is left out, never silently unchanged."""


@dataclass(frozen=True, slots=True)
class Param:
    """A typed parameter.

    A `location` says where data lies: it is no part of a draw's identity. A list of `language` codes has each in one
    spelling.
    """

    name: str
    type: Literal["text", "integer", "number", "list"]
    summary: str
    default: Value | None = None  # None: must be given, unless it is a location
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    location: bool = False
    language: bool = False


@dataclass(frozen=True, kw_only=True)
class Perturbation:
    """A declaration.

    * `nature` is `preserving` if the label holds under it and `diagnostic` if it need not (then it never
      enters robustness aggregates). `unit` is what severity is a share of. `languages` says in words where
      it applies. `source` is the publication or standard behind it.
    * `needs` says what else it needs: data sets, what steps make, models. They are part of the plan.
    * `applies` says why it has no alternatives for a language, a kind of example and its fields, or `None`
      if it has some; it loads nothing.
    * `prepare` makes the alternatives from the setting and what the needs resolved to, by role. It loads
      what it needs once. It is called only where the perturbation applies.
    * `kept` says what, besides the setting, prepared alternatives depend on (when a file was last modified): they
      are kept in memory while it stays the same. `None` keeps none.
    * `resources` names the data that the result depends on, by SHA-256 or version.
    * `whole`: its passages are whole examples, all texts of one as `parts`. It may move, change or (of a
      choice question) add parts; severity is then mostly a share of examples.
    * `changes_words`: words of tagged sentences may come (an option's `New` carries their tag) or go.
    * `changes_form`: it means to leave the normal form of a text or to tear grapheme clusters. Of every
      other perturbation such changes are not made.
    * `constraints` hold whenever it is applied.
    * `add` adds candidates to the pool of a retrieval task instead of changing texts: its units are the
      candidates or queries that it draws, by `adds_for`.
    """

    name: str
    nature: Nature
    summary: str
    source: str
    unit: str
    languages: str
    prepare: Callable[[Setting, Given], Alternatives] | None = None
    params: tuple[Param, ...] = ()
    needs: Callable[[Setting], tuple[Need, ...]] = _nothing
    applies: Callable[[Setting], str | None] = _everywhere
    resources: Callable[[Setting], Mapping[str, str]] = lambda setting: {}
    kept: Callable[[Setting], Hashable | None] = lambda setting: ()
    whole: bool = False
    changes_words: bool = False
    changes_form: bool = False
    constraints: tuple[Constraint, ...] = ()
    add: Callable[[Setting, Given], Additions] | None = None
    adds_for: Literal["candidates", "queries"] = "candidates"

    def __post_init__(self) -> None:
        if (self.prepare is None) == (self.add is None):
            raise ValueError(f"the perturbation {self.name!r} declares either `prepare` or `add`")


PERTURBATIONS: Registry[Perturbation] = Registry(
    "perturbation", "crosswind.perturb.families", "crosswind.perturbations", Perturbation
)
