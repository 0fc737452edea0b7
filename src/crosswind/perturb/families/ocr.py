"""Scanned text: letters become what a scanner takes them for, rn → m, ب → ت, 己 → 已.

The tables `ocr/SCRIPT.json` hold groups of what looks alike in print; `ocr/README.md` says where they come
from. The whole of a grapheme cluster changes, or its letter while its marks stay.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

import numpy as np
import regex

from crosswind.perturb.alternatives import Alternatives, Option
from crosswind.perturb.codes import CodeSlices, CodeTable, Integers, TextBatch, slice_members
from crosswind.perturb.columns import Columned, Columns, OptionTable
from crosswind.perturb.draw import Words
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.words import script

_WRITTEN_WITH: Mapping[str, tuple[str, ...]] = {
    "Hans": ("Hani",), "Hant": ("Hani",), "Jpan": ("Kana", "Hani"), "Kore": ("Hang",),
}  # fmt: skip

_MARK = regex.compile(r"(?!\p{ccc=9})\p{M}")  # signs of their own: after a virama comes a conjunct
_is_mark = CodeTable(lambda char: int(_MARK.match(char) is not None))


def _names(language: str) -> tuple[str, ...]:
    written = script(language)
    return _WRITTEN_WITH.get(written, (written,))


@lru_cache(maxsize=1)
def _scripts() -> frozenset[str]:
    folder = files(__package__).joinpath("ocr")
    return frozenset(f.name.removesuffix(".json") for f in folder.iterdir() if f.name.endswith(".json"))


def _data(name: str) -> bytes:
    return files(__package__).joinpath("ocr", f"{name}.json").read_bytes()


def _applies(setting: Setting) -> str | None:
    if all(name in _scripts() for name in _names(setting.language)):
        return None
    return f"there is no table of what scanners confuse in {script(setting.language)}, the script of {setting.language}"


@lru_cache(maxsize=16)
def _confusions(names: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """What is printed -> what it is taken for."""
    table: dict[str, tuple[str, ...]] = {}
    for name in names:
        for group in json.loads(_data(name))["groups"]:
            members = [unicodedata.normalize("NFC", m) for m in group.split()]
            for member in members:
                others = (o for o in members if o != member)
                table[member] = tuple(dict.fromkeys((*table.get(member, ()), *others)))
    return table


class _Scanned(Columned):
    """Letters and runs of letters that are taken for others, the marks of a letter staying."""

    def __init__(self, table: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(self._columns)
        # In an overlap the longer one counts: `rn` is no r and no n. Single letters are looked up, which is faster.
        longer = sorted((k for k in table if len(k) > 1), key=lambda k: (-len(k), k))
        self._runs = re.compile("|".join(map(re.escape, longer)) or r"(?!)")
        self._table = OptionTable(lambda unit: table.get(unit, ()))
        self._single = CodeTable(self._table.numbers.__getitem__)

    def _columns(self, batch: TextBatch) -> Columns:
        text = batch.text
        numbers = self._single(batch.codes)
        runs = [(run.start(), run.end(), self._table.numbers[run.group()]) for run in self._runs.finditer(text)]
        first, last, number = np.array(runs, dtype=np.int64).reshape(-1, 3).T
        numbers[slice_members(first, last - first)] = 0
        numbers[first] = number
        starts = np.flatnonzero(numbers)
        middles = ends = starts + 1
        ends[np.searchsorted(starts, first)] = last
        if batch.ascii is None:
            ends = _whole(batch, starts, middles)
            starts, middles, ends = (column[ends > 0] for column in (starts, middles, ends))
        numbers = numbers[starts]

        def options(i: int, first: int) -> tuple[Option, ...]:
            start, middle, end = int(starts[i]), int(middles[i]), int(ends[i])
            marks = text[middle:end]
            return tuple(o + marks for o in self._table.options(text[start:middle]))

        def become(at: Integers, bits: Words) -> CodeSlices | list[str]:
            letters = self._table.chosen(numbers[at], bits)
            if (middles[at] == ends[at]).all():
                return letters
            edges = zip(letters.texts(), middles[at].tolist(), ends[at].tolist(), strict=True)
            return [unicodedata.normalize("NFC", letter + text[middle:end]) for letter, middle, end in edges]

        return Columns(starts, ends, options, become)


def _whole(batch: TextBatch, starts: Integers, middles: Integers) -> Integers:
    """Where the clusters of letters end that begin at `starts` and end at `middles` but for marks; 0 for others."""
    clusters = batch.clusters
    borders = np.zeros(len(batch.codes) + 1, dtype=np.bool_)
    borders[clusters.starts] = borders[clusters.ends] = True
    more_than_marks = np.append(0, np.cumsum(_is_mark(batch.codes) == 0))
    ends = middles.copy()
    within = np.flatnonzero(~borders[middles])
    ends[within] = clusters.ends[np.searchsorted(clusters.ends, middles[within])]
    ends[(more_than_marks[ends] > more_than_marks[middles]) | ~borders[starts]] = 0
    return ends


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return _Scanned(_confusions(_names(setting.language)))


def _resources(setting: Setting) -> dict[str, str]:
    return {f"ocr/{name}": hashlib.sha256(_data(name)).hexdigest() for name in _names(setting.language)}


OCR = Perturbation(
    name="ocr",
    nature="preserving",
    summary="letters become what a scanner takes them for: rn → m, ب → ت, 己 → 已",
    source="own tables by script, of the kind of nlpaug's OcrAug (Ma 2019)",
    unit="confusable letter or pair",
    languages="languages of XTREME-R, by script",
    applies=_applies,
    prepare=_prepare,
    resources=_resources,
)
