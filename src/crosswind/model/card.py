"""The model card beside every trained checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml


def write_card(
    folder: Path,
    *,
    title: str,
    base: str,
    data: Sequence[str],
    seed: int,
    settings: Mapping[str, Any],
    history: Mapping[str, Any],
    facts: Sequence[str] = (),
) -> None:
    """Write `README.md`: what the checkpoint is, what it was trained on, and how to load it.

    `facts` are further points. The `base` is named by its last path component, so that no folder of this machine
    is published.
    """
    front = {"library_name": "transformers", "base_model": base if base.count("/") == 1 else Path(base).name}
    scores = history["scores"]
    reached = f"{max(s for _, s in scores):.2f} points at step {history['best_step']}" if scores else "not selected"
    losses = history["losses"]
    loss = f"{losses[-1][1]:.4f}" if losses else "none"
    text = [
        f"---\n{yaml.safe_dump(front, sort_keys=True)}---\n",
        f"# {title}\n",
        "Trained by Crosswind. Load it with `transformers`.\n",
        f"- data: {', '.join(data)}",
        f"- steps: {history['steps']}, seed {seed}, last mean loss {loss}",
        f"- development score: {reached}",
        "- parts that the base lacked, initialised from the pipeline seed and their name: "
        + (", ".join(history["fresh"]) or "none"),
        *(f"- {fact}" for fact in facts),
        "",
        "```json",
        json.dumps(settings, indent=1),
        "```\n",
    ]
    (folder / "README.md").write_text("\n".join(text), encoding="utf-8")
