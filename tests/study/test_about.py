"""What runs say of themselves: facts and notes beside the results."""

from __future__ import annotations

from pathlib import Path

import pytest

from crosswind.study.about import ABOUT, read_about, read_audited, write_about


def test_facts_that_differ_stand_one_after_the_other_and_notes_once(tmp_path: Path) -> None:
    for name, device in (("a", "cpu"), ("b", "cuda")):
        (tmp_path / name).mkdir()
        write_about(tmp_path / name, {"device": device, "precision": "fp32"}, ["small"], {"card": name})
    runs = [tmp_path / "a", tmp_path / "b", tmp_path / "older, which kept none"]
    assert read_about(runs) == ({"device": "cpu; cuda", "precision": "fp32"}, ["small"])
    assert read_audited(runs) == [{"card": "a"}, {"card": "b"}]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"facts": 3, "notes": []}', '{"facts": {}, "notes": 4}', "[" * 9999]
)
def test_a_damaged_file_is_named_and_hides_no_other(tmp_path: Path, text: str) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_about(tmp_path / name, {"device": "cpu"}, ["small"], {})
    (tmp_path / "a" / ABOUT).write_text(text)
    facts, (damaged, note) = read_about([tmp_path / "a", tmp_path / "b"])
    assert (facts, note) == ({"device": "cpu"}, "small")
    assert damaged.startswith(f"{tmp_path / 'a' / ABOUT} is damaged: ")
