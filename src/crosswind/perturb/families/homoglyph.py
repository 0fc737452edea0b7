"""Homoglyphs: a letter becomes one of another script that looks the same.

The pairs are the single steps of UTS #39 (`pairs`): classes of confusables are skeletons, in which f, ſ and ք meet. Of
these, `similarity` or more alike when rendered count: the table `homoglyphs/similar.json` holds the overlap of the two
glyphs in DejaVu Sans (`benchmarks/derive_homoglyphs.py`; licences beside it). Scripts without a glyph in that font
(Chinese characters, kana, the Indic scripts, Thai) have no homoglyphs. Both letters are of one general category and
direction, survive NFKC (a tokenizer would undo the others) and are of different scripts; Arabic also has homoglyphs of
its own, of those that are alike in every form (initial, medial, final, isolated).
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.resources import files

import regex

from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.columns import ByCluster
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.words import script

# UAX #31 table 5, recommended scripts (Common and Inherited have no letters to confuse).
# fmt: off
_SCRIPTS = (
    "Arab", "Armn", "Beng", "Bopo", "Cyrl", "Deva", "Ethi", "Geor", "Grek", "Gujr", "Guru", "Hang", "Hani", "Hebr",
    "Hira", "Kana", "Khmr", "Knda", "Laoo", "Latn", "Mlym", "Mymr", "Orya", "Sinh", "Taml", "Telu", "Thaa", "Thai",
    "Tibt",
)
# fmt: on
_MEMBERS = {code: regex.compile(rf"\p{{Script={code}}}") for code in _SCRIPTS}
_PLAIN_MARKS = regex.compile(r"\p{Script=Inherited}*")
_WRITTEN_WITH = {"Hans": ("Hani",), "Hant": ("Hani",), "Jpan": ("Hani", "Kana", "Hira"), "Kore": ("Hang",)}
_ENOUGH = 5  # letters of a script that have a homoglyph, below which a language is left out


def pairs(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Letters that may be homoglyphs, from the lines of Unicode's `confusables.txt` (source ; prototype ; type)."""
    for line in lines:
        columns = line.partition("#")[0].split(";")
        if len(columns) == 3 and all(len(c.split()) == 1 for c in columns[:2]):
            source, prototype = (chr(int(c, 16)) for c in columns[:2])
            if _is_letter(source) and _is_letter(prototype) and _are_homoglyphs(source, prototype):
                yield source, prototype


def _is_letter(char: str) -> bool:
    is_stable = unicodedata.normalize("NFKC", char) == char
    return unicodedata.category(char).startswith("L") and is_stable and bool(_script_of(char))


def _are_homoglyphs(a: str, b: str) -> bool:
    alike = unicodedata.category(a) == unicodedata.category(b)
    same_way = unicodedata.bidirectional(a) == unicodedata.bidirectional(b)
    scripts = _script_of(a), _script_of(b)
    return a != b and alike and same_way and (scripts[0] != scripts[1] or scripts[0] == "Arab")


@lru_cache(maxsize=65536)
def _script_of(char: str) -> str:
    return next((code for code, member in _MEMBERS.items() if member.match(char)), "")


def _data() -> bytes:
    return files(__package__).joinpath("homoglyphs", "similar.json").read_bytes()


@lru_cache(maxsize=1)
def look_alikes() -> Mapping[str, Mapping[str, float]]:
    """Letter -> its homoglyphs, the most alike first, and how much alike each is, from 0.5 to 1."""
    table: Mapping[str, Mapping[str, float]] = json.loads(_data())
    return table


def _alike(letter: str, least: float) -> tuple[str, ...]:
    return tuple(other for other, alike in look_alikes().get(letter, {}).items() if alike >= least)


class _Homoglyphs(dict[str, tuple[str, ...]]):
    """Cluster -> its homoglyphs: the base letter changes, combining marks of no script stay."""

    def __init__(self, least: float) -> None:
        super().__init__()
        self._least = least

    def __missing__(self, cluster: str) -> tuple[str, ...]:
        apart = unicodedata.normalize("NFD", cluster)
        whole = _alike(unicodedata.normalize("NFC", cluster), self._least)
        if not whole and _PLAIN_MARKS.fullmatch(apart, 1):
            whole = tuple(o + apart[1:] for o in _alike(apart[0], self._least))
        self[cluster] = whole
        return whole


def _least(setting: Setting) -> float:
    return float(str(setting.params["similarity"]))


def _applies(setting: Setting) -> str | None:
    written = script(setting.language)
    if _letters_alike(written, _least(setting)) >= _ENOUGH:
        return None
    return (
        f"homoglyph has no letters for {setting.language} ({written}): fewer than five letters of that script look "
        "like one of another (UTS #39, and rendered)"
    )


@lru_cache(maxsize=1024)
def _letters_alike(written: str, least: float) -> int:
    """How many letters that a script is written with look like another one."""
    codes = _WRITTEN_WITH.get(written, (written,))
    return sum(_script_of(letter) in codes and bool(_alike(letter, least)) for letter in look_alikes())


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return ByCluster(_Homoglyphs(_least(setting)))


def _resources(setting: Setting) -> dict[str, str]:
    return {"homoglyph/similar": hashlib.sha256(_data()).hexdigest()}


HOMOGLYPH = Perturbation(
    name="homoglyph",
    nature="preserving",
    summary="a letter becomes one of another script that looks the same: Latin a, Cyrillic а, Greek α",
    source="Unicode Technical Standard #39, confusables 15.0.0; Boucher et al. 2022 (Bad Characters), §IV",
    unit="letter",
    languages="Latin, Greek, Cyrillic, Armenian and other scripts with five or more letters that look like another's",
    applies=_applies,
    prepare=_prepare,
    resources=_resources,
    params=(
        Param(
            "similarity",
            "number",
            "least overlap of the rendered letters, from 0.5 to 1",
            default=0.9,
            low=0.5,
            high=1,
        ),
    ),
)
