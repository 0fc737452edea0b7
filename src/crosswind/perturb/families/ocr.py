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
from crosswind.perturb.graphemes import is_border, whole_clusters
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
    keys = sorted(table, key=lambda k: (-len(k), k))
    pattern = regex.compile("|".join(map(regex.escape, keys)))

    def sites(passage: Passage) -> Sites:
        text = passage.text
        # In an overlap the longer one counts: `rn` is no r and no n.
        matches = [m for m in pattern.finditer(text) if is_border(text, m.start())]
        ends = [_end(text, m.end()) for m in matches]
        at = [i for i, end in enumerate(ends) if end]

        def options(index: int) -> tuple[Option, ...]:
            match, end = matches[at[index]], ends[at[index]]
            marks = text[match.end() : end]
            return tuple(o + marks for o in table[match.group()])

        return Sites([matches[i].start() for i in at], [ends[i] for i in at], options)

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
