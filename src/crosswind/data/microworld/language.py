"""What a language of the microworld is: a declaration of sounds, script, order and endings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Side = Literal["before", "after"]


@dataclass(frozen=True)
class Language:
    """A language. `code` is BCP 47; invented ones have codes for private use (qaa to qtz) and their script.

    Words: `cognates` is the share of words that come from the English one through `shifts`
    (replacements in order), `loans` the share taken over as they are (half of them in Latin
    spelling), the rest is made of `onsets`, `vowels` and `codas`. `latin_names` is the share of names
    that stay in Latin letters.

    Grammar: `order` of subject, verb and object; the side of adjectives, adpositions and owners;
    `cases` maps a role (object, owner, in, on, from, to, for, than) to its ending, a role without one
    has an adposition; endings of plural, past and present; `article`, `copula`: whether there is one;
    `question`: whether the word that asks comes first or stays; `auxiliary`: negation and questions
    need one. `joins` are spelling rules where an ending (behind `+`) meets a stem, `irregular` forms
    go before them, `words` are those that are given instead of made, `before_vowel` is what an article
    becomes (a, an).
    """

    code: str
    name: str
    script: str
    onsets: str = "b d f g k l m n p r s t v z"
    vowels: str = "a e i o u"
    codas: str = "- - l n r s"
    order: Literal["SVO", "SOV", "VSO"] = "SVO"
    adjective: Side = "before"
    adposition: Side = "before"
    owner: Side = "after"
    negation: Side = "before"
    question: Literal["first", "stays"] = "first"
    article: bool = False
    copula: bool = True
    auxiliary: bool = False
    spaced: bool = True
    cases: Mapping[str, str] = field(default_factory=dict)
    plural: str = ""
    past: str = ""
    present: str = ""
    cognates: float = 0.0
    loans: float = 0.15
    latin_names: float = 0.35
    shifts: tuple[tuple[str, str], ...] = ()
    joins: tuple[tuple[str, str], ...] = ()
    irregular: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    before_vowel: Mapping[str, str] = field(default_factory=dict)
