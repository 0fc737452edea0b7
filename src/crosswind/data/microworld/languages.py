"""The languages of the microworld. To add one, add a declaration: all tasks and corpora have it then."""

from __future__ import annotations

from crosswind.data.microworld.language import Language
from crosswind.data.microworld.world import IRREGULAR

ENGLISH = Language(
    "en", "English", "Latn", cognates=1.0, loans=0.0, latin_names=1.0, article=True, auxiliary=True, negation="before",
    plural="s", past="ed", present="s",
    joins=((r"(sh|ch|x|ss|sh)\+s$", r"\1es"), (r"f(e?)\+s$", "ves"), (r"([^aeiou])y\+s$", r"\1ies"),
           (r"e\+ed$", "ed"), (r"([^aeiou])y\+ed$", r"\1ied"), (r"([^aeiou][aeiou])([bdgnpt])\+ed$", r"\1\2\2ed")),
    irregular={**{f"{verb}+ed": past for verb, past in IRREGULAR.items()},
               "be+ed": "was", "be+s": "is", "have+s": "has", "do+ed": "did", "do+s": "does"},
    words={"how-many": "how many"}, before_vowel={"a": "an"},
)  # fmt: skip

NEARISH = Language(  # a close relative
    "qla-Latn", "Lavran", "Latn", cognates=0.6, adjective="after", article=True,
    onsets="b c d f g l m n p r s t v br tr", vowels="a e i o", codas="- - - l n r",
    plural="i", past="va", present="e", question="first", negation="before",
    shifts=(("th", "t"), ("sh", "š"), ("ch", "č"), ("ck", "c"), ("k", "c"), ("oo", "u"), ("ee", "i"), ("w", "v"),
            ("y", "i"), ("er", "ero")),
)  # fmt: skip

AGGLUTINATIVE = Language(
    "qlo-Latn", "Lokish", "Latn", cognates=0.25, order="SOV", adposition="after", owner="before", negation="after",
    onsets="h j k l m n p r s t v", vowels="a e i o u ä ö", codas="- - n s k t", question="stays",
    cases={"object": "n", "owner": "nen", "in": "ssa", "from": "lta", "to": "lle"},
    plural="t", past="i", present="ko", joins=((r"([nskt])\+([nstkl])", r"\1i\2"),),
    shifts=(("th", "t"), ("b", "p"), ("d", "t"), ("g", "k"), ("f", "v"), ("c", "k"), ("w", "v")),
)  # fmt: skip

CYRILLIC = Language(
    "qcy-Cyrl", "Cyrava", "Cyrl", cognates=0.4, owner="after", copula=False, negation="before",
    onsets="b d g k l m n p r s sh t v z zh dr gr st", vowels="a e i o u", codas="- - k l n r t",
    cases={"object": "u", "owner": "a", "to": "om"}, plural="i", past="al", present="it",
    shifts=(("th", "t"), ("w", "v"), ("ck", "k"), ("c", "k"), ("ee", "i"), ("oo", "u"), ("ea", "e"), ("y", "i")),
    joins=((r"[aeiou]\+([aeiou])", r"\1"),),
)  # fmt: skip

GREEK = Language(
    "qgr-Grek", "Grenic", "Grek", cognates=0.3, order="VSO", adjective="after", article=True, negation="before",
    onsets="d f g k l m n p r s t th x ps", vowels="a e i o", codas="- - n s r",
    cases={"object": "on", "owner": "u"}, plural="es", past="isa", present="i",
    shifts=(("ck", "k"), ("sh", "s"), ("ch", "x"), ("b", "p"), ("w", "u"), ("ee", "i"), ("y", "i")),
    joins=((r"[aeiou]\+([aeiou])", r"\1"),),
)  # fmt: skip

DEVANAGARI = Language(
    "qdv-Deva", "Devri", "Deva", cognates=0.05, order="SOV", adposition="after", owner="before", negation="before",
    onsets="b bh ch d dh g j k kh l m n p r s sh t v", vowels="a e i o u", codas="- - - n r l m", question="stays",
    cases={"object": "ko", "owner": "ka"}, plural="on", past="ya", present="ta",
    joins=((r"[aeiou]\+([aeiou])", r"\1"),),
)  # fmt: skip

HEBREW = Language(  # right to left
    "qhb-Hebr", "Hebrun", "Hebr", cognates=0.1, order="VSO", adjective="after", article=True, copula=False,
    onsets="b d g h k l m n r s sh t ts z", vowels="a e i o u", codas="- l m n r t sh", negation="before",
    plural="im", past="ti", present="e",
    shifts=(("th", "t"), ("w", "v"), ("c", "k")),
)  # fmt: skip

THAI = Language(  # no endings, no spaces
    "qth-Thai", "Thairu", "Thai", cognates=0.05, adjective="after", spaced=False, question="stays", negation="before",
    onsets="b ch d k kh l m n p ph r s t th w y", vowels="a e i o u", codas="- - k m n ng", latin_names=0.2,
    shifts=(("v", "w"), ("g", "k")),
)  # fmt: skip

LANGUAGES: tuple[Language, ...] = (ENGLISH, NEARISH, AGGLUTINATIVE, CYRILLIC, GREEK, DEVANAGARI, HEBREW, THAI)
CODES: tuple[str, ...] = tuple(language.code for language in LANGUAGES)
