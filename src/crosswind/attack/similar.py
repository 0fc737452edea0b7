"""What recipes share that keep texts by a sentence encoder which the user names: parameters and the constraint."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting
from crosswind.perturb.perturbation import Param
from crosswind.perturb.spec import printed_call

NO_ENCODER = "none"
ENCODER_NEEDED = "the paper keeps texts by a sentence encoder (of English), so name a multilingual one"
"""Why a published setting asks for `similarity`."""


def kept_similar(least: float) -> tuple[Param, ...]:
    """The parameters: an encoder, and the cosine that the paper has."""
    return (
        Param(
            "similarity",
            "text",
            "a sentence encoder (a hub's id or a folder) that must find texts similar; none: no text is refused",
            default=NO_ENCODER,
        ),
        Param("cosine", "number", "with `similarity`: at least this cosine", default=least, low=-1.0, high=1.0),
    )


def similar_texts(setting: AttackSetting) -> Sequence[str]:
    """The constraint `similarity` with the encoder of the setting; none where none is named."""
    encoder = str(setting.params["similarity"])
    if encoder == NO_ENCODER:
        return ()
    return (printed_call("similarity", [("model", encoder), ("least", setting.number("cosine"))]),)
