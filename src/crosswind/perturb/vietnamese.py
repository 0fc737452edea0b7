"""Vietnamese typed by Telex or VNI: a letter is a base key, one for its shape and one for its tone; one is missed.

tiếng is typed tieesng (Telex) or tie61ng (VNI): the keys of a letter stand together, the tone behind its vowel. One
key becomes its neighbour on QWERTY, a letter a letter and a digit a digit, and the syllable is what the input method
then shows. As Keyman's keyboards `vietnamese_telex` and `vietnamese_vni` do it:

* a shape key acts on the letter just before it, and stands for itself where it has none (w too);
* a tone key acts on the vowels of the syllable, a second one replaces the first (asf is à);
* a key that comes twice takes back what it did and stands for itself (herr is her, ooo is oo).

A tone that a slip changes stays where the text has it. One that a slip brings to another letter lies as the old rule
has it (òa, òe, úy): on the last vowel with a shape of its own, before a consonant on the last, else on the first of one
or two and the middle of three.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import regex

from crosswind.perturb.alternatives import Listed, Sites
from crosswind.perturb.graphemes import positioned
from crosswind.perturb.passage import Passage

VietnameseMethod = Literal["telex", "vni"]

_VOWELS = frozenset("aăâeêioôơuưy")
_ONSET = regex.compile(r"(?i)^(?:qu(?=\p{L})|gi(?=[aăâeêioôơuưy]))")
_DIGITS = "1234567890"  # in their order on the keyboard


class VietnameseKeys(NamedTuple):
    """The keys of a method: what each makes of a letter without tone, and which tone each gives ('' takes it off)."""

    shapes: Mapping[str, Mapping[str, str]]
    tones: Mapping[str, str]

    def strokes(self, letter: str) -> str:
        """The keys of one lower-case letter in NFC, base first; '' for what is no letter of Vietnamese."""
        shaped, tone = _split(letter)
        for key, becomes in self.shapes.items():
            for base, result in becomes.items():
                if result == shaped:
                    return base + key + self._tone_key(tone)
        return shaped + self._tone_key(tone) if len(shaped) == 1 and "a" <= shaped <= "z" else ""

    def _tone_key(self, tone: str) -> str:
        return next((key for key, mark in self.tones.items() if mark == tone and mark), "")

    def press(self, letters: Sequence[str], key: str, bearer: int | None = None) -> list[str]:
        """A syllable after one more key: `letters` are its letters so far in NFC, lower-case.

        A tone lies on the vowel `bearer` if it is one: where the text has it (hoà or hòa).
        """
        after = list(letters)
        if key in self.shapes and letters:
            shaped, tone = _split(letters[-1])
            becomes = self.shapes[key]
            if shaped in becomes.values():  # the key for the second time
                base = next(b for b, result in becomes.items() if result == shaped)
                return [*letters[:-1], _joined(base, tone), key]
            base = unicodedata.normalize("NFD", shaped)[0]
            if base in becomes:
                return [*letters[:-1], _joined(becomes[base], tone)]
        if key in self.tones:
            mark = self.tones[key]
            at, tone = next(((i, t) for i, c in enumerate(letters) if (t := _split(c)[1])), (None, ""))
            if at is None:
                on = bearer is not None and bearer < len(letters) and _split(letters[bearer])[0] in _VOWELS
                at = bearer if on else _bearer(letters)
            if at is not None and mark != tone:
                after[at] = _joined(_split(letters[at])[0], mark)
                return after
            if at is not None and mark:  # the key for the second time
                after[at] = _split(letters[at])[0]
        return [*after, key]


def _split(letter: str) -> tuple[str, str]:
    """A letter without its tone, and the tone's mark."""
    marks = unicodedata.normalize("NFD", letter)
    tone = next((m for m in marks if m in "\u0300\u0301\u0303\u0309\u0323"), "")
    return unicodedata.normalize("NFC", marks.replace(tone, "")) if tone else letter, tone


def _joined(letter: str, tone: str) -> str:
    return unicodedata.normalize("NFC", letter + tone)


