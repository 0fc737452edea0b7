"""How a test set was changed, as results, summaries and contrasts name it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crosswind.analysis.results import CLEAN, NONE
from crosswind.attack.recipe import CONTROL

DEV_LAYER = "dev layer"
"""The selection of results whose layer was chosen on development data, beside those of the layer that a study names."""
AVERAGED = "averaged"
"""The selection of results whose model is the mean of its phase's last checkpoints, beside the one that was chosen."""
APART = ("oracle", AVERAGED, DEV_LAYER)
"""Selections that are reported apart: no contrast and no official average of the others has them."""


WAYS = {
    "oracle": "selected on target languages",
    AVERAGED: "mean of the last checkpoints",
    DEV_LAYER: "layer chosen on dev",
}
"""How readers know the selections that are reported apart."""

FROM = ";from="
"""In the column `attack`, before the source of adversarial examples that were made against another model."""


def is_control(attack: str) -> bool:
    """Whether the name of an attack is that of a control."""
    return re.split(r"[(@;]", attack, maxsplit=1)[0].endswith(f".{CONTROL}")


def control_of(attack: str) -> str:
    """The name of an attack's control."""
    return re.sub(r"^[^(@;]*", rf"\g<0>.{CONTROL}", attack, count=1)


def is_transferred(attack: str) -> bool:
    """Whether a value of the column `attack` names adversarial examples of another model."""
    return FROM in attack


def is_searched(attack: str) -> bool:
    """Whether a value of the column `attack` names a search on the model itself: no control, nothing transferred."""
    return attack != NONE and not is_control(attack) and not is_transferred(attack)


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """How the test set was changed; `Condition()` is the clean one."""

    perturbation: str = CLEAN
    severity: float = 0.0
    protection: str = NONE
    attack: str = NONE
    budget: int = 0
    rows: str = "all"
    selection: str = "english"

    @property
    def clean(self) -> bool:
        """Whether nothing was changed."""
        return self.perturbation == CLEAN and self.attack == NONE

    @property
    def label(self) -> str:
        """`clean`, `keyboard:0.1`, `keyboard:0.1, answers protected`, `polygloss, 500 queries`."""
        parts = []
        if self.perturbation != CLEAN or self.clean:
            parts.append(f"{self.perturbation}:{self.severity:g}" if self.severity else self.perturbation)
        if self.protection != NONE:
            parts.append(f"{self.protection} protected")
        if self.attack != NONE:
            parts.append(f"{self.attack}, {self.budget} queries")
            parts += [f"rows {self.rows}"] if self.rows != "all" else []
        parts += [WAYS[self.selection]] if self.selection in WAYS else []
        return ", ".join(parts)
