"""The models that perturbations and constraints need, loaded by what they are needed for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def model_use(role: str) -> str:
    """What the model of a role does: `masked-lm` whosever it is (`masked-lm of the victim`)."""
    return role.partition(" ")[0]


def loaded_model(role: str, source: str) -> Any:
    """The model at `source` (a folder, a hub's id), as who needs it for a role is given it.

    `masked-lm` fills blanks (`EncoderFiller`), `similarity` compares texts (`EncoderSimilarity`), `aligner` links the
    words of sentence pairs (`encoder_aligner`). Of any other role, which a declaration elsewhere brings, it is the
    place itself. Raises `UserError` for a checkpoint that cannot be read or does not do what it is needed for.
    """
    load = _LOADED.get(model_use(role))
    return source if load is None else load(source)


def _filler(source: str) -> Any:
    from crosswind.model.filling import EncoderFiller

    return EncoderFiller(source)


def _similarity(source: str) -> Any:
    from crosswind.model.similarity import EncoderSimilarity

    return EncoderSimilarity(source)


def _aligner(source: str) -> Any:
    from crosswind.model.subwords import encoder_aligner

    return encoder_aligner(source)


_LOADED: Mapping[str, Callable[[str], Any]] = {"masked-lm": _filler, "similarity": _similarity, "aligner": _aligner}
