"""Subword regularisation: training on words that are cut into pieces anew in every epoch. One file a method.

A method is of one kind of tokenizer. It knows the tokenizer's pieces and a word as they are stored there (behind
normalisation and splitting), and cuts it by random numbers that it is given. Predicting reads the usual pieces.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crosswind.errors import UserError
from crosswind.model.sampled import SampledTokenizer, WordCutter
from crosswind.registry import Registry
from crosswind.train.knobs import Knob, Numbers, all_settings


@dataclass(frozen=True)
class SubwordRegularisation:
    """A declaration.

    `model` is the kind of tokenizer that it is for, as `tokenizer.json` names it. `prepare` makes what cuts words from
    that file's `model`, the settings, and the pieces that are special tokens, which no text has; it raises a
    `UserError` for a tokenizer of its kind that it cannot follow.
    """

    name: str
    model: str
    summary: str
    source: str
    prepare: Callable[[Mapping[str, Any], Numbers, frozenset[str]], WordCutter]
    knobs: tuple[Knob, ...]

    def settings(self, given: Mapping[str, float], where: str) -> dict[str, float]:
        """Every setting, those not given at their default; a `UserError` for another name or a senseless value."""
        return all_settings(self.name, self.knobs, given, where)


SUBWORDS: Registry[SubwordRegularisation] = Registry(
    "subword regularisation", "crosswind.train.subwords", "crosswind.subwords", SubwordRegularisation
)


def resampled(tokenizer: Any, name: str, settings: Numbers, seed: int) -> SampledTokenizer:
    """The tokenizer with the method's cuts, drawn from the seed; a `UserError` where the method is not for it."""
    method = SUBWORDS[name]
    if not getattr(tokenizer, "is_fast", False):
        kind = type(tokenizer).__name__
        raise UserError(f"{name} needs a fast tokenizer, {kind} is none", where="subwords", hint="leave it out")
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    require_kind(name, str(model["type"]))
    special = frozenset(tokenizer.all_special_tokens) - {tokenizer.unk_token}
    return SampledTokenizer(tokenizer, method.prepare(model, settings, special), (str(seed),))


def require_kind(name: str, kind: str, where: str = "subwords") -> None:
    """Raise a `UserError` where a method is not for this kind of tokenizer."""
    method = SUBWORDS.get(name, where=where)
    if method.model != kind:
        fitting = sorted(other.name for other in SUBWORDS if other.model == kind)
        raise UserError(
            f"{name} cuts the words of {method.model} tokenizers, and the encoder's is {kind}",
            where=where,
            hint=f"take {fitting[0]}" if fitting else "leave it out: none is for this kind",
        )


def refuse_options(name: str, model: Mapping[str, Any], options: Mapping[str, tuple[Any, ...]]) -> None:
    """Raise a `UserError` where an option of a tokenizer has another value than those that a method can follow."""
    for option, values in options.items():
        if model.get(option) not in values:
            raise UserError(
                f"{name} does not follow a tokenizer with {option}: {model[option]!r}",
                where="subwords",
                hint="leave it out, or train a tokenizer without it",
            )
