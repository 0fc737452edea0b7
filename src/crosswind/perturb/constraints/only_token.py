"""The only word of a text stays: a hypothesis, an option or a query of one word has nothing else to be known by."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.data.examples import Span
from crosswind.perturb.alternatives import Sites
from crosswind.perturb.applied import Constraint
from crosswind.perturb.constraint import ConstraintKind, Settings
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given
from crosswind.perturb.words import words


def _mask(passage: Passage, sites: Sites) -> Sequence[bool]:
    parts = passage.parts or (Span(0, len(passage.text)),)
    single: list[tuple[int, int]] = []
    for part in parts:
        text = passage.text[part.start : part.end]
        count = len(passage.words) if passage.words else len(words(text, passage.language))
        if count < 2:
            single.append((part.start, part.end))
    return [
        not any((start < high and end > low) or low <= start == end <= high for low, high in single)
        for start, end in zip(sites.starts, sites.ends, strict=True)
    ]


def _make(name: str, settings: Settings, given: Given) -> Constraint:
    return Constraint(name, mask=_mask)


ONLY_TOKEN = ConstraintKind(
    name="only-token",
    summary="a text of a single word stays as it is",
    source="own",
    make=_make,
)
