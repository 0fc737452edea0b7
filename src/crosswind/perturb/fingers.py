"""The typos of MulTypo: one in a word, of four kinds, by fingers and hands.

Zhao et al. 2026 (Evaluating Robustness of Large Language Models Against Multilingual Typographical Errors, ACL; arXiv
2510.09536). The weights are those of the authors' package, PyPI `multypo` 0.1.1: a letter is deleted, doubled by a
neighbouring key behind it, replaced by a neighbouring key, or changes places with the next one, with weights .28, .15,
.28, .28. A key beside a key is nine times as likely as one above or below it. The first letter of a word never changes;
of the others the weight rises from .1 to .2 towards the end of the word. Two letters change places only where different
hands type them. Words with digits stay.

Other than there, letters are grapheme clusters, each word is drawn on its own (there a share of the words is drawn,
longer ones more often), a key gives what the layout has for its script, and doubled letters are not replaced together.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import lru_cache

import regex

from crosswind.perturb.alternatives import Listed, Sites
from crosswind.perturb.graphemes import clusters
from crosswind.perturb.passage import Passage
from crosswind.perturb.words import lowered, raised, words

_DELETE, _INSERT, _REPLACE, _TRANSPOSE = 0.28, 0.15, 0.28, 0.28
_BESIDE, _ABOVE = 9.0, 1.0
_FIRST, _LAST = 0.1, 0.2
_MIDDLE = 5.4  # between t, g, b and y, h, n, in key widths from the edge of the row of digits

_WORD = regex.compile(r"[\p{L}\p{M}\u200c\u200d]+")

PlacedKey = tuple[str, float, int]
"""What a key gives, and where its centre lies: x in key widths, the number of its row."""


def finger_typos(keys: Sequence[PlacedKey], alike: Mapping[str, Sequence[str]], language: str, turkic: bool) -> Listed:
    """The typos of words by the keys of a layout; `alike[key]` are the keys that it may be missed for."""
    near = _near(keys, alike)
    left = {key: x < _MIDDLE for key, x, _ in keys}

    @lru_cache(maxsize=65536)
    def typos(word: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
        weights: dict[str, float] = {}

        def add(units: Sequence[str], weight: float) -> None:
            typo = "".join(units)
            if typo != word:
                weights[typo] = weights.get(typo, 0.0) + weight

        units = clusters(word)
        n = len(units)
        share = [1.0] if n == 2 else [_FIRST + (_LAST - _FIRST) * i / max(1, n - 2) for i in range(n - 1)]
        total = sum(share)
        exchanged = [i for i in range(1, n - 1) if _hands_differ(units[i], units[i + 1], left, turkic)]
        for i, weight in enumerate(share, 1):
            part = weight / total
            add([*units[:i], *units[i + 1 :]], _DELETE * part)
            others = near.get(lowered(units[i], turkic), {})
            for key, likely in others.items():
                typed = raised(key, turkic) if units[i] != lowered(units[i], turkic) else key
                add([*units[: i + 1], typed, *units[i + 1 :]], _INSERT * part * likely)
                add([*units[:i], typed, *units[i + 1 :]], _REPLACE * part * likely)
        for i in exchanged:
            add([*units[:i], units[i + 1], units[i], *units[i + 2 :]], _TRANSPOSE / len(exchanged))
        return tuple(weights), tuple(weights.values())

    def sites(passage: Passage) -> Sites:
        text = passage.text
        at = [w for w in words(text, language) if w.end - w.start > 1 and _WORD.fullmatch(text, w.start, w.end)]
        of = [typos(text[w.start : w.end]) for w in at]
        kept = [i for i, (options, _) in enumerate(of) if options]
        return Sites(
            [at[i].start for i in kept],
            [at[i].end for i in kept],
            lambda i: of[kept[i]][0],
            weights=lambda i: of[kept[i]][1],
        )

    return Listed(sites)


def _hands_differ(a: str, b: str, left: Mapping[str, bool], turkic: bool) -> bool:
    hands = [left.get(lowered(unit, turkic)) for unit in (a, b)]
    return None not in hands and hands[0] != hands[1]


def _near(keys: Sequence[PlacedKey], alike: Mapping[str, Sequence[str]]) -> dict[str, dict[str, float]]:
    """Key -> the keys that it is missed for, and how likely each is: those of its row nine times those of others."""
    near: dict[str, dict[str, float]] = {}
    for (key, _, row), (other, _, other_row) in itertools.permutations(keys, 2):
        if other in alike.get(key, ()):
            near.setdefault(key, {})[other] = _BESIDE if row == other_row else _ABOVE
    return {k: {o: w / sum(others.values()) for o, w in others.items()} for k, others in near.items()}
