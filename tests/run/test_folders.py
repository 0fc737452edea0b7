"""Files that take the place of others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crosswind.errors import UserError
from crosswind.run.folders import replacing, write_json


def test_a_file_takes_the_place_of_the_old_one_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "results.txt"
    path.write_text("old")
    with replacing(path) as draft:
        draft.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["results.txt"]


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(path, {"a": float("nan")})
    assert path.read_text() == '{\n "a": 1\n}'
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


def test_what_is_no_file_stays(tmp_path: Path) -> None:
    # Of root, a rename would put a file in the place of /dev/null.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UserError, match="is no file that could be replaced"), replacing(pipe):
        raise AssertionError
    assert pipe.is_fifo()
