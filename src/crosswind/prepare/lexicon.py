"""Bilingual lexicons and phrase tables from parallel text, by aligned words.

A word's translations are the words that it is linked to by both directions of the aligner, ranked by Dice's
coefficient of their links (Dice 1945; Melamed 2000, "Models of translational equivalence among words", §3, on why
association beats conditional probability for rare words). Phrases are those consistent with the links (Koehn, Och &
Marcu 2003, "Statistical Phrase-Based Translation", §3.1), at most four words long, as Bumblebee's are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from crosswind.perturb.words import is_turkic, is_unspaced, lowered, words
from crosswind.prepare.align import Link, WordPair, align

LONGEST_PHRASE = 4  # words; Tan & Joty 2021 (Bumblebee), §3.2

RankedTranslations = Mapping[str, tuple[tuple[str, int, float], ...]]
"""Word or phrase -> its translations, the best first: (text, links, score)."""


@dataclass(frozen=True, slots=True)
class Derived:
    """What was derived from parallel text: translations of words and of phrases, and how many pairs there were."""

    words: RankedTranslations
    phrases: RankedTranslations
    pairs: int


def derive_lexicon(
    pairs: Sequence[tuple[str, str]], source: str, target: str, *, least: int = 2, phrases: bool = True
) -> Derived:
    """The lexicon of (text, translation) pairs from one language to another; words are lower-cased.

    A translation has at least `least` links: one link is a guess by place. Raises a `UserError` where a language
    needs a segmenter that is not there.
    """
    cut = [(word_list(a, source), word_list(b, target)) for a, b in pairs]
    links = align(cut, symmetrise="intersection")
    table = _ranked_words(cut, links, least)
    if not phrases:
        return Derived(table, {}, len(pairs))
    grown = align(cut, symmetrise="grow-diag-final-and")
    joins = ("" if is_unspaced(source) else " ", "" if is_unspaced(target) else " ")
    return Derived(table, _ranked_phrases(cut, grown, joins, least), len(pairs))


def word_list(text: str, language: str) -> list[str]:
    """The words of a text in lower case, as the language writes it."""
    turkic = is_turkic(language)
    return [lowered(text[w.start : w.end], turkic) for w in words(text, language)]


def phrase_spans(links: Sequence[Link], longest: int = LONGEST_PHRASE) -> Iterator[tuple[int, int, int, int]]:
    """(start, end, start, end) of source and target of every pair of phrases that is consistent with the links.

    Consistent: no word of the one is linked to a word outside the other, and there is a link (Koehn et al. 2003).
    Unlinked words at the borders of a target phrase are not taken in.
    """
    if not links:
        return
    by_source: dict[int, list[int]] = {}
    by_target: dict[int, list[int]] = {}
    for s, t in links:
        by_source.setdefault(s, []).append(t)
        by_target.setdefault(t, []).append(s)
    for start in sorted(by_source):
        targets: list[int] = []
        for end in range(start + 1, start + longest + 1):
            targets += by_source.get(end - 1, [])
            if end - 1 not in by_source:
                continue  # A phrase begins and ends with linked words.
            low, high = min(targets), max(targets) + 1
            inside = (s for t in range(low, high) for s in by_target.get(t, ()))
            if high - low <= longest and all(start <= s < end for s in inside):
                yield start, end, low, high


def _ranked_words(cut: Sequence[WordPair], links: Sequence[Sequence[Link]], least: int) -> RankedTranslations:
    counts: Counter[tuple[str, str]] = Counter()
    sources: Counter[str] = Counter()
    targets: Counter[str] = Counter()
    for (a, b), some in zip(cut, links, strict=True):
        sources.update(a)
        targets.update(b)
        counts.update((a[s], b[t]) for s, t in some)
    return _ranked(counts, sources, targets, least)


def _ranked_phrases(
    cut: Sequence[WordPair], links: Sequence[Sequence[Link]], joins: tuple[str, str], least: int
) -> RankedTranslations:
    counts: Counter[tuple[str, str]] = Counter()
    for (a, b), some in zip(cut, links, strict=True):
        for start, end, low, high in phrase_spans(some):
            if end - start > 1 or high - low > 1:
                counts[joins[0].join(a[start:end]), joins[1].join(b[low:high])] += 1
    sources: Counter[str] = Counter()
    targets: Counter[str] = Counter()
    for (phrase, other), n in counts.items():
        sources[phrase] += n
        targets[other] += n
    return _ranked(counts, sources, targets, least)


def _ranked(
    counts: Mapping[tuple[str, str], int], sources: Mapping[str, int], targets: Mapping[str, int], least: int
) -> RankedTranslations:
    """By Dice's coefficient, then by links, then by the alphabet, so that nothing depends on an order of hashing."""
    table: dict[str, list[tuple[str, int, float]]] = {}
    for (word, other), n in counts.items():
        if n >= least:
            table.setdefault(word, []).append((other, n, 2 * n / (sources[word] + targets[other])))
    return {word: tuple(sorted(table[word], key=lambda t: (-t[2], -t[1], t[0]))) for word in sorted(table)}
