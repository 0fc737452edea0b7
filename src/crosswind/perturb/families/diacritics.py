"""Stripped diacritics, as people write who have no key for them or no patience.

What is a diacritic depends on the script:

* Latin: every combining mark, and the letters that are typed as another when their key is missing
  (ß → ss, đ → d, ł → l, ø → o, ħ → h, ŧ → t, ı → i). Vietnamese loses tone and vowel marks, Turkish
  İ its dot and ı gains one. Letters that are no marked letters stay (æ, œ, þ, ð, ŋ).
* Greek: tonos, dialytika, breathings. Cyrillic: stress and the dots of ё; й, ї, ў are letters.
* Arabic: tashkeel (U+064B-0652, 0656-065F, 0670, Koranic signs); hamza and madda are spelling.
* Hebrew: niqqud and cantillation.

Vowel signs of Indic scripts, Thai tone marks, dakuten and jamo are no diacritics.
"""

from __future__ import annotations

import unicodedata

import regex

from crosswind.perturb.alternatives import Alternatives, Listed, Sites
from crosswind.perturb.graphemes import positioned
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.words import script

_SCRIPTS = frozenset({"Latn", "Grek", "Cyrl", "Arab", "Hebr"})

_ARABIC = regex.compile(r"[\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]")
_HEBREW = regex.compile(r"[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]")
_STRESS = regex.compile(r"(?<=\p{Cyrillic}\p{Mn}*)[\u0300\u0301]|(?<=[еЕ])\u0308")
_LETTERS = str.maketrans("đĐłŁøØħĦŧŦı", "dDlLoOhHtTi")


def _stripped(cluster: str) -> str:
    """A grapheme cluster without its diacritics."""
    apart = unicodedata.normalize("NFD", cluster)
    base = apart[0]
    if regex.match(r"[\p{Latin}\p{Greek}]", base):
        plain = regex.sub(r"\p{Mn}", "", apart)
    elif regex.match(r"\p{Cyrillic}", base):
        plain = _STRESS.sub("", apart)
    elif regex.match(r"\p{Hebrew}", base):
        plain = _HEBREW.sub("", apart)
    elif regex.match(r"\p{Arabic}", base):
        # Hamza and madda decompose too: strip the text as it is written.
        return str(_ARABIC.sub("", cluster))
    else:
        return cluster
    plain = str(plain).translate(_LETTERS).replace("ß", "ss").replace("ẞ", "SS")
    return plain if plain != apart and cluster == apart else unicodedata.normalize("NFC", plain)


class _Strip(dict[str, str]):
    """Cluster -> what is left of it, worked out on first use; empty where nothing changes."""

    def __missing__(self, cluster: str) -> str:
        plain = _stripped(cluster)
        same = unicodedata.normalize("NFC", plain) == unicodedata.normalize("NFC", cluster)
        self[cluster] = bare = "" if same else plain
        return bare


def _applies(setting: Setting) -> str | None:
    written = script(setting.language)
    if written in _SCRIPTS:
        return None
    return f"diacritics has nothing to strip in {setting.language} ({written}): its marks are vowels, tones or letters"


def _prepare(setting: Setting, given: Given) -> Alternatives:
    strip = _Strip()

    def sites(passage: Passage) -> Sites:
        text = passage.text
        if text.isascii():
            return Sites((), (), lambda i: ())
        units, offsets = positioned(text)
        at = [i for i, unit in enumerate(units) if strip[unit]]
        starts = [offsets[i] for i in at]
        ends = [offsets[i] + len(units[i]) for i in at]

        def option(index: int) -> tuple[str]:
            i = at[index]
            plain = strip[units[i]]
            shouted = units[i] == "ß" and any(u.isupper() for u in units[max(0, i - 1) : i + 2])
            return (plain.upper() if shouted else plain,)

        return Sites(starts, ends, option)

    return Listed(sites)


DIACRITICS = Perturbation(
    name="diacritics",
    nature="preserving",
    summary="letters lose their diacritics: é → e, ß → ss, ế → e, ё → е, tashkeel and niqqud go",
    source="Unicode Standard §3.7 (decomposition) and §9 (Arabic, Hebrew); rules by script in the module",
    unit="marked letter",
    languages="languages in Latin, Greek, Cyrillic, Arabic or Hebrew script",
    applies=_applies,
    prepare=_prepare,
)
