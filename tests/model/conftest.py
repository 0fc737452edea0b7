"""Tiny checkpoints of every architecture, written once."""

from __future__ import annotations

import pytest

from tiny_models import ALL_ARCHITECTURES, write_encoder


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Architecture -> folder."""
    folder = tmp_path_factory.mktemp("encoders")
    return {a: str(write_encoder(folder / a, a)) for a in ALL_ARCHITECTURES}
