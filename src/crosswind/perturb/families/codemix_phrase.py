"""Code-mixing, phrase by phrase: up to four words of the matrix language become their phrase in an embedded one.

The phrase tables `en-de.phrases.tsv` (phrase, translation, count) come from aligned parallel text
(`crosswind lexicon bilingual`), of which the translations of a test set itself are a part where it is perturbed.
From the left the longest phrase of a table is taken; its translations are drawn by their counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from crosswind.data.examples import Span
from crosswind.errors import UserError
from crosswind.perturb.alternatives import Alternatives, Option, Sites
from crosswind.perturb.brought import Stamped, brought_fingerprints, stamped
from crosswind.perturb.codes import Integers, TextBatch
from crosswind.perturb.columns import Columns, PlainColumned
from crosswind.perturb.longest import longest_phrases
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.set_off import set_off, set_off_columns
from crosswind.perturb.words import (
    KEPT_LENGTH,
    base_language,
    cased_like,
    is_turkic,
    is_unspaced,
    lowered,
    segmentation,
    words,
)
from crosswind.perturb.wordwise import WeightedOptions, weighted_columns
from crosswind.reading import expanded, lines

PhraseTable = Mapping[str, tuple[tuple[str, float], ...]]
"""Phrase in lower case -> its translations with their counts, the commonest first."""


@lru_cache(maxsize=16)
def phrase_table(files: Stamped, backwards: bool, turkic: bool) -> PhraseTable:
    """The table of a file `phrase<TAB>translation<TAB>count`; a `UserError` with file:line for another line.

    `turkic`: the language of the phrases, which `backwards` are in the second column, is.
    """
    table: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for path, _ in files:
        for number, line in lines(path):
            if not line.strip():
                continue
            columns = line.split("\t")
            count = float(columns[2]) if len(columns) == 3 and columns[2].strip().isdecimal() else 0.0
            if not 0 < count < float("inf") or not (columns[0].strip() and columns[1].strip()):
                raise UserError(
                    "no row of a phrase table",
                    where=f"{path}:{number}",
                    hint="write phrase<TAB>translation<TAB>count, as crosswind lexicon bilingual does",
                )
            a, b = (columns[1], columns[0]) if backwards else (columns[0], columns[1])
            entry = table[lowered(a, turkic)]
            entry[b] = entry.get(b, 0.0) + count
    return {a: tuple(sorted(some.items(), key=lambda e: (-e[1], e[0]))) for a, some in table.items()}


def _tables(setting: Setting) -> Iterator[tuple[str, Path, bool]]:
    """The embedded language, the file, and whether it is read backwards, of every table there is."""
    given = setting.params.get("phrases")
    if not given:
        raise UserError(
            "codemix-phrase needs phrase tables",
            hint="name their folder: codemix-phrase(embed=de,phrases=DIR), where DIR holds en-de.phrases.tsv, …",
        )
    folder = expanded(str(given), "phrase tables")
    if not folder.is_dir():
        raise UserError(f"no folder of phrase tables {str(folder)!r}", hint="crosswind lexicon bilingual makes them")
    matrix, embed = base_language(setting.language), setting.params["embed"]
    assert isinstance(embed, tuple)
    for language in dict.fromkeys(map(base_language, embed)):
        forwards, backwards = (folder / f"{a}-{b}.phrases.tsv" for a, b in ((matrix, language), (language, matrix)))
        if language != matrix and (forwards.is_file() or backwards.is_file()):
            yield language, forwards if forwards.is_file() else backwards, not forwards.is_file()


def _applies(setting: Setting) -> str | None:
    if setting.kind == "tagging":
        return "the words of a tagged sentence would go with a phrase, and those that come have no tags"
    if any(True for _ in _tables(setting)):
        return None
    return f"there is no phrase table between {setting.language} and an embedded language"


def _prepare(setting: Setting, given: Given) -> Alternatives:
    turkic, unspaced = is_turkic(setting.language), is_unspaced(setting.language)
    tables = [phrase_table(stamped([path]), backwards, turkic) for _, path, backwards in _tables(setting)]

    @lru_cache(maxsize=65536)
    def entries(phrase: str) -> WeightedOptions:
        low = lowered(phrase, turkic)
        others = [(o, count) for table in tables for o, count in table.get(low, ()) if o.lower() != low]
        return tuple(cased_like(o, phrase, False) for o, _ in others), tuple(count for _, count in others)

    def phrases(text: str) -> list[Span]:
        gap = "" if unspaced else " "
        return longest_phrases(text, words(text, setting.language), lambda phrase: bool(entries(phrase)[0]), gap)

    @lru_cache(maxsize=16384)  # the texts of a large test set, in which every severity looks for them
    def edges(text: str) -> Integers:
        return np.array([(s.start, s.end) for s in phrases(text)], dtype=np.int64).reshape(-1, 2)

    def sites(passage: Passage) -> Sites:
        text = passage.text
        spans = phrases(text)

        def options(index: int) -> tuple[Option, ...]:
            start, end = spans[index].start, spans[index].end
            plain = entries(text[start:end])[0]
            return tuple(set_off(text, start, end, other) for other in plain) if unspaced else plain

        def weights(index: int) -> Sequence[float]:
            return entries(text[spans[index].start : spans[index].end])[1]

        return Sites([s.start for s in spans], [s.end for s in spans], options, weights=weights)

    def columns(batch: TextBatch) -> Columns:
        every = [(edges if len(t) < KEPT_LENGTH else edges.__wrapped__)(t) for t in batch.texts]
        shifts = np.repeat(batch.first[:-1], [len(some) for some in every])
        starts, ends = np.concatenate([np.zeros((0, 2), dtype=np.int64), *every]).T + shifts
        known = [entries(batch.text[a:b]) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        plain = weighted_columns(batch, starts, ends, known)
        return set_off_columns(batch, plain) if unspaced else plain

    return PlainColumned(sites, columns)


def _resources(setting: Setting) -> dict[str, str]:
    paths = [path for _, path, _ in _tables(setting)]
    return {**brought_fingerprints("phrases", paths), **segmentation(setting.language, endings=False)}


CODEMIX_PHRASE = Perturbation(
    name="codemix-phrase",
    nature="preserving",
    summary="a phrase of up to four words becomes its translation into an embedded language, by a phrase table",
    source="Tan & Joty 2021 (Code-Mixing on Sesame Street: Bumblebee), §3.2",
    unit="translatable phrase",
    languages="languages with a phrase table from or to an embedded one; no tagged sentences",
    applies=_applies,
    prepare=_prepare,
    kept=lambda setting: stamped([path for _, path, _ in _tables(setting)]),
    resources=_resources,
    params=(
        Param("embed", "list", "embedded languages: embed=de,zh", language=True),
        Param("phrases", "text", "folder of phrase tables en-de.phrases.tsv, …", location=True),
    ),
)
