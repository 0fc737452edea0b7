"""Spelling correction: a word that no list knows becomes the most frequent known word one edit away.

The list of a language is the file `LL.txt` of the folder that the study names with `words`: a word, a blank or tab,
and how often it was seen. Words are found by their deletions (Garbe 2012, SymSpell): two words are one edit apart, a
swap of neighbours included (Damerau 1964), only if deleting at most one cluster of each makes them equal.

`correct(model=NAME)` chooses among the known words by a masked language model: the one that is likeliest in its place,
and of equal ones the most frequent. It can choose from more: words of three clusters have a choice too, and where no
word is one edit away and the unknown one is long, those at two. Other words of the text are read as they are written.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

from crosswind.errors import UserError
from crosswind.evaluate.purify import Cleaning, Contextual, MaskedScores, Purifier
from crosswind.perturb.graphemes import clusters
from crosswind.perturb.rewrite import Edit
from crosswind.perturb.words import base_language, cased_like, is_turkic, is_unspaced, lowered, words
from crosswind.reading import lines

SHORTEST = 4  # clusters: of shorter words nearly every one has a neighbour
SHORTEST_CHOSEN = 3  # the same where a model chooses among them
SHORTEST_FAR = 5  # clusters: of longer words a model chooses among those at two edits too
MOST_CHOICES = 32  # the most frequent ones that a model chooses from
_WINDOW = 300  # characters on each side of a word that the model reads
_KEPT = 20_000  # texts of which corrections are kept


class Speller:
    """The known words of a language with their counts, found by what one deletion makes of them."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self.counts = counts
        self._near: defaultdict[str, list[str]] = defaultdict(list)
        for word in counts:
            for shorter in {word, *_deletions(word)}:
                self._near[shorter].append(word)
        # Made where they are asked for: the words by their number of clusters, and what was at two edits of a word.
        self._by_length: defaultdict[int, tuple[list[str], list[Sequence[str]]]] = defaultdict(lambda: ([], []))
        self._far: dict[str, list[str]] = {}

    def corrected(self, word: str) -> str:
        """The word itself if it is known, short or far from all others; else its most frequent neighbour."""
        return next(iter(self.neighbours(word)), word)

    def neighbours(self, word: str, shortest: int = SHORTEST) -> list[str]:
        """The known words at one edit, the most frequent first; none of a word that is known or short."""
        if word in self.counts or len(clusters(word)) < shortest:
            return []
        near = {other for shorter in (word, *_deletions(word)) for other in self._near.get(shorter, ())}
        return self._frequent(other for other in near if OSA.distance(clusters(word), clusters(other)) == 1)

    def choices(self, word: str) -> list[str]:
        """What a model chooses from: the known words at one edit, or at two where there are none and it is long."""
        if (near := self.neighbours(word, SHORTEST_CHOSEN)) or word in self.counts:
            return near[:MOST_CHOICES]
        if len(clusters(word)) < SHORTEST_FAR:
            return []
        if word not in self._far:
            if len(self._far) >= _KEPT:
                self._far.clear()
            self._far[word] = self._frequent(self._at_two(clusters(word)))[:MOST_CHOICES]
        return self._far[word]

    def _at_two(self, parts: list[str]) -> Iterator[str]:
        if not self._by_length:
            for word in self.counts:
                listed, cut = self._by_length[len(clusters(word))]
                listed.append(word)
                cut.append(clusters(word))
        for length in range(len(parts) - 2, len(parts) + 3):
            listed, cut = self._by_length.get(length, ([], []))
            for _, _, i in process.extract(parts, cut, scorer=OSA.distance, score_cutoff=2, limit=None):
                yield listed[i]

    def _frequent(self, words: Iterable[str]) -> list[str]:
        return sorted(words, key=lambda other: (-self.counts[other], other))


class _Chosen(Contextual):
    """Corrections that a masked language model chooses; what it chose for a text is kept, for so many texts."""

    def __init__(self, speller: Speller, language: str, model: MaskedScores) -> None:
        self._speller, self._language, self._model = speller, language, model
        self._turkic = is_turkic(language)
        self._kept: dict[str, list[Edit]] = {}

    def __call__(self, text: str) -> Sequence[Edit]:
        if text not in self._kept:
            self.ahead([text])
        return self._kept[text]

    def ahead(self, texts: Sequence[str]) -> None:
        fresh = [text for text in dict.fromkeys(texts) if text not in self._kept]
        places: list[tuple[str, int, int]] = []
        choices: list[list[str]] = []
        for text in fresh:
            for start, end, near in self._unknown(text):
                places.append((text, start, end))
                choices.append([cased_like(word, text[start:end], self._turkic) for word in near])
        # Where one word is near there is nothing to choose.
        several = [i for i, some in enumerate(choices) if len(some) > 1]
        windows = [_window(*places[i]) for i in several]
        scores = dict(zip(several, self._model.likelihoods(windows, [choices[i] for i in several]), strict=True))
        while self._kept and len(self._kept) + len(fresh) > _KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept |= {text: [] for text in fresh}
        for i, ((text, start, end), some) in enumerate(zip(places, choices, strict=True)):
            best = max(range(len(some)), key=scores[i].__getitem__) if i in scores else 0
            self._kept[text].append((start, end, some[best]))

    def _unknown(self, text: str) -> Iterator[tuple[int, int, list[str]]]:
        """The words of a text that are not known, with the known ones that are near."""
        for span in words(text, self._language):
            word = text[span.start : span.end]
            near = [] if any(c.isdigit() for c in word) else self._speller.choices(lowered(word, self._turkic))
            if near:
                yield span.start, span.end, near


def _window(text: str, start: int, end: int) -> tuple[str, int, int]:
    """A place with the text around it, cut at blanks: so far and no farther the model looks."""
    low, high = max(0, start - _WINDOW), min(len(text), end + _WINDOW)
    if low:
        low = min(text.find(" ", low, start) + 1 or start, start)
    if high < len(text):
        high = max(text.rfind(" ", end, high), end)
    return text[low:high], start - low, end - low


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


def _speller_of(language: str, folder: str | None) -> Speller:
    path = _file(language, folder)
    return _speller(path, path.stat().st_mtime_ns, is_turkic(language))


def _prepare(language: str, folder: str | None) -> Sequence[Cleaning]:
    if is_unspaced(language):
        return ()  # A wrong character changes where the words are.
    speller, turkic = _speller_of(language, folder), is_turkic(language)

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


def _prepare_with(language: str, folder: str | None, model: MaskedScores) -> Sequence[Cleaning]:
    if is_unspaced(language):
        return ()
    return (_Chosen(_speller_of(language, folder), language, model),)


def _resources(language: str, folder: str | None) -> Mapping[str, str]:
    if is_unspaced(language):
        return {}
    path = _file(language, folder)
    return {f"words/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()}


CORRECT = Purifier(
    name="correct",
    summary="an unknown word becomes the most frequent known one that is one edit away, or the likeliest there",
    source="Damerau 1964; Garbe 2012 (SymSpell); word-level correction as a defence: Pruthi et al. 2019",
    made_for=frozenset({"delete", "duplicate", "insert", "keyboard", "real-noise", "substitute", "swap"}),
    prepare=_prepare,
    prepare_with=_prepare_with,
    resources=_resources,
)
