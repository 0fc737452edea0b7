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

from crosswind.perturb.alternatives import Alternatives, Option
from crosswind.perturb.codes import Integers, TextBatch
from crosswind.perturb.columns import ByCluster, Columns
from crosswind.perturb.draw import Words
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.words import base_language, script

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


class _Strip(dict[str, tuple[str, ...]]):
    """Cluster -> what is left of it, worked out on first use; nothing where nothing changes."""

    def __missing__(self, cluster: str) -> tuple[str, ...]:
        plain = _stripped(cluster)
        same = unicodedata.normalize("NFC", plain) == unicodedata.normalize("NFC", cluster)
        self[cluster] = bare = () if same else (plain,)
        return bare


# Languages that are written without diacritics but for foreign words (and points in books for learners): of their
# lines in the test sets of XTREME-R, 97 to 100 % have none.
_BARE = frozenset({"bg", "en", "eu", "fa", "fil", "ha", "he", "id", "kk", "ms", "sw", "uk"})


def _applies(setting: Setting) -> str | None:
    written = script(setting.language)
    if written in _SCRIPTS and setting.params["languages"] == "marked" and base_language(setting.language) in _BARE:
        return (
            f"diacritics has next to nothing to strip in {setting.language}: it is written without them; "
            "diacritics(languages=all) strips what there is"
        )
    if written in _SCRIPTS:
        return None
    return f"diacritics has nothing to strip in {setting.language} ({written}): its marks are vowels, tones or letters"


class _Stripped(ByCluster):
    """What clusters are without their diacritics; ß beside a capital is two capitals."""

    def __init__(self) -> None:
        super().__init__(_Strip())
        self.columns = self._with_capitals

    def _with_capitals(self, batch: TextBatch) -> Columns:
        columns = self._columns(batch)
        text, starts = batch.text, columns.starts
        if "ß" not in text:
            return columns

        def shouted(i: int) -> bool:
            at = int(starts[i])
            return text[at] == "ß" and any(c.isupper() for c in text[max(0, at - 1) : at + 2])

        def options(i: int, first: int) -> tuple[Option, ...]:
            plain = columns.options(i, first)
            return tuple(str(o).upper() for o in plain) if shouted(i) else plain

        def become(at: Integers, bits: Words) -> list[str]:
            texts = columns.texts(at, bits)
            return [t.upper() if shouted(i) else t for i, t in zip(at.tolist(), texts, strict=True)]

        return Columns(columns.starts, columns.ends, options, become)


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return _Stripped()


DIACRITICS = Perturbation(
    name="diacritics",
    nature="preserving",
    summary="letters lose their diacritics: é → e, ß → ss, ế → e, ё → е, tashkeel and niqqud go",
    source="Unicode Standard §3.7 (decomposition) and §9 (Arabic, Hebrew); rules by script in the module",
    unit="marked letter",
    languages="languages in Latin, Greek, Cyrillic, Arabic or Hebrew script that are written with diacritics",
    applies=_applies,
    prepare=_prepare,
    params=(Param("languages", "text", "marked, or all", default="marked", choices=("marked", "all")),),
)
