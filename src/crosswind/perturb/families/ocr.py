"""Scanned text: letters become what a scanner takes them for, rn → m, ب → ت, 己 → 已.

The tables `ocr/SCRIPT.json` hold groups of what looks alike in print; `ocr/README.md` says where they come
from. The whole of a grapheme cluster changes, or its letter while its marks stay.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

import regex

from crosswind.perturb.alternatives import Alternatives, Listed, Option, Sites
from crosswind.perturb.graphemes import is_border, is_simple, whole_clusters
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.words import script

_WRITTEN_WITH: Mapping[str, tuple[str, ...]] = {
    "Hans": ("Hani",), "Hant": ("Hani",), "Jpan": ("Kana", "Hani"), "Kore": ("Hang",),
}  # fmt: skip

_MARKS = regex.compile(r"(?:(?!\p{ccc=9})\p{M})+")  # signs of their own: after a virama comes a conjunct


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


def _prepare(setting: Setting, given: Given) -> Alternatives:
    table = _confusions(_names(setting.language))
    # In an overlap the longer one counts: `rn` is no r and no n. Single letters are looked up, which is faster.
    longer = sorted((k for k in table if len(k) > 1), key=lambda k: (-len(k), k))
    pattern = regex.compile("|".join(map(regex.escape, longer)) or r"(?!)")

    def sites(passage: Passage) -> Sites:
        text = passage.text
        runs = {m.start(): m.end() for m in pattern.finditer(text)}
        inside = {i for start, end in runs.items() for i in range(start + 1, end)}
        spans = [(i, runs.get(i, i + 1)) for i, c in enumerate(text) if (c in table or i in runs) and i not in inside]
        ends = [end for _, end in spans]
        if not is_simple(text):
            ends = [_end(text, end) if is_border(text, start) else 0 for start, end in spans]
        at = [i for i, end in enumerate(ends) if end]

        def options(index: int) -> tuple[Option, ...]:
            (start, middle), end = spans[at[index]], ends[at[index]]
            marks = text[middle:end]
            return tuple(o + marks for o in table[text[start:middle]])

        return Sites([spans[i][0] for i in at], [ends[i] for i in at], options)

    return Listed(sites)


def _end(text: str, end: int) -> int:
    """The end of a cluster of which a letter ends at `end` and marks may follow; 0 if more than marks follow."""
    if is_border(text, end):
        return end
    _, after = whole_clusters(text, end, end)
    return after if _MARKS.fullmatch(text, end, after) else 0


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
