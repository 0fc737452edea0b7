"""At most a share of the words may be hit."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.perturb.applied import Constraint
from crosswind.perturb.constraint import ConstraintKind, Settings
from crosswind.perturb.diff import rewrite_between
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param
from crosswind.perturb.words import words


def _make(name: str, settings: Settings, given: Given) -> Constraint:
    most = float(str(settings["most"]))

    def check(pairs: Sequence[tuple[Passage, Passage]]) -> Sequence[bool]:
        verdicts = []
        for before, after in pairs:
            spans = before.words or words(before.text, before.language)
            verdicts.append(rewrite_between(before.text, after.text).edit_rate(spans) <= most)
        return verdicts

    return Constraint(name, check=check)


EDIT_RATE = ConstraintKind(
    name="edit-rate",
    summary="words hit (changed, moved, joined, put in) for each word of the original, at most this many",
    source="BERT-Attack's limit on changed words, 0.4 (Li et al. 2020, §4.2)",
    make=_make,
    params=(Param("most", "number", "words hit for each word of the original", default=0.4, low=0.0),),
    version="2",
)
