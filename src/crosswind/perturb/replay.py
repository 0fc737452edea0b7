"""Replaying stored rewrites: the perturbed example from the original one and its rewrites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crosswind.data.examples import Candidate, Example
from crosswind.perturb.example import Perturbed, candidate_text, rebuilt, rebuilt_candidate, texts_of
from crosswind.perturb.noise import Text
from crosswind.perturb.rewrite import Rewrite


def replay(example: Example, rewrites: Mapping[str, Rewrite], fields: Sequence[str]) -> Perturbed[Example]:
    """`example` after its stored `rewrites` (by field name, as `Perturbed.rewrites` has them).

    Raises `ValueError` if a rewrite does not fit its text.
    """
    if not rewrites:
        return Perturbed(example, {})
    texts = texts_of(example, fields, "none")
    for text in texts:
        _apply(text, rewrites.get(text.field))
    return rebuilt(example, texts)


def replay_candidate(candidate: Candidate, rewrites: Mapping[str, Rewrite]) -> Perturbed[Candidate]:
    """A candidate of a pool after its stored rewrites."""
    if not rewrites:
        return Perturbed(candidate, {})
    text = candidate_text(candidate)
    _apply(text, rewrites.get(text.field.partition(".")[2]))
    return rebuilt_candidate(candidate, text)


def _apply(text: Text, rewrite: Rewrite | None) -> None:
    if rewrite is None:
        return
    carried = [rewrite.carry(group) for group in (text.labels, text.words)]
    labels, words = carried
    if labels is None or words is None:
        raise ValueError(f"the stored rewrite of {text.id} {text.field} loses a label")
    text.text, text.rewrite, text.labels, text.words = rewrite.apply(text.text), rewrite, labels, words
