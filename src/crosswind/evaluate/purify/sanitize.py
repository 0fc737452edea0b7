"""Sanitising: what a reader would not see, or would take for another letter, is put right.

In this order:

1. Deletion control characters delete: a character and the backspace behind it go (Boucher et al. 2022, §IV).
2. Characters that cannot be seen go: control and format characters (general categories Cc and Cf), variation
   selectors. What spells words or joins emoji stays: joiners in scripts that use them, sequences of emoji.
3. Compatibility characters become plain ones (NFKC, cluster by cluster).
4. In a word that has letters of the language's script, letters of other scripts become those of the language's
   script that they can be taken for (UTS #39, classes of `confusables.txt`). A word wholly in another script
   stays: it is a foreign name, or an attack that this defence does not undo.

Text that bidirectional controls have put in another order stays in that order.
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

from crosswind.data.languages import script_of
from crosswind.evaluate.purify import Cleaning, Purifier
from crosswind.perturb.rewrite import Edit

_CLASSES = "confusables.json"
_UNSEEN = regex.compile(r"[\p{Cc}\p{Cf}\p{Variation_Selector}--[\n\r\t\x1e]]+", regex.V1)
_EMOJI = regex.compile(r"\p{Extended_Pictographic}[\p{M}\p{Emoji_Modifier}\uFE0F\u200D\p{Extended_Pictographic}]*")
_JOINERS = frozenset("\u200c\u200d")
# Scripts in whose spelling the joiners U+200C and U+200D stand (Unicode 15.0, chapters 9 and 12 to 14).
_JOINED = frozenset({
    *("Arab", "Beng", "Deva", "Gujr", "Guru", "Khmr", "Knda", "Laoo", "Mlym", "Mong", "Mymr", "Orya", "Sinh", "Syrc"),
    *("Taml", "Telu", "Tibt"),
})  # fmt: skip
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_FOREIGN = regex.compile(r"[^\x00-\x7f]")
_WRITTEN_WITH = {"Hans": ("Hani",), "Hant": ("Hani",), "Jpan": ("Hani", "Kana", "Hira"), "Kore": ("Hang", "Hani")}


def derive_classes(lines: Iterable[str]) -> dict[str, str]:
    """Prototype -> the letters that can be taken for one another, of the lines of Unicode's `confusables.txt`."""
    classes: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        columns = [column.strip() for column in line.partition("#")[0].split(";")]
        if len(columns) == 3 and all(len(column.split()) == 1 for column in columns[:2]):
            source, prototype = (chr(int(column, 16)) for column in columns[:2])
            classes[prototype] |= {source, prototype}
    letters = {p: "".join(sorted(c for c in members if c.isalpha())) for p, members in classes.items()}
    return {p: members for p, members in sorted(letters.items()) if len(members) > 1}


@lru_cache(maxsize=1)
def _table() -> bytes:
    return files(__package__).joinpath(_CLASSES).read_bytes()


@lru_cache(maxsize=64)
def _letters(language: str) -> tuple[regex.Pattern[str], Mapping[str, str]]:
    """The letters of a language's script, and what letters of other scripts become in it.

    Of several letters of the script in a class the one that has the same case as the stranger is taken, the
    prototype first, then in the order of code points.
    """
    script = script_of(language)
    names = _WRITTEN_WITH.get(script, (script,))
    native = regex.compile("[" + "".join(rf"\p{{Script={name}}}" for name in names) + "]")
    becomes: dict[str, str] = {}
    for prototype, members in json.loads(_table()).items():
        natives = sorted((m for m in members if native.match(m)), key=lambda m: (m != prototype, m))
        for stranger in members if natives else ():
            if not native.match(stranger):
                alike = [m for m in natives if m.isupper() == stranger.isupper()]
                becomes[stranger] = (alike or natives)[0]
    return native, becomes


def _seen(language: str) -> Cleaning:
    joins = script_of(language) in _JOINED

    def clean(text: str) -> list[Edit]:
        if text.isascii() and text.isprintable():
            return []
        edits = _unseen(text, joins)
        covered = {at for start, end, _ in edits for at in range(start, end)}
        edits += [e for e in _plain(text) if covered.isdisjoint(range(e[0], e[1]))]
        return sorted(edits)

    return clean


def _unseen(text: str, joins: bool) -> list[Edit]:
    """What cannot be seen, and what was deleted by control characters, as deletions without overlap."""
    gone = [False] * len(text)
    at = 0
    for i, char in enumerate(text):
        if char in "\b\x7f":
            gone[i] = True
            before = next((j for j in range(i - 1, at - 1, -1) if not gone[j]), None)
            if before is not None:
                gone[before] = True
        elif char == "\n":
            at = i + 1
    kept = {i for match in _EMOJI.finditer(text) for i in range(*match.span())}
    for match in _UNSEEN.finditer(text):
        for i in range(*match.span()):
            if i not in kept and not (joins and text[i] in _JOINERS and _inside_word(text, i)):
                gone[i] = True
    edits: list[Edit] = []
    start = None
    for i, deleted in enumerate([*gone, False]):
        if deleted and start is None:
            start = i
        elif not deleted and start is not None:
            edits.append((start, i, ""))
            start = None
    return edits


def _inside_word(text: str, at: int) -> bool:
    """Whether a joiner stands behind a letter or mark: at the end of a word it may shape the last letter."""
    return at > 0 and unicodedata.category(text[at - 1])[0] in "LM"


def _plain(text: str) -> list[Edit]:
    """Clusters that NFKC changes, without those that it only writes otherwise (canonical equivalence)."""
    if unicodedata.is_normalized("NFKC", text):
        return []
    edits = []
    for match in regex.finditer(r"\X", text):
        cluster = match.group()
        plain = unicodedata.normalize("NFKC", cluster)
        if plain and unicodedata.normalize("NFD", plain) != unicodedata.normalize("NFD", cluster):
            edits.append((*match.span(), plain))
    return edits


def _letters_back(language: str) -> Cleaning:
    native, becomes = _letters(language)

    def clean(text: str) -> list[Edit]:
        if not _FOREIGN.search(text) and script_of(language) == "Latn":
            return []
        edits = []
        for match in _WORD.finditer(text):
            word = match.group()
            if not native.search(word):
                continue
            edits += [
                (match.start() + i, match.start() + i + 1, becomes[char])
                for i, char in enumerate(word)
                if char in becomes
            ]
        return edits

    return clean


def _resources(language: str, words: str | None) -> Mapping[str, str]:
    return {_CLASSES: hashlib.sha256(_table()).hexdigest(), "unicode": unicodedata.unidata_version}


SANITIZE = Purifier(
    name="sanitize",
    summary="invisible and control characters go, compatibility characters and letters of another script become plain",
    source="UAX #15 (NFKC), UTS #39 (confusables); Boucher et al. 2022 (Bad Characters), §VII for what it defends from",
    prepare=lambda language, words: (_seen(language), _letters_back(language)),
    resources=_resources,
    # Of reordered text the controls go; the order stays.
    made_for=frozenset({"bidi", "deletion-control", "full-width", "homoglyph", "invisible"}),
)
