"""What a run keeps for its audit: what the encoder's card says, on what checkpoints were chosen, what is attacked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from crosswind.errors import UserError
from crosswind.perturb.perturbation import PERTURBATIONS
from crosswind.reading import opened
from crosswind.steps.train import TRAIN
from crosswind.study.planned import ATTACK_PREFIX, Cell, Plan

CARD, CHOSEN_ON, DIAGNOSTIC_ATTACKS = "card", "chosen_on", "diagnostic_attacks"
CARDS = ("README.md", "README.txt", "MODEL_CARD.md")
CARD_BYTES = 1_000_000  # bytes of a card that are read
_SEEN = re.compile(r"\b(train|pretrain|fine-?tun|seen|saw)\w*", re.IGNORECASE)


def kept_for_audit(plan: Plan, cells: Sequence[Cell]) -> dict[str, Any]:
    """What reviews of these cells look at.

    * `card`: the name of the encoder's card (`file`), and the targets that it names in a sentence on training
      (`named`); null where there is no card.
    * `chosen_on`: target -> `TASK/SPLIT` -> the data on which checkpoints of its models were chosen.
    * `diagnostic_attacks`: attacks whose alternatives need not preserve the label.
    """
    encoder = plan.graph.context.get("encoder")
    targets = sorted({cell.target for cell in cells})
    return {
        CARD: card_of(Path(encoder), targets) if isinstance(encoder, str) else None,
        CHOSEN_ON: _chosen_on(plan, cells),
        DIAGNOSTIC_ATTACKS: sorted({cell.condition.attack for cell in cells if _is_diagnostic(cell)}),
    }


def card_of(folder: Path, targets: Sequence[str]) -> dict[str, Any] | None:
    """What the card in an encoder's folder says of these targets; `None` where there is none that can be read."""
    card = next((folder / name for name in CARDS if (folder / name).is_file()), None)
    if card is None:
        return None
    try:
        with opened(card) as file:
            text = file.read(CARD_BYTES).decode("utf-8", errors="replace")
    except UserError:
        return None
    sentences = re.split(r"(?<=[.!?])\s|\n", text)
    named = [t for t in targets if any(t.lower() in s.lower() and _SEEN.search(s) for s in sentences)]
    return {"file": card.name, "named": named}


def _chosen_on(plan: Plan, cells: Sequence[Cell]) -> dict[str, dict[str, list[str]]]:
    known: dict[str, frozenset[tuple[str, str]]] = {}

    def chosen_behind(key: str) -> frozenset[tuple[str, str]]:
        """The splits, and the data, that the trainings behind a step choose their checkpoints on."""
        if key not in known:
            step = plan.graph[key]
            chosen = frozenset(_selecting(step.params) if step.kind == TRAIN.name else ())
            behind = [name for name in step.inputs.values() if name in plan.graph]
            known[key] = chosen.union(*map(chosen_behind, behind))
        return known[key]

    made: dict[str, dict[str, set[str]]] = {}
    for cell in cells:
        if cell.condition.clean and cell.selection == "english":
            for split, name in chosen_behind(cell.key):
                made.setdefault(cell.target, {}).setdefault(split, set()).add(name)
    return {
        target: {split: sorted(names) for split, names in splits.items()} for target, splits in sorted(made.items())
    }


def _selecting(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for ref in TRAIN.load(params).select:
        yield f"{ref.task}/{ref.split}", ref.name


def _is_diagnostic(cell: Cell) -> bool:
    atoms = (name for name in cell.condition.made_of if not name.startswith(ATTACK_PREFIX))
    attacked = cell.condition.attack != "none"
    return attacked and any(PERTURBATIONS[name].nature == "diagnostic" for name in atoms if name in PERTURBATIONS)
