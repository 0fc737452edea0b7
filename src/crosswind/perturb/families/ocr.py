"""Scanned text: letters become what a scanner takes them for, rn → m, ب → ت, 己 → 已.

The tables `ocr/SCRIPT.json` hold groups of what looks alike in print; `ocr/README.md` says where they come
from. The whole of a grapheme cluster changes, or its letter while its marks stay. A letter and a mark that are one
letter when they are composed (UAX #15, NFC) are that letter: a decomposed text changes as the composed one does.
"""

from __future__ import annotations

import hashlib
import json
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
from crosswind.perturb.form import uncomposed
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.words import script

_WRITTEN_WITH: Mapping[str, tuple[str, ...]] = {
    "Hans": ("Hani",), "Hant": ("Hani",), "Jpan": ("Kana", "Hani"), "Kore": ("Hang",),
}  # fmt: skip

_MARK = regex.compile(r"(?!\p{ccc=9})\p{M}")  # signs of their own: after a virama comes a conjunct
_CODE_BITS = 21
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
    """What is printed, one or two code points -> what it is taken for."""
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
        # In an overlap the longer one counts: `rn` is no r and no n.
        longer = {ord(k[0]) << _CODE_BITS | ord(k[1]): k for k in table if len(k) == 2}
        starting = {k[0] for k in longer.values()}
        self._starts_pair = CodeTable(lambda char: int(char in starting))
        self._table = OptionTable(lambda unit: table.get(unit, ()))
        self._single = CodeTable(self._table.numbers.__getitem__)
        self._known = np.array(sorted(longer), dtype=np.int64)
        self._numbers = np.array([self._table.numbers[longer[pair]] for pair in sorted(longer)], dtype=np.int64)

    def _columns(self, batch: TextBatch) -> Columns:
        text = batch.text
        codes = batch.codes
        starts = batch.asked_offsets
        numbers = self._single(codes[starts])
        pairs, pair_numbers = self._pairs(codes)
        letters = {} if batch.simple else _composed_letters(batch)
        composed = np.array(sorted(letters), dtype=np.int64)
        if letters:
            others = np.flatnonzero(np.isin(starts, composed))
            numbers[others] = [self._table.numbers[letters[i][0]] for i in starts[others].tolist()]
            single = ~np.isin(pairs + 1, composed)
            pairs, pair_numbers = pairs[single], pair_numbers[single]
        wide = np.zeros(len(starts), dtype=np.bool_)
        if len(pairs):
            # Of the first letter of a pair the pair's number, of the second -1.
            of_pair = np.zeros(len(codes) + 1, dtype=np.int64)
            of_pair[pairs + 1] = -1
            of_pair[pairs] = pair_numbers
            of_pair = of_pair[starts]
            numbers = np.where(of_pair == 0, numbers, np.maximum(of_pair, 0))
            wide = of_pair > 0
        some = numbers > 0
        starts, numbers = starts[some], numbers[some]
        middles = ends = starts + 1 + wide[some]
        if not batch.simple:
            ends = _whole(batch, starts, middles, composed)
            starts, middles, ends, numbers = (column[ends > 0] for column in (starts, middles, ends, numbers))

        def options(i: int, first: int) -> tuple[Option, ...]:
            start, middle, end = int(starts[i]), int(middles[i]), int(ends[i])
            letter, marks = letters.get(start) or (text[start:middle], text[middle:end])
            return tuple(o + marks for o in self._table.options(letter))

        def become(at: Integers, bits: Words) -> CodeSlices | list[str]:
            chosen = self._table.chosen(numbers[at], bits)
            if (middles[at] == ends[at]).all():
                return chosen
            edges = zip(chosen.texts(), starts[at].tolist(), middles[at].tolist(), ends[at].tolist(), strict=True)
            return [
                unicodedata.normalize("NFC", letter + (letters[start][1] if start in letters else text[middle:end]))
                for letter, start, middle, end in edges
            ]

        return Columns(starts, ends, options, become)

    def _pairs(self, codes: Integers) -> tuple[Integers, Integers]:
        """Where two letters stand that are taken for others, from the left, and the numbers of what they become."""
        if not len(self._known):
            return self._known, self._known
        at = np.flatnonzero(self._starts_pair.some(codes[:-1]))
        packed = codes[at] << _CODE_BITS | codes[at + 1]
        row = np.minimum(np.searchsorted(self._known, packed), len(self._known) - 1)
        is_pair = self._known[row] == packed
        at, row = at[is_pair], row[is_pair]
        if not len(at):
            return at, at
        # Of pairs that overlap (nnn) every other one counts, from the first of their run.
        run = np.flatnonzero(np.append(True, np.diff(at) > 1))
        within = np.arange(len(at)) - np.repeat(run, np.diff(np.append(run, len(at))))
        taken = within % 2 == 0
        return at[taken], self._numbers[row[taken]]


def _composed_letters(batch: TextBatch) -> dict[int, tuple[str, str]]:
    """Where letters begin that their marks compose with: the composed letter, and the marks that are left."""
    letters = {}
    stretches = uncomposed(batch.codes, batch.text)
    starts, ends = batch.clusters
    # A stretch begins behind the letter, with the first mark that may compose.
    for at in np.unique(np.searchsorted(starts, stretches, side="right") - 1).tolist():
        cluster = batch.text[starts[at] : ends[at]]
        whole = unicodedata.normalize("NFC", cluster)
        if whole[0] != cluster[0]:
            letters[int(starts[at])] = whole[0], whole[1:]
    return letters


def _whole(batch: TextBatch, starts: Integers, middles: Integers, composed: Integers) -> Integers:
    """Where the clusters of letters end that begin at `starts` and end at `middles` but for marks; 0 for others.

    Those of `composed` letters end where they end (the jamo of a syllable are no marks).
    """
    clusters = batch.clusters
    # The last cluster that begins before a place ends there or behind it.
    ends = clusters.ends[np.searchsorted(clusters.starts, middles) - 1]
    ends = np.maximum(ends, middles)
    within = np.flatnonzero((ends > middles) & ~np.isin(starts, composed))
    marks = slice_members(middles[within], ends[within] - middles[within])
    more = np.append(0, np.cumsum(~_is_mark.some(batch.codes[marks])))
    after = np.cumsum(ends[within] - middles[within])
    ends[within[more[after] > more[np.append(0, after[:-1])]]] = 0
    first = np.minimum(np.searchsorted(clusters.starts, starts), len(clusters.starts) - 1)
    ends[clusters.starts[first] != starts] = 0  # the letter is within a cluster
    return ends


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return _Scanned(_confusions(_names(setting.language)))


def _resources(setting: Setting) -> dict[str, str]:
    return {"ocr": "2"} | {f"ocr/{name}": hashlib.sha256(_data(name)).hexdigest() for name in _names(setting.language)}


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
