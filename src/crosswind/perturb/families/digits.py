"""The other system of digits: 1990 ↔ ١٩٩٠ ↔ १९९०, number by number, so that none mixes two.

A number in ASCII digits gets those of its language, a number in its language's own digits those of ASCII. In
Chinese and Japanese numbers of four digits and more are written digit by digit, as years are: 1990 → 一九九〇.
"""

from __future__ import annotations

import regex

from crosswind.perturb.alternatives import Alternatives, Listed, Option, Sites
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.single_characters import single_characters
from crosswind.perturb.words import base_language, script

_ASCII = "0123456789"
_HAN = "〇一二三四五六七八九"
# The zero of each script's digits (Unicode chapter 22.3); Arabic script has two sets, by language (CLDR 48.2,
# numberingSystems: arab, arabext).
_ZEROS = {
    "Deva": 0x0966, "Beng": 0x09E6, "Guru": 0x0A66, "Gujr": 0x0AE6, "Orya": 0x0B66, "Taml": 0x0BE6, "Telu": 0x0C66,
    "Knda": 0x0CE6, "Mlym": 0x0D66, "Thai": 0x0E50, "Laoo": 0x0ED0, "Tibt": 0x0F20, "Mymr": 0x1040, "Khmr": 0x17E0,
    "Arab": 0x06F0,
}  # fmt: skip
_EASTERN = ("ar", "arz", "ary", "ckb")
_FOUR_HAN = regex.compile(rf"(?<![\p{{N}}{_HAN}.,])(?:[0-9]{{4,}}|[{_HAN}]{{4,}})(?![\p{{N}}{_HAN}]|[.,][0-9])")


def _digits(language: str) -> str:
    """The ten digits of a language beside those of ASCII; empty if it has none."""
    written = script(language)
    if written in ("Hans", "Hant", "Hani", "Jpan"):
        return _HAN
    zero = 0x0660 if written == "Arab" and base_language(language) in _EASTERN else _ZEROS.get(written)
    return "" if zero is None else "".join(chr(zero + n) for n in range(10))


def _applies(setting: Setting) -> str | None:
    if _digits(setting.language):
        return single_characters("digits", setting)
    return f"{setting.language} ({script(setting.language)}) has no digits but 0 to 9"


def _prepare(setting: Setting, given: Given) -> Alternatives:
    other = _digits(setting.language)
    number = _FOUR_HAN if other == _HAN else regex.compile(rf"(?<!\p{{N}})(?:[0-9]+|[{other}]+)(?!\p{{N}})")
    exchange = str.maketrans(_ASCII + other, other + _ASCII)

    def sites(passage: Passage) -> Sites:
        spans = [m.span() for m in number.finditer(passage.text)]

        def options(index: int) -> tuple[Option, ...]:
            start, end = spans[index]
            return (passage.text[start:end].translate(exchange),)

        return Sites([start for start, _ in spans], [end for _, end in spans], options)

    return Listed(sites)


DIGIT_SYSTEM = Perturbation(
    name="digits",
    nature="preserving",
    summary="a number in the other system of digits: 1990 ↔ ١٩٩٠, १९९०, ๑๙๙๐, 一九九〇",
    source="Unicode Standard, §22.3 (numerals); Unicode CLDR 48.2, numbering systems",
    unit="number",
    languages="languages with digits beside 0 to 9: Arabic, Persian, Urdu, of India and Southeast Asia; zh and ja",
    applies=_applies,
    prepare=_prepare,
)
