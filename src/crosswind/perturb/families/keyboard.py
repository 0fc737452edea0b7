"""Keyboard typos: a key is missed for its neighbour on the layout that a language is typed with.

A layout is a data file `layouts/CODE.json`, read off the national standard that its name gives or the
`source` that it names: rows of keys with the horizontal place of their first key in key widths, for each
shift level (without, Shift, AltGr). It is for languages in one script: a language that has no layout in
its script has no typos of this kind, and is refused rather than typed on a foreign keyboard.

Only letters, vowel signs and tone marks change, and only into their like: a typed word stays one word,
a number stays what it is and a grapheme cluster stays one cluster. A letter without a key is typed as
its base letter and marks, whose keys are missed one at a time. A language without a layout of its own is typed on that
of the official language beside it (Haitian Creole on the French one, Nahuatl on the Spanish one). Languages that are
typed by an input method have slips of theirs (`input_methods.py`). Vietnamese, typed on its own keyboard by default, is
typed on QWERTY with `layout=telex` or `layout=vni`: the keys of a letter are missed one at a time.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any, Literal

import regex

from crosswind.data.languages import macrolanguage_of, name_of
from crosswind.errors import UserError
from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.columns import ByCluster
from crosswind.perturb.fingers import finger_typos
from crosswind.perturb.hangul import hangul_options
from crosswind.perturb.input_methods import (
    Ethiopic,
    Pinyin,
    input_method_hash,
    romaji_and_conversion,
    vietnamese_keys,
)
from crosswind.perturb.perturbation import Given, NotApplicable, Param, Perturbation, Setting
from crosswind.perturb.vietnamese import VietnameseMethod, vietnamese_slips
from crosswind.perturb.words import base_language, is_turkic, lowered, raised, script, segmentation

# Two keys are neighbours if their centres are at most 1.25 key widths apart: on QWERTY, a has q w s z.
# With rows staggered by 1/2, 1/4 and 1/2 (ISO/IEC 9995-1) the next distance is 1.41.
_REACH = 1.26**2
_REACH_OF_EDGE = 2.0**2
_ALTGR = 2
_VERSION = 3  # of the alternatives that a layout gives
_TELEX_AND_VNI: tuple[VietnameseMethod, ...] = ("telex", "vni")

_CLUSTER = regex.compile(r"\X")
_INSC = ("Consonant", "Vowel_Dependent", "Vowel_Independent", "Tone_Mark", "Bindu", "Visarga", "Virama", "Nukta")
_CLASSES = tuple(
    regex.compile(rf"\p{{{p}}}")
    for p in ("L", "M", "GCB=Extend", "GCB=SpacingMark", *(f"InSC={value}" for value in _INSC))
)
# Neither ordinals and signs that join letters, nor the Arabic tatweel, which is no letter, are typed for a letter.
_FIXED = regex.compile(r"[ªº\u0640\p{InSC=Virama}\p{InSC=Pure_Killer}\p{InSC=Nukta}\p{InSC=Invisible_Stacker}]")
_IN_A_ROW = regex.compile(r"(?=[\p{Thai}\p{Lao}])(?![ำຳ])\p{Lo}")  # vowels and consonants that stand one after another
_VOWELS = frozenset("aeiouyăâêôơưαεηιουω")


@dataclass(frozen=True)
class KeyboardLayout:
    """A keyboard of languages in a script: for each shift level its keys as (character, x, y) in key widths.

    The levels are those without a modifier, with Shift, with AltGr.
    """

    code: str
    name: str
    languages: tuple[str, ...]
    script: str
    levels: tuple[tuple[tuple[str, float, int], ...], ...]

    @cached_property
    def neighbours(self) -> Mapping[str, tuple[str, ...]]:
        """What may be typed for every key that gives one letter or mark, nearest first."""
        near: dict[str, dict[str, float]] = {}
        pairs = [(one, two) for level in self.levels for one, two in itertools.permutations(level, 2)]
        # A neighbour that has nothing with AltGr gives its plain letter.
        pairs += [pair for level in self.levels[_ALTGR:] for pair in itertools.product(level, self.levels[0])]
        for (key, x, y), (other, x2, y2) in pairs:
            gap = (x - x2) ** 2 + (y - y2) ** 2
            if key != other and 0 < gap <= _REACH and _alike(key, other):
                near.setdefault(key, {}).setdefault(other, gap)
        lonely = [pair for pair in pairs if pair[0][0] not in near]
        for (key, x, y), (other, x2, y2) in lonely:  # a letter at the edge has its nearest like
            gap = (x - x2) ** 2 + (y - y2) ** 2
            if key != other and 0 < gap <= _REACH_OF_EDGE and _alike(key, other):
                near.setdefault(key, {}).setdefault(other, gap)
        return {key: tuple(sorted(others, key=lambda o: (others[o], o))) for key, others in near.items()}


class Keys(dict[str, tuple[str, ...]]):
    """Grapheme cluster -> what it may become on a layout, worked out on first use."""

    def __init__(self, layout: KeyboardLayout, turkic: bool) -> None:
        super().__init__()
        self.layout, self.turkic = layout, turkic

    def __missing__(self, cluster: str) -> tuple[str, ...]:
        options = tuple(dict.fromkeys(o for o in self._options(cluster) if o != cluster))
        self[cluster] = options
        return options

    def _options(self, cluster: str) -> Iterator[str]:
        composed = unicodedata.normalize("NFC", cluster)
        if not self._has_key(composed[0]):
            lower = lowered(composed, self.turkic)
            if lower != composed:
                yield from self._raised(lower)
                return
        options = self._one(composed) if len(composed) == 1 else self._many(composed)
        # The text keeps its normalisation form.
        decomposed = cluster != composed and cluster == unicodedata.normalize("NFD", cluster)
        yield from (unicodedata.normalize("NFD", o) if decomposed else o for o in options)

    def _one(self, char: str) -> Iterator[str]:
        """A letter of one code point: a key of its own, jamo, or a base letter and marks typed by dead keys."""
        near = self.layout.neighbours
        if char in near:
            yield from near[char]
            return
        if "가" <= char <= "힣":
            yield from hangul_options(char, near)
            return
        keys = self._strokes(unicodedata.normalize("NFD", char))
        for at, key in enumerate(keys):
            for other in near.get(key, ()):
                whole = unicodedata.normalize("NFC", "".join([*keys[:at], other, *keys[at + 1 :]]))
                keeps_marks = at > 0 or (key in _VOWELS and other in _VOWELS)
                if len(whole) == 1 and keeps_marks:
                    yield whole
                elif at == 0:
                    yield other

    def _many(self, cluster: str) -> Iterator[str]:
        """A cluster of several code points: one of them is missed for another of its class.

        A letter that carries marks loses them where a consonant takes its place: nobody types them on it.
        """
        for at, char in enumerate(cluster):
            before, after = cluster[:at], cluster[at + 1 :]
            for other in self._one(char):
                bare = at == 0 and self._drops_marks(char, other)
                whole = other if bare else unicodedata.normalize("NFC", before + other + after)
                if _CLUSTER.fullmatch(whole):
                    yield whole

    def _drops_marks(self, char: str, other: str) -> bool:
        vowels = [unicodedata.normalize("NFD", c)[0] in _VOWELS for c in (char, other)]
        return vowels == [True, False]

    def _has_key(self, char: str) -> bool:
        near = self.layout.neighbours
        return char in near or "가" <= char <= "힣"

    def _strokes(self, decomposed: str) -> list[str]:
        base, rest = decomposed[0], []
        for mark in decomposed[1:]:
            joined = unicodedata.normalize("NFC", base + mark)
            if joined in self.layout.neighbours:
                base = joined
            else:
                rest.append(mark)
        return [base, *rest]

    def _raised(self, lower: str) -> Iterator[str]:
        for option in self[lower]:
            upper = raised(option, self.turkic)
            if len(unicodedata.normalize("NFC", upper)) == len(unicodedata.normalize("NFC", option)):
                yield upper


@lru_cache(maxsize=1)
def layouts() -> Mapping[str, KeyboardLayout]:
    """Every layout by code."""
    by_code = {}
    for entry in sorted(files(__package__).joinpath("layouts").iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".json"):
            code = entry.name.removesuffix(".json")
            by_code[code] = _layout(code, json.loads(entry.read_text(encoding="utf-8")))
    return by_code


def layout_for(setting: Setting) -> KeyboardLayout:
    """The layout that a language is typed with in its script; `NotApplicable` if there is none."""
    known = layouts()
    chosen = str(setting.params["layout"])
    if chosen != "auto":
        if chosen not in known:
            raise UserError(f"no keyboard layout {chosen!r}", hint=f"layouts: {', '.join([*known, *_TELEX_AND_VNI])}")
        return known[chosen]
    written = script(setting.language)
    # Standard Arabic (arb) is typed as Arabic: a macrolanguage's layout serves its members that have none.
    languages = (base_language(setting.language), macrolanguage_of(setting.language))
    for language in dict.fromkeys(languages):
        for layout in known.values():
            if written == layout.script and language in layout.languages:
                return layout
    raise NotApplicable(
        f"keyboard has no layout for {setting.language} ({name_of(setting.language)}, {written})",
        hint="keyboard(layout=CODE) names a layout",
    )


def _layout(code: str, value: Mapping[str, Any]) -> KeyboardLayout:
    levels = tuple(
        tuple((key, row["x"] + i, y) for y, row in enumerate(rows) for i, key in enumerate(row["keys"].split(" ")))
        for rows in value["layers"]
    )
    languages = tuple(base_language(language) for language in value["languages"])
    return KeyboardLayout(code, value["name"], languages, value["script"], levels)


def _alike(key: str, other: str) -> bool:
    """Whether two keys give letters or marks of one class: neither a digit nor a sign that joins letters."""
    if len(key) != 1 or len(other) != 1 or _FIXED.match(key) or _FIXED.match(other):
        return False
    if _IN_A_ROW.match(key) and _IN_A_ROW.match(other):
        return True
    classes = [[bool(c.match(k)) for c in _CLASSES] for k in (key, other)]
    return classes[0] == classes[1] and any(classes[0][:2])


def _input_method(setting: Setting) -> Literal["pinyin", "romaji", "sera", "telex", "vni"] | None:
    """How a language is typed that no layout has the letters of, or the input method that is named."""
    for method in _TELEX_AND_VNI:
        if setting.params["layout"] == method:
            if setting.params["model"] != "neighbours":
                hint = f"leave out model={setting.params['model']}"
                raise UserError(f"keyboard(layout={method}) has one model, a missed key", hint=hint)
            return method
    if setting.params["layout"] != "auto":
        return None
    written = script(setting.language)
    if written in ("Hans", "Hant") and setting.params["model"] == "neighbours":
        return "pinyin"
    if written == "Ethi" and setting.params["model"] == "neighbours":
        return "sera"
    return "romaji" if written == "Jpan" and setting.params["model"] == "neighbours" else None


def _applies(setting: Setting) -> str | None:
    match _input_method(setting):
        case "telex" | "vni" as method:
            if (base_language(setting.language), script(setting.language)) == ("vi", "Latn"):
                return None
            return f"{method} is an input method of Vietnamese in Latin script, not of {setting.language}"
        case "pinyin" | "romaji" | "sera":
            return None
        case None:
            pass
    try:
        layout_for(setting)
    except NotApplicable as reason:
        return reason.what
    return None


def _prepare(setting: Setting, given: Given) -> Alternatives:
    match _input_method(setting):
        case "pinyin":
            return ByCluster(Pinyin(script(setting.language)))
        case "romaji":
            return romaji_and_conversion(setting.language)
        case "sera":
            return ByCluster(Ethiopic())
        case "telex" | "vni" as method:
            return vietnamese_slips(vietnamese_keys(method), layouts()["en"].neighbours)
    layout, turkic = layout_for(setting), is_turkic(setting.language)
    if setting.params["model"] == "multypo":
        return finger_typos(layout.levels[0], layout.neighbours, setting.language, turkic)
    return ByCluster(Keys(layout, turkic))


def _resources(setting: Setting) -> Mapping[str, str]:
    match _input_method(setting):
        case "pinyin":
            return {"keyboard/pinyin": input_method_hash("pinyin")}
        case "sera":
            return {"keyboard/sera": "1"}
        case "romaji":
            return {
                "keyboard/homophones": input_method_hash("homophones"),
                **segmentation(setting.language, endings=False),
            }
        case "telex" | "vni" as method:
            return {f"keyboard/{method}": f"{input_method_hash('vietnamese')}/1", **_layout_hash("en")}
    return _layout_hash(layout_for(setting).code)


def _layout_hash(code: str) -> Mapping[str, str]:
    data = files(__package__).joinpath("layouts", f"{code}.json").read_bytes()
    return {f"keyboard/{code}": f"{hashlib.sha256(data).hexdigest()}/{_VERSION}"}


KEYBOARD = Perturbation(
    name="keyboard",
    nature="preserving",
    summary="a letter becomes its neighbour on the keyboard that the language is typed with",
    source="Belinkov & Bisk 2018 (Synthetic and Natural Noise Both Break Neural MT), §3.2 Keyboard Typo; national "
    "standards; model=multypo: Zhao et al. 2026 (MulTypo; PyPI multypo 0.1.1)",
    unit="letter (model=multypo: word)",
    languages="languages with a layout in their script; Chinese by pinyin, Japanese by romaji and conversion, Amharic "
    "by romanised syllables",
    applies=_applies,
    prepare=_prepare,
    resources=_resources,
    params=(
        Param(
            "layout", "text", "code of the layout, or telex or vni (Vietnamese); auto is the language's", default="auto"
        ),
        Param(
            "model",
            "text",
            "neighbours: a missed key; multypo: one typo a word, by fingers and hands",
            default="neighbours",
            choices=("neighbours", "multypo"),
        ),
    ),
)
