"""At most so many characters of a text may change, come or go."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rapidfuzz.distance import Levenshtein

from crosswind.perturb.constraint import ConstraintKind, Settings, Threshold
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param


def _measure(settings: Settings, given: Given) -> Callable[[Sequence[tuple[Passage, Passage]]], Sequence[float]]:
    return lambda pairs: [float(Levenshtein.distance(before.text, after.text)) for before, after in pairs]


_THRESHOLD = Threshold("most", _measure, decimals=0)

EDIT_DISTANCE = ConstraintKind(
    name="edit-distance",
    summary="characters that come, go or become another one (Levenshtein), at most this many in a text",
    source="DeepWordBug's limit, 30 (Gao et al. 2018); Levenshtein 1966",
    make=_THRESHOLD.constraint,
    threshold=_THRESHOLD,
    params=(Param("most", "integer", "edits of characters in a text", default=30, low=0),),
)
