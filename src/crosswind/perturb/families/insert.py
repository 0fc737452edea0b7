"""Inserted letters: a random letter of the language's alphabet comes into a word, in the case of the one before it.

In scripts whose vowels are signs it is a letter of the kind of the one before it, a consonant after a
consonant. A Korean syllable without a final consonant gets one, another is followed by a lone jamo.
"""

from __future__ import annotations

from crosswind.perturb.alphabets import Alphabet
from crosswind.perturb.hangul import with_one_more_key
from crosswind.perturb.lettered import lettered


def _with_one_more(letters: Alphabet, cluster: str) -> tuple[str, ...]:
    more = with_one_more_key(cluster)
    return more or tuple(cluster + letter for letter in letters.like(cluster))


INSERT = lettered("insert", "a random letter of the alphabet comes behind a letter of a word", _with_one_more)
