"""The words of a language: a stem for every concept, and its forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from crosswind.data.microworld import names, world
from crosswind.data.microworld.draws import WorldDraw
from crosswind.data.microworld.language import Language
from crosswind.data.microworld.languages import LANGUAGES
from crosswind.data.microworld.scripts import in_script
from crosswind.errors import unknown

FUNCTION: Mapping[str, str] = {  # function words with their parts of speech
    "the": "DET", "a": "DET", "of": "ADP", "in": "ADP", "on": "ADP", "from": "ADP", "to": "ADP", "for": "ADP",
    "than": "ADP", "and": "CCONJ", "because": "SCONJ", "so": "ADV", "not": "PART", "be": "AUX", "do": "AUX",
    "who": "PRON", "what": "PRON", "where": "ADV", "how": "ADV", "how-many": "ADV", "she": "PRON",
    "yes": "INTJ", "no": "INTJ",
}  # fmt: skip
_OPEN = {
    **dict.fromkeys((*world.NOUNS, *world.PLACES, *world.PROFESSIONS, *world.FIRMS), "NOUN"),
    **dict.fromkeys(world.DAYS, "PROPN"),
    **dict.fromkeys((*world.VERBS, *world.INTRANSITIVE, "have", "come", "work"), "VERB"),
    **dict.fromkeys((verb for c in world.CONVERSES for verb in (c[0], c[2])), "VERB"),
    **dict.fromkeys(
        (*world.OPPOSITES, *world.COLOUR_WORDS, *world.STATES, *(q for pair in world.COMPARISONS for q in pair)), "ADJ"
    ),
    **dict.fromkeys(world.NUMBERS, "NUM"),
}
CONCEPTS: Mapping[str, str] = {
    **FUNCTION, **_OPEN, **{second: _OPEN[first] for first, second in world.SYNONYMS.items()}
}  # fmt: skip
"""Every concept with its part of speech (Universal Dependencies)."""

_LATIN = "latin:"  # marks a loan that keeps its Latin letters


class Lexicon:
    """The words of one language, made once."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._stems = self._invent()
        self._forms: dict[tuple[str, str], str] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._endings: dict[tuple[str, ...], str] = {}

    def form(self, concept: str, ending: str = "") -> str:
        """A concept's word with an ending, in the language's script."""
        word = self._forms.get((concept, ending))
        if word is None:
            stem = self._stems[concept]
            latin = stem.startswith(_LATIN)
            word = self._joined(stem.removeprefix(_LATIN), ending, latin=latin)
            self._forms[concept, ending] = word
        return word

    def name(self, stem: str, ending: str = "") -> str:
        """A name, transliterated or in Latin letters."""
        word = self._names.get((stem, ending))
        if word is None:
            latin = WorldDraw("latin", self.language.code, stem).chance(self.language.latin_names)
            word = self._names[stem, ending] = self._joined(stem, ending, latin=latin)
        return word

    def table(self) -> dict[tuple[str, str], str]:
        """(concept, kind of form) -> word, of every form that nouns, verbs and the rest have."""
        forms = {(concept, ""): self.form(concept) for concept in CONCEPTS}
        for concept, part in CONCEPTS.items():
            kinds = {"VERB": ("past", "present"), "AUX": ("past", "present"), "NOUN": ("plural", *self.language.cases)}
            for kind in kinds.get(part, ()):
                forms[concept, kind] = self.form(concept, self.ending(kind))
                if part == "NOUN" and kind != "plural":
                    forms[concept, f"plural {kind}"] = self.form(concept, self.ending("plural", kind))
        return forms

    def uses(self, concept: str) -> bool:
        """Whether the language says a function word at all: some have no articles, no copula, a case instead."""
        language = self.language
        if concept in ("the", "a"):
            return language.article
        if concept in ("be", "do"):
            return language.copula if concept == "be" else language.auxiliary
        relation = "owner" if concept == "of" else concept
        return relation not in language.cases

    def ending(self, *kinds: str) -> str:
        """The endings of a plural, a tense, a case, one behind the other: `t+ssa`."""
        endings = self._endings.get(kinds)
        if endings is None:
            language = self.language
            plain = {"plural": language.plural, "past": language.past, "present": language.present, **language.cases}
            endings = self._endings[kinds] = "+".join(plain[k] for k in kinds if plain.get(k))
        return endings

    def _joined(self, stem: str, ending: str, *, latin: bool) -> str:
        roman, script = stem, self.language.script
        if latin and script != "Latn":
            return stem + in_script(ending.replace("+", ""), script) if ending else stem
        for part in ending.split("+") if ending else ():
            whole = f"{roman}+{part}"
            roman = self.language.irregular.get(whole) or self._spelt(whole)
        return in_script(roman, script)

    def _spelt(self, whole: str) -> str:
        for pattern, replacement in self.language.joins:
            whole, changed = re.subn(pattern, replacement, whole, count=1)
            if changed:
                break
        return whole.replace("+", "")

    def _invent(self) -> dict[str, str]:
        language = self.language
        stems: dict[str, str] = {}
        taken: set[str] = set()
        for concept in CONCEPTS:
            draw = WorldDraw("word", language.code, concept)
            stem = language.words.get(concept) or self._stem(concept, draw)
            tries = 0
            while in_script(stem, language.script) in taken:
                # A language of few sounds runs out of short words.
                tries += 1
                stem = self._made(draw, 2 + tries // 10)
            taken.add(in_script(stem, language.script))
            stems[concept] = stem
        return stems

    def _stem(self, concept: str, draw: WorldDraw) -> str:
        language, share = self.language, draw.random()
        if language.cognates == 1:
            return concept
        if concept in FUNCTION:
            return self._made(draw, 1)
        if share < language.loans:
            return f"{_LATIN}{concept}" if draw.chance(0.5) else concept
        if share < language.loans + language.cognates:
            for old, new in language.shifts:
                concept = concept.replace(old, new)
            return concept
        return self._made(draw, 2 + draw.chance(0.2))

    def _made(self, draw: WorldDraw, syllables: int) -> str:
        language = self.language
        onsets, vowels, codas = (part.split() for part in (language.onsets, language.vowels, language.codas))
        inner = [draw.pick(onsets) + draw.pick(vowels) for _ in range(syllables)]
        return "".join(inner) + draw.pick(codas).replace("-", "")


@cache
def lexicon(code: str) -> Lexicon:
    """The lexicon of a language; a `UserError` for a code that is none of the microworld's."""
    for language in LANGUAGES:
        if language.code == code:
            return Lexicon(language)
    raise unknown("language of the microworld", code, [language.code for language in LANGUAGES])


@cache
def translations(source: str, target: str) -> Mapping[str, tuple[str, ...]]:
    """Word -> words of the same meaning and form in another language, names included.

    A function word that the other language has no use for has none.
    """
    source_words, target_words = lexicon(source), lexicon(target)
    other = target_words.table()
    meanings: dict[str, dict[str, None]] = {}
    for (concept, kind), word in source_words.table().items():
        if not target_words.uses(concept):
            continue
        match = other.get((concept, kind)) or other[concept, ""]
        meanings.setdefault(word.lower(), {})[match] = None
    for name in (*names.given_names("all"), *names.stems("all")):
        meanings.setdefault(source_words.name(name).lower(), {})[target_words.name(name)] = None
    return {word: tuple(others) for word, others in meanings.items()}