def _bearer(letters: Sequence[str]) -> int | None:
    """Where a tone lies that a syllable has not had."""
    text = "".join(letters)
    onset = _ONSET.match(text)
    vowels = [i for i in range(onset.end() if onset else 0, len(text)) if text[i] in _VOWELS]
    if not vowels:
        return None
    run = [i for n, i in enumerate(vowels) if i - vowels[0] == n]
    shaped = [i for i in run if text[i] not in "aeiouy"]
    if shaped:
        return shaped[-1]
    if run[-1] + 1 < len(text):
        return run[-1]
    return run[1] if len(run) == 3 else run[0]


def vietnamese_slips(keys: VietnameseKeys, near: Mapping[str, Sequence[str]]) -> Listed:
    """One missed key in a syllable, each letter of it drawn by itself; `near[letter]` are the neighbours of its key.

    A site is the whole syllable, because a key acts on letters before it; of a syllable one slip is made.
    """
    neighbours = {**{k: tuple(o for o in others if "a" <= o <= "z") for k, others in near.items()}, **_digits()}

    @lru_cache(maxsize=65536)
    def slips(syllable: tuple[str, ...], at: int) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_slips(keys, neighbours, syllable, at)))

    def sites(passage: Passage) -> Sites:
        starts: list[int] = []
        ends: list[int] = []
        counters: list[int] = []
        members: list[tuple[tuple[str, ...], int]] = []
        for start, syllable in _syllables(keys, passage.text):
            offset, end = start, start + sum(map(len, syllable))
            for at, letter in enumerate(syllable):
                starts.append(start)
                ends.append(end)
                counters.append(offset)
                members.append((syllable, at))
                offset += len(letter)
        return Sites(starts, ends, lambda i: slips(*members[i]), counters=counters, groups=starts)

    return Listed(sites)


def _digits() -> dict[str, tuple[str, ...]]:
    return {d: tuple(_DIGITS[max(0, i - 1) : i] + _DIGITS[i + 1 : i + 2]) for i, d in enumerate(_DIGITS)}


def _syllables(keys: VietnameseKeys, text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The runs of Vietnamese letters of a text that no other letter, mark or digit adjoins, with their starts."""
    units, offsets = positioned(text)
    run: list[str] = []
    begin, whole = 0, True
    for unit, at in zip([*units, " "], [*offsets, len(text)], strict=True):
        if keys.strokes(unicodedata.normalize("NFC", unit).lower()):
            if not run:
                begin = at
            run.append(unit)
            continue
        joins = unit[0].isalnum()
        if run and whole and not joins:
            yield begin, tuple(run)
        run, whole = [], not joins


def _slips(
    keys: VietnameseKeys, neighbours: Mapping[str, Sequence[str]], syllable: tuple[str, ...], at: int
) -> Iterator[str]:
    """What a syllable becomes by one missed key of its letter `at`, in the normal form and case that it has."""
    text = "".join(syllable)
    composed = [unicodedata.normalize("NFC", letter) for letter in syllable]
    capital = [letter != letter.lower() for letter in composed]
    lower = [letter.lower() for letter in composed]
    typed = keys.strokes(lower[at])
    bearer = at if _split(lower[at])[1] else None
    decomposed = not unicodedata.is_normalized("NFC", text) and unicodedata.is_normalized("NFD", text)
    for n, key in enumerate(typed):
        for other in neighbours.get(key, ()):
            letters = lower[:at]
            for stroke in typed[:n] + other + typed[n + 1 :]:
                letters = keys.press(letters, stroke, bearer)
            shown = _one_tone([*letters, *lower[at + 1 :]])
            cases = capital[:at] + _cases(capital, at, len(letters) - at) + capital[at + 1 :]
            result = "".join(c.upper() if up else c for c, up in zip(shown, cases, strict=True))
            result = unicodedata.normalize("NFD" if decomposed else "NFC", result)
            if result != text:
                yield result


def _cases(capital: Sequence[bool], at: int, count: int) -> list[bool]:
    """Whether each of the `count` letters that stand for letter `at` is a capital: all in a syllable of capitals."""
    every = all(capital) and len(capital) > 1
    return [capital[at] and (n == 0 or every) for n in range(count)]


def _one_tone(letters: Sequence[str]) -> list[str]:
    """The letters with the last of their tones alone: a later tone key replaces an earlier one."""
    toned = [i for i, letter in enumerate(letters) if _split(letter)[1]]
    return [_split(letter)[0] if i in toned[:-1] else letter for i, letter in enumerate(letters)]
