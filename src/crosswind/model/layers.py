"""Layers that the weights have and the configuration does not: a model cut short predicts, and nothing would say so."""

from __future__ import annotations

import re
from collections.abc import Collection

from transformers import PreTrainedModel

from crosswind.errors import UserError


def refuse_layers_beyond(model: PreTrainedModel, unexpected: Collection[str], source: str) -> None:
    """A `UserError` where a tensor that the model did not take is one of its own, with another layer's number.

    `unexpected` are the names that loading reports; those of other heads are no fault.
    """
    known = {_pattern(name) for name in model.state_dict()}
    known |= {f"{model.base_model_prefix}.{name}" for name in known}
    beyond = sorted(name for name in unexpected if "#" in _pattern(name) and _pattern(name) in known)
    if beyond:
        raise UserError(
            f"the weights of {source!r} have layers that its config.json does not ({beyond[0]})",
            where="MODEL",
            hint="mend the number of layers in config.json, or name another checkpoint",
        )


def _pattern(name: str) -> str:
    """A tensor's name without the numbers of layers."""
    return re.sub(r"(?<=\.)\d+(?=\.)", "#", name)
