"""Slips on input methods: Chinese by pinyin, Japanese by romaji and conversion, Amharic and Vietnamese by keystrokes.

What is typed is a syllable or a reading in Latin letters, and what stands in the text was chosen from a list. These
slips are made:

* another character of the same syllable is chosen (没 → 眉);
* the syllable is one that speakers confuse (z/zh, c/ch, s/sh, n/l, in/ing, en/eng, an/ang), and a character of it is
  chosen;
* of kana typed in romaji, a key is missed for its neighbour on QWERTY, so that the syllable is another (か ka → ま ma);
  a Japanese word in Chinese characters becomes another of the same reading (会館 → 開館).

* of an Ethiopic syllable, typed as a consonant and a vowel, one of the two is missed;
* of a Vietnamese letter, typed by Telex or VNI, one key is missed (`vietnamese.py`).

The tables lie in `families/input_methods/`, with their origin.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, ClassVar

from crosswind.perturb.alternatives import Listed, Sites
from crosswind.perturb.graphemes import positioned
from crosswind.perturb.passage import Passage
from crosswind.perturb.vietnamese import VietnameseKeys, VietnameseMethod
from crosswind.perturb.words import words

_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
_FINALS = (("ing", "in"), ("eng", "en"), ("ang", "an"))

# Kana by their romaji (Hepburn and Kunrei, as input methods take them); voiced and small ones that one types so.
_ROMAJI = {
    "": "あいうえお", "k": "かきくけこ", "g": "がぎぐげご", "s": "さしすせそ", "z": "ざじずぜぞ", "t": "たちつてと",
    "d": "だぢづでど", "n": "なにぬねの", "h": "はひふへほ", "b": "ばびぶべぼ", "p": "ぱぴぷぺぽ", "m": "まみむめも",
    "r": "らりるれろ", "y": "や ゆ よ", "w": "わ   を",
}  # fmt: skip
_QWERTY = {
    "a": "qwsz", "i": "uojk", "u": "yihj", "e": "wrsd", "o": "ipkl",
    "f": "dgrtcv", "j": "hkuinm", "l": "kop", "q": "wa", "c": "xdfv", "v": "cfgb", "x": "zsdc",
    "k": "jlimo", "g": "fhtyvb", "s": "adwezx", "z": "asx", "t": "ryfg", "d": "sferxc", "n": "bmhj", "h": "gjyubn",
    "b": "vngh", "p": "ol", "m": "njk", "r": "etdf", "y": "tugh", "w": "qeas",
}  # fmt: skip


class Pinyin(dict[str, tuple[str, ...]]):
    """Chinese character -> the characters of its syllable and of those confused with it; none of a rare character."""

    def __init__(self, script: str) -> None:
        super().__init__()
        self._syllables: Mapping[str, str] = _data("pinyin")["Hant" if script == "Hant" else "Hans"]
        self._reading = {char: syllable for syllable, chars in self._syllables.items() for char in chars}

    def __missing__(self, cluster: str) -> tuple[str, ...]:
        syllable = self._reading.get(cluster)
        options: tuple[str, ...] = ()
        if syllable is not None:
            near = (syllable, *fuzzy(syllable))
            options = tuple(char for s in near for char in self._syllables.get(s, "") if char != cluster)
        self[cluster] = options
        return options


class Ethiopic(dict[str, tuple[str, ...]]):
    """Syllable of the Ethiopic script -> those that one missed key of its romanisation (SERA) gives.

    A syllable is typed as a consonant and a vowel, which its name in Unicode spells: LA, LU, LI, LAA, LEE, LE, LO are
    typed le, lu, li, la, lE, l and lo (Firdyiwek & Yaqob 1997, The System for Ethiopic Representation in ASCII).
    """

    _KEYS: ClassVar[Mapping[str, str]] = {"A": "E", "U": "IO", "I": "UO", "AA": "", "EE": "A", "E": "", "O": "IU"}

    def __missing__(self, cluster: str) -> tuple[str, ...]:
        name = unicodedata.name(cluster, "") if len(cluster) == 1 else ""
        prefix = "ETHIOPIC SYLLABLE "
        options: tuple[str, ...] = ()
        if name.startswith(prefix):
            syllable = name.removeprefix(prefix)
            consonant = syllable.rstrip("AEIOU")
            vowel = syllable[len(consonant) :]
            vowels = ("EE",) if vowel == "A" else tuple(self._KEYS.get(vowel, ""))  # le and lE are one key with Shift
            others = [consonant + v for v in vowels]
            others += [key.upper() + vowel for key in _QWERTY.get(consonant.lower(), "") if key not in "aeiou"]
            options = tuple(char for o in others if (char := _named(prefix + o)) and char != cluster)
        self[cluster] = options
        return options


def _named(name: str) -> str:
    try:
        return unicodedata.lookup(name)
    except KeyError:
        return ""


def fuzzy(syllable: str) -> Iterator[str]:
    """The syllables that are confused with a syllable of pinyin: by its initial, or by its final."""
    for pairs, cut in ((_INITIALS, str.startswith), (_FINALS, str.endswith)):
        for long, short in pairs:
            for one, other in ((long, short), (short, long)):
                rival = long if one == short else ""
                if cut(syllable, one) and not (rival and cut(syllable, rival)):
                    yield other + syllable[len(one) :] if pairs is _INITIALS else syllable[: -len(one)] + other


@lru_cache(maxsize=1)
def romaji_slips() -> Mapping[str, tuple[str, ...]]:
    """Kana -> the kana that one missed key of its romaji gives, in Hiragana and Katakana."""
    slips: dict[str, tuple[str, ...]] = {}
    for consonant, row in _ROMAJI.items():
        for kana, vowel in zip(row, "aiueo", strict=False):
            if kana == " ":
                continue
            others = [_kana(consonant, key) for key in _QWERTY[vowel]]
            others += [_kana(key, vowel) for key in _QWERTY.get(consonant, "")]
            near = tuple(dict.fromkeys(o for o in others if o and o != kana))
            slips[kana] = near
            slips[_katakana(kana)] = tuple(map(_katakana, near))
    return slips


def _kana(consonant: str, vowel: str) -> str:
    at = "aiueo".find(vowel)
    row = _ROMAJI.get(consonant, "")
    return row[at].strip() if 0 <= at < len(row) else ""


def _katakana(kana: str) -> str:
    return chr(ord(kana) + 0x60)


@lru_cache(maxsize=1)
def homophones() -> Mapping[str, tuple[str, ...]]:
    """Japanese word in Chinese characters -> the others of its readings."""
    others: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for group in _data("homophones"):
        of_one_reading = group.split(" ")
        for word in of_one_reading:
            others[word].update(dict.fromkeys(w for w in of_one_reading if w != word))
    return {word: tuple(rest) for word, rest in others.items()}


def romaji_and_conversion(language: str) -> Listed:
    """Kana with a missed key, and words that were converted to others of their reading."""
    kana, by_word = romaji_slips(), homophones()

    def sites(passage: Passage) -> Sites:
        text = passage.text
        whole = [w for w in words(text, language) if text[w.start : w.end] in by_word]
        site_at = {w.start: (w.end, by_word[text[w.start : w.end]]) for w in whole}
        units, offsets = positioned(text)
        for unit, at in zip(units, offsets, strict=True):
            if kana.get(unit):
                site_at[at] = at + len(unit), kana[unit]
        starts = sorted(site_at)
        return Sites(starts, [site_at[s][0] for s in starts], lambda i: site_at[starts[i]][1])

    return Listed(sites)


def vietnamese_keys(method: VietnameseMethod) -> VietnameseKeys:
    """The keys of Telex or VNI."""
    table = _data("vietnamese")["keys"][method]
    return VietnameseKeys(table["shapes"], table["tones"])


def input_method_hash(name: str) -> str:
    """The SHA-256 of a table."""
    return hashlib.sha256(_bytes(name)).hexdigest()


@lru_cache(maxsize=3)
def _data(name: str) -> Any:
    return json.loads(_bytes(name))


def _bytes(name: str) -> bytes:
    return files("crosswind.perturb.families").joinpath("input_methods", f"{name}.json").read_bytes()
