"""The demo: a study of the microworld that comes with the package, on the encoder that comes with it or on its own."""

from __future__ import annotations

import os
from pathlib import Path

from crosswind.study.spec import PretrainedEncoder, Study, read_study

CONFIGS = Path(__file__).resolve().parent / "configs"
WORKERS = 4  # at most, unless the user says otherwise: each holds the libraries


def demo_study(*, from_scratch: bool = False) -> Study:
    """The demo's study, of the shipped encoder or of a small one that it pretrains first."""
    study = read_study(CONFIGS / "demo.yaml")
    if not from_scratch:
        return study
    return study.model_copy(update={"encoder": PretrainedEncoder(pretrain=CONFIGS / "microworld-small.yaml")})


def workers() -> int:
    """One process a core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, WORKERS)
