"""Homoglyphs: a letter becomes one of another script that looks the same (UTS #39 confusables).

The table `homoglyphs/confusables.json` is derived from the Unicode file `confusables.txt` 15.0.0 by
`derive` (licence beside it): letters of one code point in the scripts of UAX #31 table 5 that share
a prototype, general category and direction and survive NFKC (a tokenizer would undo the others).
The two letters are of different scripts; Arabic also has homoglyphs of its own (ه ہ ھ, ك ک).
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files

import regex

from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.columns import ByCluster
from crosswind.perturb.perturbation import Given, Perturbation, Setting
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


def derive(lines: Iterable[str]) -> dict[str, str]:
    """Letter -> its homoglyphs, from the lines of Unicode's `confusables.txt` (source ; prototype ; type)."""
    classes: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        columns = line.partition("#")[0].split(";")
        if len(columns) == 3 and all(len(c.split()) == 1 for c in columns[:2]):
            source, prototype = (chr(int(c, 16)) for c in columns[:2])
            classes[prototype] |= {source, prototype}
    table = {}
    for members in classes.values():
        letters = sorted(c for c in members if _is_letter(c))
        for letter in letters:
            others = "".join(o for o in letters if _are_homoglyphs(letter, o))
            if others:
                table[letter] = others
    return dict(sorted(table.items()))


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
    return files(__package__).joinpath("homoglyphs", "confusables.json").read_bytes()


@lru_cache(maxsize=1)
def _table() -> Mapping[str, tuple[str, ...]]:
    return {letter: tuple(others) for letter, others in json.loads(_data()).items()}


class _Homoglyphs(dict[str, tuple[str, ...]]):
    """Cluster -> its homoglyphs: the base letter changes, combining marks of no script stay."""

    def __missing__(self, cluster: str) -> tuple[str, ...]:
        apart = unicodedata.normalize("NFD", cluster)
        whole = _table().get(unicodedata.normalize("NFC", cluster))
        if whole is None and _PLAIN_MARKS.fullmatch(apart, 1):
            whole = tuple(o + apart[1:] for o in _table().get(apart[0], ()))
        self[cluster] = options = whole or ()
        return options


def _applies(setting: Setting) -> str | None:
    written = script(setting.language)
    codes = _WRITTEN_WITH.get(written, (written,))
    if sum(_script_of(letter) in codes for letter in _table()) >= _ENOUGH:
        return None
    return (
        f"homoglyph has no letters for {setting.language} ({written}): UTS #39 knows fewer than five letters of "
        "that script that look like one of another"
    )


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return ByCluster(_Homoglyphs())


def _resources(setting: Setting) -> dict[str, str]:
    return {"homoglyph/confusables": hashlib.sha256(_data()).hexdigest()}


HOMOGLYPH = Perturbation(
    name="homoglyph",
    nature="preserving",
    summary="a letter becomes one of another script that looks the same: Latin a, Cyrillic а, Greek α",
    source="Unicode Technical Standard #39, confusables 15.0.0; Boucher et al. 2022 (Bad Characters), §IV",
    unit="letter",
    languages="scripts with homoglyphs: Latin, Greek, Cyrillic, Armenian, Arabic, Thai, a few letters of others",
    applies=_applies,
    prepare=_prepare,
    resources=_resources,
)
