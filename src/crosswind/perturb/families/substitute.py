"""Substituted letters: a letter becomes a random other one of the language's alphabet, whatever lies beside its key.

`keyboard` misses a key for its neighbour, `substitute` is blind: what is left of a word is its length and
its other letters. Vowel signs and tone marks stay on the new consonant; conjuncts do not change.
"""

from __future__ import annotations

from crosswind.perturb.alphabets import Alphabet
from crosswind.perturb.lettered import lettered

SUBSTITUTE = lettered(
    "substitute",
    "a letter becomes a random other one of the alphabet; in Korean one jamo of a syllable",
    Alphabet.replacements,
)
