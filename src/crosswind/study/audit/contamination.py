"""Whether the encoder's card says that it has seen what it is tested on."""

from __future__ import annotations

import re
from pathlib import Path

from crosswind.study.audit import AuditedRun, Review, Shown, several

CARDS = ("README.md", "README.txt", "MODEL_CARD.md")
_SEEN = re.compile(r"\b(train|pretrain|fine-?tun|seen|saw)\w*", re.IGNORECASE)


def _look(run: AuditedRun) -> Shown:
    encoder = run.study.get("encoder")
    folder = Path(encoder).expanduser() if isinstance(encoder, str) else None
    card = next((folder / name for name in CARDS if (folder / name).is_file()), None) if folder else None
    if card is None:
        return Shown(None, "the encoder has no card beside it: what it has seen is not known here")
    text = card.read_text(encoding="utf-8", errors="replace")
    targets = run.run.rows["target"].unique().sort().to_list()
    sentences = re.split(r"(?<=[.!?])\s|\n", text)
    named = [t for t in targets if any(t.lower() in s.lower() and _SEEN.search(s) for s in sentences)]
    if named:
        return Shown(False, f"its card speaks of {several(named)} in a sentence on training: read {card.name}")
    return Shown(True, f"its card ({card.name}) names none of the targets in a sentence on training")


CONTAMINATION = Review("contamination", "Is the encoder free of the test sets, as far as its card says?", _look)
