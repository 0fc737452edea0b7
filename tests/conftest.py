"""Shared fixtures: the official files and the small real encoder, used where they lie."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def official_data(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`official_data("xnli", "udpos")`: a folder that holds these sets in their official formats.

    `CROSSWIND_DATA` names a folder that holds them already; otherwise they are unpacked from
    `../shared/data`, and the test is skipped where that is absent.
    """
    given = os.environ.get("CROSSWIND_DATA")
    unpack = SHARED / "data" / "unpack"
    folder = Path(given) if given else tmp_path_factory.getbasetemp() / "official"

    def provide(*sets: str) -> Path:
        missing = [s for s in sets if not (folder / s).is_dir()]
        if missing and not unpack.exists():
            pytest.skip(f"needs the official files of {', '.join(missing)}: no ../shared/data, no CROSSWIND_DATA")
        if missing:
            subprocess.run([str(unpack), str(folder), *missing], check=True)
        return folder

    return provide


@pytest.fixture(scope="session")
def real_encoder() -> Path:
    """The small real multilingual encoder; the test is skipped where `../shared/models` is absent."""
    path = SHARED / "models" / "xlmr-mini"
    if not path.is_dir():
        pytest.skip("needs the encoder ../shared/models/xlmr-mini")
    return path
