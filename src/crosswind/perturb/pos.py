"""Parts of speech: whether an alternative agrees with the tag of the word that it stands for."""

from __future__ import annotations

from collections.abc import Mapping

from crosswind.data.examples import Span
from crosswind.perturb.passage import Passage

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
