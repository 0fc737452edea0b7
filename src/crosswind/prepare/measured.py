"""A derived lexicon measured against one that people made: precision at 1, as MUSE's own evaluation has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LexiconScore:
    """`words` of the derived lexicon, those that the gold one `known`s, and of these the shares (0 to 1) whose best
    (`first`) or any (`any_of`) translation is one of the gold ones."""

    words: int
    known: int
    first: float
    any_of: float


def score_lexicon(derived: Mapping[str, tuple[str, ...]], gold: Mapping[str, tuple[str, ...]]) -> LexiconScore:
    """Of the words that both have, how many get a translation that the gold lexicon has (Conneau et al. 2018, §4.1)."""
    first = any_of = known = 0
    for word, others in derived.items():
        if word not in gold or not others:
            continue
        right = {other.lower() for other in gold[word]}
        known += 1
        first += others[0].lower() in right
        any_of += any(other.lower() in right for other in others)
    return LexiconScore(len(derived), known, first / known if known else 0.0, any_of / known if known else 0.0)
