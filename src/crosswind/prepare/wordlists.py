"""Alphabets and frequency lists out of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import regex

from crosswind.data.languages import script_of
from crosswind.perturb.graphemes import clusters
from crosswind.perturb.words import is_turkic, lowered
from crosswind.prepare.lexicon import word_list

_LETTER = regex.compile(r"\p{L}")
_CONSONANT = regex.compile(r"\p{Indic_Syllabic_Category=Consonant}")
_SCRIPTS = {"Hans": ("Han",), "Hant": ("Han",), "Hani": ("Han",), "Jpan": ("Han", "Hira", "Kana"), "Kore": ("Hang",)}


def letter_counts(lines: Iterable[str], language: str) -> list[tuple[str, int]]:
    """(letter, occurrences) in the script of the language, the commonest first; letters are lower case.

    A letter has its marks (ẹ́), but in the scripts of India the vowel signs of a consonant are none of it. Letters of
    other scripts (names, loan words) are left out.
    """
    code = script_of(language)
    names = _SCRIPTS.get(code, (code,))
    in_script = regex.compile("|".join(rf"\p{{Script_Extensions={name}}}" for name in names))
    turkic = is_turkic(language)
    counts: Counter[str] = Counter()
    for line in lines:
        for cluster in clusters(lowered(line, turkic)):
            if _LETTER.match(cluster) and in_script.match(cluster):
                counts[cluster[0] if _CONSONANT.match(cluster) else cluster] += 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def word_counts(lines: Iterable[str], language: str) -> list[tuple[str, int]]:
    """(word in lower case, occurrences), the commonest first, equal ones by the alphabet."""
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(word_list(line, language))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
