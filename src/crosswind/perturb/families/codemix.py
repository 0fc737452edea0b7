"""Code-mixing, word by word: words of the matrix language become words of the embedded languages.

In a text without spaces (Chinese, Japanese, Thai) a word of a spaced language gets spaces around it,
which belong to a labelled span only if both sides of them do.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import lru_cache

import numpy as np

from crosswind.errors import UserError
from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.chunks import WordMemo
from crosswind.perturb.codes import Integers, TextBatch
from crosswind.perturb.columns import Columned, Columns, OptionTable
from crosswind.perturb.lexicons import LexiconFolder
from crosswind.perturb.longest import entries_inside, longest_entries
from crosswind.perturb.perturbation import Given, Lexicons, NotApplicable, Param, Perturbation, Setting
from crosswind.perturb.senses import REFERENCE, parallel_codes, reference_needs, referenced
from crosswind.perturb.set_off import set_off_columns
from crosswind.perturb.single_characters import single_characters
from crosswind.perturb.words import (
    KEPT_LENGTH,
    base_language,
    cased_like,
    is_turkic,
    is_unspaced,
    lowered,
    segmentation,
    word_columns,
)
from crosswind.reading import expanded


def _lexicons(setting: Setting) -> Lexicons:
    location = setting.params.get("lexicon")
    if location:
        return LexiconFolder(expanded(str(location), "lexicons"))
    if setting.environment.lexicons is None:
        raise UserError(
            "codemix needs bilingual lexicons",
            hint="name their folder: codemix(embed=de,zh,lexicon=DIR), where DIR holds en-de.txt, en-zh.txt, …",
        )
    return setting.environment.lexicons


def _embedded(setting: Setting) -> tuple[str, list[str]]:
    """The matrix language and the embedded languages other than it."""
    matrix = base_language(setting.language)
    given = setting.params["embed"]
    assert isinstance(given, tuple)
    embedded = [e for e in map(base_language, given) if e != matrix]
    if not embedded:
        raise NotApplicable(f"codemix embeds only {', '.join(given)}, the language of the text itself")
    return matrix, embedded


def _applies(setting: Setting) -> str | None:
    if (reason := single_characters("codemix", setting)) is not None:
        return reason
    lexicons = _lexicons(setting)
    if setting.params["senses"] == REFERENCE and not parallel_codes(setting):
        return f"no {setting.kind} examples of this task have a translation into an embedded language"
    try:
        matrix, embedded = _embedded(setting)
    except NotApplicable as error:
        return error.what
    return next((reason for e in embedded if (reason := lexicons.lacking(matrix, e)) is not None), None)


def _prepare(setting: Setting, given: Given) -> Alternatives:
    matrix, embedded = _embedded(setting)
    lexicons = _lexicons(setting)
    tables = [(lexicons.translations(matrix, e), is_turkic(e)) for e in embedded]
    most = int(str(setting.params["translations"]))
    if setting.params["senses"] == REFERENCE:
        turkic = is_turkic(matrix)
        mixed = {
            e: _Mixed(_translator([t], most, turkic), setting.language) for e, t in zip(embedded, tables, strict=True)
        }
        return referenced([(code, mixed[base_language(code)], given[code]) for code in parallel_codes(setting)])
    return _Mixed(_translator(tables, most, is_turkic(matrix)), setting.language)


def _translator(
    tables: list[tuple[Mapping[str, tuple[str, ...]], bool]], most: int, turkic: bool
) -> Callable[[str], tuple[str, ...]]:
    """What gives the translations of a word."""

    @lru_cache(maxsize=65536)
    def known(word: str) -> tuple[str, ...]:
        others = _translations(lowered(word, turkic), word, tables, most)
        return tuple(dict.fromkeys(o for o in (unicodedata.normalize("NFC", o) for o in others) if o != word))

    def translations(word: str) -> tuple[str, ...]:
        lower = lowered(word, turkic)
        return known(word) if any(lower in table for table, _ in tables) else ()

    return translations


class _Mixed(Columned):
    """Words of a language and what they become."""

    def __init__(self, translations: Callable[[str], tuple[str, ...]], language: str) -> None:
        super().__init__(self._columns)
        self._table, self._language = OptionTable(translations), language
        self._unspaced = is_unspaced(language)
        # ICU and a lexicon need not agree on what a word is: the longest entry counts.
        self._longest = "icu" in segmentation(language)
        self._known = WordMemo(lambda word: self._table.numbers[word])
        self._entries_of = lru_cache(maxsize=16384)(self._entries)  # as many texts as are kept with their words
        self._inside = lru_cache(maxsize=65536)(lambda word: entries_inside(word, self._table.numbers.__getitem__))

    def _columns(self, batch: TextBatch) -> Columns:
        text = batch.text
        before = self._table.epoch
        self._table.make_room()
        if before != self._table.epoch:
            self._known.forget()
        if self._longest:
            plain = self._longest_columns(batch)
        else:
            words = word_columns(batch, self._language, asked=0)
            plain = self._table.columns(text, words.starts, words.ends, self._known(words))
        return set_off_columns(batch, plain) if self._unspaced else plain

    def _longest_columns(self, batch: TextBatch) -> Columns:
        every = [
            (self._entries_of if len(text) < KEPT_LENGTH else self._entries)(text, self._table.epoch)
            for text in batch.texts
        ]
        counts = np.fromiter((columns.shape[1] for columns in every), dtype=np.int64, count=len(every))
        starts, ends, numbers = np.concatenate([np.zeros((3, 0), dtype=np.int64), *every], axis=1)
        shifts = np.repeat(batch.first[:-1], counts)
        return self._table.columns(batch.text, starts + shifts, ends + shifts, numbers)

    def _entries(self, text: str, epoch: int) -> Integers:
        """Starts, ends and numbers (of an `epoch`) of the longest entries in a text."""
        words = word_columns(TextBatch([text]), self._language)
        known = self._table.numbers
        starts, ends = longest_entries(text, words.starts, words.ends, known.__getitem__, self._inside)
        edges = zip(starts.tolist(), ends.tolist(), strict=True)
        return np.stack((starts, ends, np.array([known[text[a:b]] for a, b in edges], dtype=np.int64)))


def _translations(
    lower: str, word: str, tables: list[tuple[Mapping[str, tuple[str, ...]], bool]], most: int
) -> Iterator[str]:
    for table, turkic in tables:
        for other in table.get(lower, ())[: most or None]:
            if other.lower() != lower:
                yield cased_like(other, word, turkic)


def _resources(setting: Setting) -> Mapping[str, str]:
    matrix, embedded = _embedded(setting)
    lexicons = _lexicons(setting)
    hashes = {f"lexicon/{n}": h for e in embedded for n, h in lexicons.fingerprints(matrix, e).items()}
    cut = segmentation(setting.language, endings=False)
    return {**hashes, **cut, **({"codemix/longest-match": "2"} if "icu" in cut else {})}


def _kept(setting: Setting) -> Hashable | None:
    """The state of the lexicons' files, or `None` where it is not known: then nothing is kept."""
    lexicons = _lexicons(setting)
    matrix, embedded = _embedded(setting)
    if not isinstance(lexicons, LexiconFolder):
        return None
    return tuple(lexicons.state(matrix, e) for e in embedded)


CODEMIX = Perturbation(
    name="codemix",
    nature="preserving",
    summary="a word becomes its translation into an embedded language, by a bilingual lexicon",
    source="Tan & Joty 2021 (Code-Mixing on Sesame Street), §3.1; Qin et al. 2020 (CoSDA-ML), §2.2",
    unit="translatable word",
    languages="languages with a lexicon to the embedded ones, direct or through English",
    needs=lambda setting: reference_needs(setting) if setting.params["senses"] == REFERENCE else (),
    applies=_applies,
    prepare=_prepare,
    resources=_resources,
    kept=_kept,
    params=(
        Param("embed", "list", "embedded languages: embed=de,zh", language=True),
        Param(
            "senses",
            "text",
            "reference: only translations that stand in the item's own translation (oracle access)",
            default="all",
            choices=("all", REFERENCE),
        ),
        Param("translations", "integer", "most translations a language, best first; 0 is all", default=0, low=0),
        Param("lexicon", "text", "folder of lexicons en-de.txt, …", location=True),
    ),
)
