"""Spelling correction: a word that no list knows becomes the most frequent known word one edit away.

The list of a language is the file `LL.txt` of the folder that the study names with `words`: a word, a blank or tab,
and how often it was seen. Words are found by their deletions (Garbe 2012, SymSpell): two words are one edit apart, a
swap of neighbours included (Damerau 1964), only if deleting at most one cluster of each makes them equal.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from rapidfuzz.distance import OSA

from crosswind.errors import UserError
from crosswind.evaluate.purify import Cleaning, Purifier
from crosswind.perturb.graphemes import clusters
from crosswind.perturb.rewrite import Edit
from crosswind.perturb.words import base_language, cased_like, is_turkic, is_unspaced, lowered, words
from crosswind.reading import lines

SHORTEST = 4  # clusters: of shorter words nearly every one has a neighbour


class Speller:
    """The known words of a language with their counts, found by what one deletion makes of them."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self.counts = counts
        self._near: defaultdict[str, list[str]] = defaultdict(list)
        for word in counts:
            for shorter in {word, *_deletions(word)}:
                self._near[shorter].append(word)

    def corrected(self, word: str) -> str:
        """The word itself if it is known, short or far from all others; else its most frequent neighbour."""
        if word in self.counts or len(clusters(word)) < SHORTEST:
            return word
        near = {other for shorter in (word, *_deletions(word)) for other in self._near.get(shorter, ())}
        fit = [other for other in near if OSA.distance(clusters(word), clusters(other)) == 1]
        return min(fit, key=lambda other: (-self.counts[other], other), default=word)


def _deletions(word: str) -> list[str]:
    parts = clusters(word)
    return ["".join(parts[:i] + parts[i + 1 :]) for i in range(len(parts))]


@lru_cache(maxsize=8)
def _speller(path: Path, modified: int, turkic: bool) -> Speller:
    counts: dict[str, int] = {}
    for number, line in lines(path):
        if not line.strip():
            continue
        word, _, count = line.strip().replace("\t", " ").rpartition(" ")
        if not word or not count.isdecimal():
            raise UserError("is no word with a number", where=f"{path}:{number}", hint="write a word, a tab, its count")
        word = lowered(word.strip(), turkic)
        counts[word] = counts.get(word, 0) + int(count)
    return Speller(counts)


def _file(language: str, folder: str | None) -> Path:
    if folder is None:
        raise UserError("correcting needs lists of words", where="words", hint="name their folder: words: DIR")
    path = Path(folder) / f"{base_language(language)}.txt"
    if not path.is_file():
        raise UserError(f"no list of words for {language}", where=str(path), hint="a word, a tab and its count a line")
    return path


def _prepare(language: str, folder: str | None) -> Sequence[Cleaning]:
    if is_unspaced(language):
        return ()  # A wrong character changes where the words are.
    path, turkic = _file(language, folder), is_turkic(language)
    speller = _speller(path, path.stat().st_mtime_ns, turkic)

    def clean(text: str) -> list[Edit]:
        edits = []
        for start, end in ((s.start, s.end) for s in words(text, language)):
            word = text[start:end]
            lower = lowered(word, turkic)
            new = speller.corrected(lower)
            if new != lower and not any(c.isdigit() for c in word):
                edits.append((start, end, cased_like(new, word, turkic)))
        return edits

    return (clean,)


def _resources(language: str, folder: str | None) -> Mapping[str, str]:
    if is_unspaced(language):
        return {}
    path = _file(language, folder)
    return {f"words/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()}


CORRECT = Purifier(
    name="correct",
    summary="an unknown word becomes the most frequent known one that is one edit away",
    source="Damerau 1964; Garbe 2012 (SymSpell); word-level correction as a defence: Pruthi et al. 2019",
    made_for=frozenset({"delete", "duplicate", "insert", "keyboard", "real-noise", "substitute", "swap"}),
    prepare=_prepare,
    resources=_resources,
)
