"""What a run says of itself on its page: facts and notes, kept beside its results so that they can be shown again.

about.json: `facts` (name -> text), `notes` (sentences) and `audited`: what reviews of the run look at and nobody could
find out later, where the encoder and the data are not at hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crosswind.run.folders import replacing

ABOUT = "about.json"


def write_about(out: Path, facts: Mapping[str, str], notes: Sequence[str], audited: Mapping[str, Any]) -> None:
    """Keep facts, notes and what reviews look at."""
    with replacing(out / ABOUT) as draft:
        value = {"facts": dict(facts), "notes": list(notes), "audited": dict(audited)}
        draft.write_text(json.dumps(value, indent=1), encoding="utf-8")


def read_about(paths: Sequence[Path]) -> tuple[dict[str, str], list[str]]:
    """The facts of runs, those that differ one after the other, and their notes, each once; a note names a file that is
    damaged."""
    facts: dict[str, list[str]] = {}
    notes: list[str] = []
    for path in paths:
        try:
            value = json.loads((path / ABOUT).read_text(encoding="utf-8"))
            said = [(str(name), str(text)) for name, text in value["facts"].items()]
            notes += map(str, [*value["notes"]])
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            notes.append(
                f"{path / ABOUT} is damaged: the facts and notes of this run are not shown, and reviews do not see what"
                " it kept for them. Its study, run again, computes nothing and writes the file anew."
            )
            continue
        for name, text in said:
            facts.setdefault(name, []).append(text)
    return {name: "; ".join(dict.fromkeys(texts)) for name, texts in facts.items()}, list(dict.fromkeys(notes))


def read_audited(paths: Sequence[Path]) -> list[Mapping[str, Any]]:
    """What each run kept for its reviews; nothing of one that an older version wrote, or whose file is damaged."""
    kept: list[Mapping[str, Any]] = []
    for path in paths:
        try:
            value = json.loads((path / ABOUT).read_text(encoding="utf-8"))["audited"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if isinstance(value, dict):
            kept.append(value)
    return kept
