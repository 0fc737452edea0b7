"""Names of persons, places and organisations, in letters that every script can write.

Every split has names of its own (`bank`), which no other split's examples hold; the corpora have all. One
stem may name a family, a town and a firm: what a name is, its sentence says.
"""

from __future__ import annotations

from functools import cache

from crosswind.data.microworld.draws import WorldDraw

_ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "dr", "kr", "tr")
_VOWELS = ("a", "e", "i", "o", "u")
_CODAS = ("", "", "l", "n", "r", "s")

GIVEN, STEMS = 600, 500
_SHARES = (("train", 0.5), ("dev", 0.1), ("test", 0.2), ("test2", 0.2))


@cache
def given_names(bank: str) -> tuple[str, ...]:
    """The given names of people of a split; of the bank `all`, everybody's."""
    return _part(_invented("given", GIVEN, 2), bank)


@cache
def stems(bank: str) -> tuple[str, ...]:
    """Names of families, towns and firms alike."""
    return _part(_invented("stem", STEMS, 2), bank)


def _part(names: tuple[str, ...], bank: str) -> tuple[str, ...]:
    if bank == "all":
        return names
    start = 0.0
    for name, share in _SHARES:
        if name == bank:
            return names[round(start * len(names)) : round((start + share) * len(names))]
        start += share
    raise KeyError(bank)


@cache
def _invented(kind: str, n: int, syllables: int) -> tuple[str, ...]:
    draw = WorldDraw("names", kind)
    invented: dict[str, None] = {}
    taken = set(_invented("given", GIVEN, 2)) if kind == "stem" else set()
    while len(invented) < n:
        parts = [draw.pick(_ONSETS) + draw.pick(_VOWELS) + draw.pick(_CODAS) for _ in range(syllables)]
        name = "".join(parts) + (draw.pick(("a", "o", "")) if kind == "given" else draw.pick(("", "un", "ek", "ia")))
        if name not in taken:
            invented[name] = None
    return tuple(invented)
