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
        about = _read(path)
        if about is None:
            notes.append(
                f"{path / ABOUT} is damaged: the facts and notes of this run are not shown, and reviews do not see what"
                " it kept for them. Its study, run again, computes nothing and writes the file anew."
            )
            continue
        for name, text in about["facts"].items():
            facts.setdefault(str(name), []).append(str(text))
        notes += map(str, about["notes"])
    return {name: "; ".join(dict.fromkeys(texts)) for name, texts in facts.items()}, list(dict.fromkeys(notes))


def read_audited(paths: Sequence[Path]) -> list[Mapping[str, Any]]:
    """What each run kept for its reviews; nothing of one that an older version wrote, or whose file is damaged."""
    return [about["audited"] for path in paths if (about := _read(path)) and about["audited"]]


def _read(run: Path) -> dict[str, Any] | None:
    """What the file of a run holds, each of its parts, which are empty where there is no file; `None` if damaged."""
    empty: dict[str, Any] = {"facts": {}, "notes": [], "audited": {}}
    try:
        value = json.loads((run / ABOUT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return empty
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not {"facts", "notes"} <= value.keys():
        return None
    about = empty | value  # an older version kept nothing for reviews
    return about if all(isinstance(about[part], type(of)) for part, of in empty.items()) else None
