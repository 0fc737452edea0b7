"""Alphabets: the letters that a language is written with, for what a random letter is put in.

`families/alphabets/alphabets.json` is derived by `letters_of` from the main exemplar characters of the
Unicode CLDR 48.2 (`characters.json` of cldr-misc-full; licence beside it): the single letters, without
digraphs and combining marks. Chinese and Korean are left out: the one has no alphabet, the syllables of
the other are edited jamo by jamo.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path

import regex

from crosswind.errors import UserError
from crosswind.perturb.brought import Stamped, stamped
from crosswind.perturb.hangul import LEADS, TAILS, VOWELS, hangul_options
from crosswind.perturb.words import base_language, is_turkic, lowered, raised, script
from crosswind.reading import expanded, lines

_ITEM = regex.compile(r"\\u(?P<hex>[0-9A-Fa-f]{4})|\{[^}]*\}|\\(?P<plain>.)|(?P<char>\X)")
# Forms that stand at the end of a word only.
_FINAL = frozenset("ךםןףץςةى")
_INSC = tuple(
    regex.compile(rf"\p{{InSC={value}}}")
    for value in ("Consonant", "Vowel_Independent", "Vowel_Dependent", "Vowel", "Tone_Letter")
)
_KANA = (regex.compile(r"\p{Hiragana}"), regex.compile(r"\p{Katakana}"))
# A jamo may be missed for any other of its kind.
_JAMO: Mapping[str, tuple[str, ...]] = {
    jamo: tuple(o for o in kind if o != jamo) for kind in (LEADS, VOWELS, TAILS.strip()) for jamo in kind
}


def letters_of(exemplars: str) -> str:
    """The single letters of a CLDR set of exemplar characters (UTS #35 part 3, "Unicode Sets"), in its order."""
    letters: list[str] = []
    for match in _ITEM.finditer(exemplars.strip().removeprefix("[").removesuffix("]")):
        char = chr(int(match["hex"], 16)) if match["hex"] else match["plain"] or match["char"] or ""
        char = unicodedata.normalize("NFC", char)
        if len(char) == 1 and unicodedata.category(char) in ("Ll", "Lo") and char not in letters:
            letters.append(char)
    return "".join(letters)


@dataclass(frozen=True)
class Alphabet:
    """The letters of a language in lower case."""

    language: str
    letters: tuple[str, ...]

    @cached_property
    def _classes(self) -> Mapping[tuple[bool, ...], tuple[str, ...]]:
        classes: dict[tuple[bool, ...], tuple[str, ...]] = {}
        for letter in self.letters:
            if letter not in _FINAL:
                classes[_class(letter)] = (*classes.get(_class(letter), ()), letter)
        return classes

    @property
    def turkic(self) -> bool:
        """Whether its i has a dot in both cases."""
        return is_turkic(self.language)

    def like(self, cluster: str) -> tuple[str, ...]:
        """The letters that may stand where the letter of a cluster stands: of its case, its kind of sign, its kana.

        Empty for a cluster that is no letter of the alphabet's script.
        """
        base = unicodedata.normalize("NFC", cluster)[0]
        lower = lowered(base, self.turkic)
        if unicodedata.category(base)[0] != "L" or not self._shares_script(base):
            return ()
        letters = self._classes.get(_class(lower[0]), ())
        if lower == base:
            return letters
        upper = (raised(letter, self.turkic) for letter in letters)
        return tuple(u for u in upper if len(u) == 1)

    def replacements(self, cluster: str) -> tuple[str, ...]:
        """What a cluster becomes when its letter is another one: marks stay where they are signs of their own."""
        composed = unicodedata.normalize("NFC", cluster)
        letter, marks = composed[0], composed[1:]
        if any(unicodedata.category(c)[0] != "M" or unicodedata.combining(c) == 9 for c in marks):
            return ()  # A virama or another letter: the cluster is a conjunct.
        if "가" <= letter <= "힣":
            return tuple(dict.fromkeys(o + marks for o in hangul_options(letter, _JAMO) if o != letter))
        return tuple(o + marks for o in self.like(composed) if o != composed[0])

    def _shares_script(self, letter: str) -> bool:
        return _script_name(letter) in self._scripts

    @cached_property
    def _scripts(self) -> frozenset[str]:
        return frozenset(map(_script_name, self.letters))


def lacks_alphabet(language: str, given: str | None) -> str | None:
    """Why there is no alphabet of a language, where none is given: `None` if there is one."""
    if given or script(language) == "Kore" or _key(language):
        return None
    return f"there is no alphabet of {language}: name a file with its letters (alphabet=FILE)"


def alphabet_of(language: str, given: str | None = None) -> Alphabet:
    """The shipped alphabet of a language, or the letters of a file (any white space between them).

    Raises a `UserError` for a file that names no letter, with file:line for what is none.
    """
    if not given:
        return Alphabet(language, tuple(_shipped().get(_key(language), "")))
    path = expanded(given, "an alphabet")
    letters: list[str] = []
    for number, line in lines(path):
        for letter in line.partition("\t")[0].split():  # behind a tab: how often it occurs
            composed = unicodedata.normalize("NFC", letter)
            if len(composed) != 1 or unicodedata.category(composed)[0] != "L":
                raise UserError(
                    f"{letter!r} is no single letter",
                    where=f"{path}:{number}",
                    hint="write the letters of the alphabet with spaces between them",
                )
            letters.append(lowered(composed, is_turkic(language)))
    if not letters:
        raise UserError("an alphabet without letters", where=str(path), hint="write its letters: a b c …")
    return Alphabet(language, tuple(dict.fromkeys(letters)))


def alphabet_fingerprint(given: str | None) -> dict[str, str]:
    """The SHA-256 of what `alphabet_of` reads."""
    if not given:
        return {"alphabets": hashlib.sha256(_alphabets()).hexdigest()}
    return {"alphabet": hashlib.sha256(Path(expanded(given, "an alphabet")).read_bytes()).hexdigest()}


def alphabet_stamp(given: str | None) -> Stamped:
    """When a file that `alphabet_of` reads was last changed; nothing for the shipped ones."""
    return stamped([expanded(given, "an alphabet")] if given else [])


def _alphabets() -> bytes:
    return files("crosswind.perturb.families").joinpath("alphabets", "alphabets.json").read_bytes()


@lru_cache(maxsize=1)
def _shipped() -> Mapping[str, str]:
    table: Mapping[str, str] = json.loads(_alphabets())
    return table


def _key(language: str) -> str:
    """The name that a language has in the table, in its script; empty if it is not there."""
    base, written = base_language(language), script(language)
    if f"{base}-{written}" in _shipped():
        return f"{base}-{written}"
    return base if base in _shipped() and script(base) == written else ""


@lru_cache(maxsize=65536)
def _class(letter: str) -> tuple[bool, ...]:
    return tuple(p.match(letter) is not None for p in (*_INSC, *_KANA))


@lru_cache(maxsize=65536)
def _script_name(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
