"""Deletion controls: a letter and a backspace (U+0008) that takes it back behind a letter of a word.

Where the control is obeyed nothing is seen. The letter is one of the alphabet, or of a to z where the
language has none.
"""

from __future__ import annotations

from functools import partial

from crosswind.perturb.alphabets import Alphabet, alphabet_fingerprint, alphabet_of
from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.clusterwise import clusterwise, is_letter
from crosswind.perturb.perturbation import Given, Perturbation, Setting

_BACKSPACE = "\b"
_ASCII = tuple("abcdefghijklmnopqrstuvwxyz")


def _options(letters: Alphabet, cluster: str) -> tuple[str, ...]:
    if not is_letter(cluster):
        return ()
    return tuple(cluster + letter + _BACKSPACE for letter in letters.like(cluster) or _ASCII)


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return clusterwise(partial(_options, alphabet_of(setting.language)))


DELETION_CONTROL = Perturbation(
    name="deletion-control",
    nature="preserving",
    summary="a letter and the backspace that deletes it behind a letter of a word",
    source="Boucher et al. 2022 (Bad Characters), §IV",
    unit="letter",
    languages="all",
    prepare=_prepare,
    resources=lambda setting: alphabet_fingerprint(None),
)
