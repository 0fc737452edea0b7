"""What a perturbation is: a family of alternatives, one file a perturbation, found by `PERTURBATIONS`.

A perturbation says which positions of a text may change and what each may become. Noise draws from
the alternatives at a severity, an attack searches them: one definition serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, overload

from crosswind.errors import UserError
from crosswind.perturb.pieces import Piece
from crosswind.registry import Registry

Nature = Literal["preserving", "diagnostic"]
Value = str | int | float | tuple[str, ...]

Option = str | tuple[Piece, ...]
"""What a region may become: a text, or pieces of the same text in another order (a local permutation)."""


class Site(NamedTuple):
    """A region `start:end` of a text that may change, and what it may become (never what it is)."""

    start: int
    end: int
    options: tuple[Option, ...]


class Sites(Sequence[Site]):
    """The alternatives of one text, by ascending start, at most one site a start.

    Options are made when they are asked for: noise looks at the few sites that it drew.
    """

    __slots__ = ("_options", "ends", "starts")

    def __init__(
        self, starts: Sequence[int], ends: Sequence[int], options: Callable[[int], tuple[Option, ...]]
    ) -> None:
        self.starts, self.ends, self._options = starts, ends, options

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[Site]:
        return (self._site(i) for i in range(len(self.starts)))

    @overload
    def __getitem__(self, index: int) -> Site: ...

    @overload
    def __getitem__(self, index: slice) -> list[Site]: ...

    def __getitem__(self, index: int | slice) -> Site | list[Site]:
        if isinstance(index, slice):
            return [self._site(i) for i in range(*index.indices(len(self.starts)))]
        return self._site(range(len(self.starts))[index])

    def options(self, index: int) -> tuple[Option, ...]:
        return self._options(index)

    def _site(self, index: int) -> Site:
        return Site(self.starts[index], self.ends[index], self._options(index))


Alternatives = Callable[[str], Sites]
"""The alternatives of a text, in the language and with the parameters that they were prepared for."""


class Lexicons(Protocol):
    """Bilingual lexicons: who passes them in decides where they come from."""

    def translations(self, source: str, target: str) -> Mapping[str, tuple[str, ...]]:
        """Lower-cased word of `source` -> its words in `target`, best first; a `UserError` if there is none."""
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
    """What alternatives are prepared for: a language, the parameters' values and the environment."""

    language: str
    params: Mapping[str, Value]
    environment: Environment = field(default_factory=Environment)


class NotApplicable(UserError):  # noqa: N818  (it is a verdict on a cell, and callers skip the cell)
    """A perturbation has no alternatives in a language: the cell is left out, never silently unchanged."""


@dataclass(frozen=True, slots=True)
class Param:
    """A typed parameter. A `location` says where data lies: it is no part of a draw's identity."""

    name: str
    type: Literal["text", "integer", "number", "list"]
    summary: str
    default: Value | None = None  # None: must be given, unless it is a location
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    location: bool = False


@dataclass(frozen=True, kw_only=True)
class Perturbation:
    """A declaration.

    `nature` is `preserving` if the label holds under it and `diagnostic` if it need not (then it
    never enters robustness aggregates). `unit` is what severity is a share of. `languages` says in
    words where it applies. `prepare` raises `NotApplicable` for a language without alternatives and
    loads what it needs once; `resources` names the data that the result depends on, by SHA-256 or
    version. `source` is the publication or standard behind it.
    """

    name: str
    nature: Nature
    summary: str
    source: str
    unit: str
    languages: str
    prepare: Callable[[Setting], Alternatives]
    params: tuple[Param, ...] = ()
    resources: Callable[[Setting], Mapping[str, str]] = lambda setting: {}


PERTURBATIONS: Registry[Perturbation] = Registry(
    "perturbation", "crosswind.perturb.families", "crosswind.perturbations", Perturbation
)
