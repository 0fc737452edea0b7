"""Translated phrases: phrases of a text become what stands for them in the same item's translations.

The translations are the data set's own: this knows what an attacker may not (oracle access). Words are aligned by the
hidden states of a multilingual encoder, phrases of up to four words are those that no link leaves (Koehn et al. 2003).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from crosswind.data.examples import Dataset, Example, text_fields
from crosswind.perturb.alternatives import Alternatives, DrawnSite, Option, SiteAddress, Sites
from crosswind.perturb.draw import choose
from crosswind.perturb.needs import DataNeed, ModelNeed, Need
from crosswind.perturb.passage import WHOLE, Passage
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.set_off import set_off
from crosswind.perturb.words import base_language, cased_like, is_unspaced, segmentation, words
from crosswind.tasks.base import TASKS

_LONGEST = 4  # words of a phrase (Tan & Joty 2021, §3.2)
_ALIGNER = "aligner"


class PairAligner(Protocol):
    """What links the words of sentence pairs."""

    def __call__(self, pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Sequence[Sequence[tuple[int, int]]]:
        """For each pair the links (word of the first, word of the second)."""
        ...


_Where = tuple[str, int, int]  # language, first word, one behind the last word


class _Phrase(NamedTuple):
    start: int
    end: int
    options: dict[Option, list[_Where]]


class _PhraseSites(Sites):
    """Sites that remember where in the translations their options stand."""

    def __init__(self, phrases: Sequence[_Phrase], passage: Passage) -> None:
        options = [tuple(p.options) for p in phrases]
        # Phrases of different lengths begin at one word.
        counters = [p.start * (_LONGEST + 1) + n for n, p in _numbered(phrases)]
        starts, ends = [p.start for p in phrases], [p.end for p in phrases]
        super().__init__(starts, ends, options.__getitem__, counters=counters, passage=passage)
        self.phrases = phrases


class _Translated:
    def __init__(self, setting: Setting, data: Sequence[tuple[str, Dataset]], aligner: PairAligner) -> None:
        self._language, self._aligner = setting.language, aligner
        self._data = [(language, {e.id: e for e in some.examples}) for language, some in data]

    def lacking(self, passages: Sequence[Passage]) -> str | None:
        if any(_parallel(p, translations) is not None for p in passages for _, translations in self._data):
            return None
        return f"no item has its translation among the data of {', '.join(language for language, _ in self._data)}"

    def sites(self, passages: Sequence[Passage]) -> list[Sites]:
        phrases = self._phrases(passages)
        return [_PhraseSites(some, passage) for passage, some in zip(passages, phrases, strict=True)]

    def origins(self, sites: Sites, index: int) -> dict[Option, list[_Where]]:
        assert isinstance(sites, _PhraseSites)
        return sites.phrases[index].options

    def draw(self, at: Sequence[DrawnSite]) -> list[Option | None]:
        return [options[choose(bits, len(options))] for options, bits in ((s.options(i), bits) for s, i, bits in at)]

    def all(self, at: Sequence[SiteAddress], most: int | None = None) -> list[Sequence[Option]]:
        return [sites.options(index)[:most] for sites, index in at]

    def _phrases(self, passages: Sequence[Passage]) -> list[list[_Phrase]]:
        """The phrases of each passage with what stands for them in each language."""
        regions: list[dict[tuple[int, int], dict[Option, list[_Where]]]] = [{} for _ in passages]
        for language, translations in self._data:
            numbers, pairs, spans = [], [], []
            for number, passage in enumerate(passages):
                other = _parallel(passage, translations)
                if other is None:
                    continue
                mine = words(passage.text, passage.language)
                theirs = words(other, language)
                if mine and theirs:
                    numbers.append(number)
                    spans.append((mine, theirs, other))
                    texts = [passage.text[w.start : w.end] for w in mine]
                    pairs.append((texts, [other[w.start : w.end] for w in theirs]))
            for number, (mine, theirs, other), links in zip(numbers, spans, self._aligner(pairs), strict=True):
                text = passages[number].text
                for (i, j), (k, m) in _consistent(links, len(mine)):
                    start, end = mine[i].start, mine[j].end
                    new = cased_like(other[theirs[k].start : theirs[m].end], text[start:end], False)
                    if new.casefold() == text[start:end].casefold():
                        continue
                    option = set_off(text, start, end, new) if is_unspaced(passages[number].language) else new
                    stands = regions[number].setdefault((start, end), {}).setdefault(option, [])
                    stands.append((language, k, m + 1))
        return [[_Phrase(start, end, o) for (start, end), o in sorted(some.items())] for some in regions]


def _numbered(phrases: Sequence[_Phrase]) -> Iterator[tuple[int, _Phrase]]:
    """Each phrase with its number among those of its start."""
    start, number = -1, 0
    for phrase in phrases:
        number = number + 1 if phrase.start == start else 0
        start = phrase.start
        yield number, phrase


def _parallel(passage: Passage, translations: dict[str, Example]) -> str | None:
    """The text of the same field of the same item; `None` where the other language lacks it."""
    other = translations.get(passage.id)
    if other is None or passage.field == WHOLE:
        return None
    return text_fields(other).get(passage.field) or None


def _consistent(links: Sequence[tuple[int, int]], count: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The phrase pairs (first and last word of each side) that hold a link and that no link leaves."""
    by_source: list[list[int]] = [[] for _ in range(count)]
    by_target: dict[int, list[int]] = {}
    for a, b in links:
        by_source[a].append(b)
        by_target.setdefault(b, []).append(a)
    for i in range(count):
        for j in range(i, min(i + _LONGEST, count)):
            targets = [b for a in range(i, j + 1) for b in by_source[a]]
            if not targets or not by_source[i] or not by_source[j]:
                continue
            low, high = min(targets), max(targets)
            if high - low < _LONGEST and all(i <= a <= j for b in range(low, high + 1) for a in by_target.get(b, ())):
                yield (i, j), (low, high)


