"""Numbers stay: every digit of the text, of whatever script, in its order, and no further one."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from crosswind.perturb.alternatives import Sites
from crosswind.perturb.applied import Constraint
from crosswind.perturb.constraint import ConstraintKind, Settings, clear_of
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given

_NUMBER = regex.compile(r"\p{N}+(?:[.,:/٫٬’'·]\p{N}+)*")


def _mask(passage: Passage, sites: Sites) -> Sequence[bool]:
    return clear_of(sites, [m.span() for m in _NUMBER.finditer(passage.text)])


def _check(pairs: Sequence[tuple[Passage, Passage]]) -> Sequence[bool]:
    return [_NUMBER.findall(before.text) == _NUMBER.findall(after.text) for before, after in pairs]


def _make(name: str, settings: Settings, given: Given) -> Constraint:
    return Constraint(name, mask=_mask, check=_check)


DIGITS = ConstraintKind(
    name="digits",
    summary="numbers stay as they are, in their order, and no others come",
    source="CheckList's invariance tests leave numbers alone (Ribeiro et al. 2020, §2.2)",
    make=_make,
)
