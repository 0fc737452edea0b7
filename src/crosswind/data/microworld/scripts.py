"""Writing: from letters a to z (and a few digraphs) to a script.

Every writer gives valid sequences: a Devanagari word never begins with a vowel sign, consonants in a
row are joined by virama; Thai vowels that are written first stand before their consonant; Greek and
Hebrew have their final letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping


def _table(text: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in text.split())


_CYRILLIC = _table(
    "a=а b=б c=к d=д e=е f=ф g=г h=х i=и j=дж k=к l=л m=м n=н o=о p=п q=к r=р s=с t=т u=у v=в w=в x=кс y=ы z=з "
    "sh=ш ch=ч zh=ж ts=ц th=т"
)
_GREEK = _table(
    "a=α b=β c=κ d=δ e=ε f=φ g=γ h=χ i=ι j=ι k=κ l=λ m=μ n=ν o=ο p=π q=κ r=ρ s=σ t=τ u=υ v=β w=ω x=ξ y=η z=ζ "
    "th=θ ps=ψ ch=χ"
)
_HEBREW = _table(
    "a=א b=ב c=כ d=ד e=ה f=פ g=ג h=ח i=י j=ז k=ק l=ל m=מ n=נ o=ע p=פ q=ק r=ר s=ס t=ט u=ו v=ב w=ו x=קס y=י z=ז "
    "sh=ש ts=צ ch=צ th=ת"
)
_DEVANAGARI = _table(
    "k=क kh=ख g=ग gh=घ c=क ch=च j=ज t=त th=थ d=द dh=ध n=न p=प ph=फ f=फ b=ब bh=भ m=म y=य r=र l=ल v=व w=व q=क "
    "s=स sh=श h=ह z=झ x=क्ष"
)
_DEVANAGARI_VOWELS = {"a": ("आ", "ा"), "e": ("ए", "े"), "i": ("इ", "ि"), "o": ("ओ", "ो"), "u": ("उ", "ु")}
_THAI = _table(
    "k=ก kh=ข g=ก c=ก ch=ช j=จ d=ด t=ต th=ท n=น b=บ p=ป ph=ผ f=ฟ m=ม y=ย r=ร l=ล w=ว v=ว s=ส sh=ช h=ห z=ซ x=กซ q=ก ng=ง"
)
_THAI_VOWELS = {"a": "า", "i": "ี", "u": "ู"}
_THAI_FIRST = {"e": "เ", "o": "โ"}

_VIRAMA = "्"
_LETTERS = re.compile(r"ng(?![aeiou])|[bdgkpt]h|[csz]h|ts|ps|[a-z]|.")


def in_script(roman: str, script: str) -> str:
    """A word in a script; Latin stays as it is. What is no letter stays too."""
    writer = _WRITERS.get(script)
    return roman if writer is None else writer(roman)


def _letters(roman: str, table: Mapping[str, str]) -> list[str]:
    """The units of a word: digraphs where the table has them, single letters otherwise."""
    units: list[str] = []
    for unit in _LETTERS.findall(roman):
        units += [unit] if len(unit) == 1 or unit in table else list(unit)
    return units


def _alphabetic(table: Mapping[str, str], finals: Mapping[str, str]) -> Callable[[str], str]:
    def writer(roman: str) -> str:
        text = "".join(table.get(unit, unit) for unit in _letters(roman, table))
        return text[:-1] + finals.get(text[-1], text[-1]) if len(text) > 1 else text

    return writer


def _devanagari(roman: str) -> str:
    text, open_consonant = "", False
    for unit in _letters(roman, _DEVANAGARI):
        if unit in _DEVANAGARI_VOWELS:
            initial, sign = _DEVANAGARI_VOWELS[unit]
            text, open_consonant = text + (sign if open_consonant else initial), False
        elif unit in _DEVANAGARI:
            text, open_consonant = text + (_VIRAMA if open_consonant else "") + _DEVANAGARI[unit], True
        else:
            text, open_consonant = text + unit, False
    return text


def _thai(roman: str) -> str:
    text, onset = "", ""
    for unit in _letters(roman, _THAI):
        if unit in _THAI:
            text, onset = text + onset, _THAI[unit]
        elif unit in _THAI_FIRST:
            text, onset = text + onset[:-1] + _THAI_FIRST[unit] + (onset[-1:] or "อ"), ""
        elif unit in _THAI_VOWELS:
            text, onset = text + (onset or "อ") + _THAI_VOWELS[unit], ""
        else:
            text, onset = text + onset + unit, ""
    return text + onset


_WRITERS: Mapping[str, Callable[[str], str]] = {
    "Cyrl": _alphabetic(_CYRILLIC, {}),
    "Grek": _alphabetic(_GREEK, {"σ": "ς"}),
    "Hebr": _alphabetic(_HEBREW, {"מ": "ם", "נ": "ן", "פ": "ף", "צ": "ץ", "כ": "ך"}),
    "Deva": _devanagari,
    "Thai": _thai,
}
SCRIPTS: tuple[str, ...] = ("Latn", *_WRITERS)
