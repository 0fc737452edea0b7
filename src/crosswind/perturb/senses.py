"""A sense filter: of a word's translations those stay that stand in the item's own translation (oracle access).

Tan & Joty 2021 (Code-Mixing on Sesame Street), §3.1: a candidate is kept only if it occurs in the reference translation
of the sentence. Here it must stand there as whole words, where the language has spaces; case is ignored.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

from crosswind.data.examples import Dataset, Example, text_fields
from crosswind.perturb.alternatives import Alternatives, Listed, Option, Sites
from crosswind.perturb.needs import DataNeed
from crosswind.perturb.passage import WHOLE, Passage
from crosswind.perturb.perturbation import Setting
from crosswind.perturb.pieces import New
from crosswind.perturb.words import base_language, is_unspaced
from crosswind.tasks.base import TASKS

REFERENCE = "reference"
"""The value of `senses` that asks for the filter."""

_PARALLEL = ("pair", "choice", "span")  # kinds whose tasks have the same items in several languages


def parallel_codes(setting: Setting) -> tuple[str, ...]:
    """The languages of the task into which items are translated, and which are among `embed`."""
    given = setting.params["embed"]
    assert isinstance(given, tuple)
    if setting.kind not in _PARALLEL or setting.task not in TASKS:
        return ()
    embedded = {base_language(code) for code in given}
    codes = (c for c in TASKS[setting.task].languages if base_language(c) in embedded)
    return tuple(c for c in dict.fromkeys(codes) if base_language(c) != base_language(setting.language))


def reference_needs(setting: Setting) -> tuple[DataNeed, ...]:
    """The translations, a data set a language."""
    return tuple(DataNeed(code, language=code) for code in parallel_codes(setting))


def referenced(parts: Sequence[tuple[str, Alternatives, Dataset]]) -> Alternatives:
    """The alternatives of each language, without those that do not stand in its data set's translation of the item."""
    return Listed(_Referenced(parts))


class _Referenced:
    def __init__(self, parts: Sequence[tuple[str, Alternatives, Dataset]]) -> None:
        self._parts = [(code, some, {e.id: e for e in data.examples}) for code, some, data in parts]

    def __call__(self, passage: Passage) -> Sites:
        regions: dict[tuple[int, int], dict[Option, None]] = {}
        for code, alternatives, translations in self._parts:
            reference = _reference(passage, translations)
            if not reference:
                continue
            (sites,) = alternatives.sites([passage])
            for i in range(len(sites)):
                for option in sites.options(i):
                    if stands_in(_brought(option), reference, code):
                        regions.setdefault((sites.starts[i], sites.ends[i]), {})[option] = None
        ordered = sorted(regions)
        options = [tuple(regions[region]) for region in ordered]
        starts, ends = [start for start, _ in ordered], [end for _, end in ordered]
        # Words of different lengths may begin at one offset, where languages' lexicons cut differently.
        counters = [(start << 12) + end - start for start, end in ordered]
        return Sites(starts, ends, options.__getitem__, counters=counters)


def stands_in(word: str, reference: str, language: str) -> bool:
    """Whether a word stands in a text as a whole, whatever its case; inside of words where a language has no spaces."""
    word, reference = word.casefold().strip(), reference.casefold()
    if not word or word not in reference:
        return False
    if is_unspaced(language):
        return True
    pattern = rf"(?<![\p{{L}}\p{{M}}\p{{N}}]){regex.escape(word)}(?![\p{{L}}\p{{M}}\p{{N}}])"
    return regex.search(pattern, reference) is not None


def _brought(option: Option) -> str:
    return option if isinstance(option, str) else "".join(p.text for p in option if isinstance(p, New))


def _reference(passage: Passage, translations: dict[str, Example]) -> str:
    other = translations.get(passage.id)
    return "" if other is None or passage.field == WHOLE else text_fields(other).get(passage.field) or ""
