"""Files that take the place of others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crosswind.errors import UserError
from crosswind.run.folders import new_folder, replacing, write_json


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


def test_a_link_stays_and_the_file_that_it_leads_to_is_replaced(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "page.html").write_text("old")
    link = tmp_path / "page.html"
    link.symlink_to(Path("again"))
    (tmp_path / "again").symlink_to(Path("kept") / "page.html")
    with replacing(link) as draft:
        draft.write_text("new")
        assert draft.parent == kept  # on the file system of the file, where a rename is atomic
        assert (kept / "page.html").read_text() == "old"
    assert link.is_symlink()
    assert (kept / "page.html").read_text() == "new"
    assert [p.name for p in kept.iterdir()] == ["page.html"]


def test_a_link_to_a_file_that_is_not_there_yet_makes_it(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("there")
    with replacing(link) as draft:
        draft.write_text("new")
    assert link.is_symlink()
    assert (tmp_path / "there").read_text() == "new"


def test_links_in_a_circle_and_to_devices_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(UserError, match="is a link to itself"), replacing(tmp_path / "one"):
        raise AssertionError
    (tmp_path / "null").symlink_to("/dev/null")
    with pytest.raises(UserError, match="is no file that could be replaced"), replacing(tmp_path / "null"):
        raise AssertionError
    assert Path("/dev/null").is_char_device()


def test_a_new_folder_is_made_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    with new_folder(tmp_path / "link") as draft:
        (draft / "a").write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "a").read_text() == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "there"]