def _embedded(setting: Setting) -> tuple[str, ...]:
    given = setting.params["embed"]
    assert isinstance(given, tuple)
    languages = TASKS[setting.task].languages if setting.task in TASKS else ()
    wanted = [code for code in languages if code in given or base_language(code) in given]
    return tuple(code for code in dict.fromkeys(wanted) if code != setting.language)


def _needs(setting: Setting) -> tuple[Need, ...]:
    data = tuple(DataNeed(f"translation {code}", language=code) for code in _embedded(setting))
    return (*data, ModelNeed(_ALIGNER, str(setting.params["model"])))


def _applies(setting: Setting) -> str | None:
    if setting.kind not in ("pair", "choice", "span"):
        return f"no translations of {setting.kind} examples are aligned"
    if not _embedded(setting):
        return f"the task has no translation into an embedded language beside {setting.language}"
    return None


def _prepare(setting: Setting, given: Given) -> Alternatives:
    data = [(code, given[f"translation {code}"]) for code in _embedded(setting)]
    return _Translated(setting, data, given[_ALIGNER])


TRANSLATED_PHRASE = Perturbation(
    name="translated-phrase",
    nature="preserving",
    summary="a phrase of up to four words becomes what stands for it in the item's own translation (oracle access)",
    source="Tan & Joty 2021 (Code-Mixing on Sesame Street), §3.2 (Bumblebee); Koehn et al. 2003, §2.2 (phrases)",
    unit="aligned phrase",
    languages="parallel tasks of pairs, choices and questions (XNLI, PAWS-X, XCOPA, XQuAD)",
    needs=_needs,
    applies=_applies,
    prepare=_prepare,
    resources=lambda setting: {"translated-phrase": "1", **segmentation(setting.language, endings=False)},
    params=(
        Param("embed", "list", "embedded languages: embed=de,zh", language=True),
        Param("model", "text", "a multilingual encoder whose hidden states align words: a hub's id or a folder"),
    ),
)
