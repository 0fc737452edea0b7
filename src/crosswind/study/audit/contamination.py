"""Whether the encoder's card says that it has seen what it is tested on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crosswind.study.audit import AuditedRun, Review, Shown, several
from crosswind.study.kept import CARD, card_of


def _look(run: AuditedRun) -> Shown:
    cards = [kept[CARD] for kept in run.kept if CARD in kept]
    said = "when it was run"
    if not cards:  # A run of an older version kept nothing: the card is read now, if the encoder is still there.
        encoder, said = run.study.get("encoder"), "now"
        folder = Path(encoder).expanduser() if isinstance(encoder, str) else None
        cards = [card_of(folder, run.run.rows["target"].unique().sort().to_list()) if folder else None]
    read = [card for card in cards if _is_card(card)]
    if not read:
        return Shown(None, "the encoder has no card beside it: what it has seen is not known here")
    named = sorted({str(target) for card in read for target in card["named"]})
    file = read[0]["file"]
    if named:
        return Shown(False, f"its card speaks of {several(named)} in a sentence on training: read {file} ({said})")
    return Shown(True, f"its card ({file}, read {said}) names none of the targets in a sentence on training")


def _is_card(card: Any) -> bool:
    return isinstance(card, dict) and isinstance(card.get("named"), list) and isinstance(card.get("file"), str)


CONTAMINATION = Review("contamination", "Is the encoder free of the test sets, as far as its card says?", _look)
