"""The demo: a study of the microworld that comes with the package, on the encoder that comes with it or on its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from crosswind.data.microworld.generated import code_fingerprint
from crosswind.run.step import digest
from crosswind.study.pretrain import Config, pretrain, read_config
from crosswind.study.spec import Study, read_study

CONFIGS = Path(__file__).resolve().parent / "configs"
WORKERS = 4  # at most, unless the user says otherwise: each holds the libraries


def demo_study(encoder: Path | None = None) -> Study:
    """The demo's study, of the shipped encoder or of another one."""
    study = read_study(CONFIGS / "demo.yaml")
    return study.model_copy(update={"encoder": str(encoder.absolute())}) if encoder else study


def small_encoder(folder: Path, advance: Callable[[int, int, str], None] | None = None) -> Path:
    """Pretrain a small encoder below `folder`, or find it there; returns the checkpoint's folder."""
    config: Config = read_config(CONFIGS / "microworld-small.yaml")
    identity = digest([json.loads(config.model_dump_json()), code_fingerprint()])
    out = folder / f"{config.name}-{identity[:8]}"
    if not (out / "config.json").exists():
        pretrain(config, out, advance)
    return out


def workers() -> int:
    """One process a core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, WORKERS)
