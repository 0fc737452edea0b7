"""Parts of speech: whether an alternative agrees with the tag of the word that it stands for, and words by reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from crosswind.data.examples import Span
from crosswind.perturb.alternatives import Option, Sites
from crosswind.perturb.blocks import passage_words
from crosswind.perturb.passage import Passage
from crosswind.perturb.words import cased_like, is_turkic, lowered
from crosswind.perturb.wordwise import ByWord

UPOS = frozenset(
    "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()  # noqa: SIM905
)
"""The tags of Universal Dependencies 2."""

# What the tables of inflections and wordnets do not tell apart.
_SAME = {"PROPN": "NOUN", "AUX": "VERB"}


def upos_tags(passage: Passage) -> Mapping[Span, str]:
    """The tag of each word of a sentence with part-of-speech tags; nothing for any other passage."""
    if passage.tags is None or not UPOS.issuperset(passage.tags):
        return {}
    return dict(zip(passage.words, passage.tags, strict=True))


def agrees(pos: str, tag: str | None) -> bool:
    """Whether a part of speech is that of a tag, or there is no tag."""
    return tag is None or pos == _SAME.get(tag, tag)


Readings = Sequence[tuple[str, tuple[str, ...]]]
"""Of a word the readings that a table knows: the part of speech, and the other words that stand for it in that one."""


def by_reading(readings_of: Callable[[str], Readings], language: str) -> ByWord:
    """Words that become another one of a reading, in the case that they have; of a tagged word those that agree.

    `readings_of` is asked for a word in lower case.
    """
    turkic = is_turkic(language)

    def others(surface: str, tag: str | None) -> tuple[str, ...]:
        readings = readings_of(lowered(surface, turkic))
        if not readings:
            return ()
        fit = (other for pos, some in readings if agrees(pos, tag) for other in some)
        return tuple(dict.fromkeys(cased_like(other, surface, turkic) for other in fit))

    def sites(passage: Passage) -> Sites:
        text, tags = passage.text, upos_tags(passage)
        spans: list[Span] = []
        options: list[tuple[Option, ...]] = []
        for word in passage_words(passage, endings=False):
            cased = others(text[word.start : word.end], tags.get(word))
            if cased:
                spans.append(word)
                options.append(cased)
        return Sites([w.start for w in spans], [w.end for w in spans], lambda i: options[i])

    return ByWord(sites, lambda word: others(word, None), language)
