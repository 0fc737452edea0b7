"""Whatever a file holds, every reader takes it or says in a sentence why not; the same inputs every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz import fuzz, is_refused
from fuzz_readers import Reader, readers

READERS = {reader.name: reader for reader in readers()}
SLOW = ("own", "plan", "pretrain", "perturb", "score")  # each input is a whole command, or a plan


@pytest.mark.parametrize("name", READERS)
def test_the_right_files_of_every_reader_are_read(name: str, tmp_path: Path) -> None:
    for relative, content in READERS[name].files.items():
        path = tmp_path / "input" / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert not is_refused(READERS[name], tmp_path / "input")


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_read_or_refused_with_a_sentence(name: str) -> None:
    figures = fuzz(READERS[name], 40 if name.startswith(SLOW) else 200, seed=1)
    assert (figures.tracebacks, figures.hangs, figures.outside) == ([], [], [])
    assert figures.refused > 0


def test_the_fuzzer_sees_tracebacks_hangs_and_files_outside() -> None:
    def crash(folder: Path) -> object:
        raise KeyError("x")

    def hang(folder: Path) -> object:
        while True:
            pass

    def stray(folder: Path) -> object:
        return (folder.parent / "stray").write_text("x")

    seen = [fuzz(Reader("r", {"a": b"x"}, read), 1, 1, seconds=0.2) for read in (crash, hang, stray)]
    assert [len(seen[0].tracebacks), len(seen[1].hangs), len(seen[2].outside)] == [1, 1, 1]
    assert not any(figures.sound for figures in seen)
