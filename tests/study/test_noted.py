"""What steps noted, as the end of a run and its page say it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from crosswind.evaluate.cuts import Cuts
from crosswind.study.noted import note_lines


def cells(*notes: tuple[str, str]) -> tuple[list[Any], dict[str, tuple[str, ...]]]:
    """A cell of XNLI for each (language, note)."""
    made = [
        SimpleNamespace(
            judged=(("accuracy", f"j{i}"),), rewrite=None, key=f"p{i}", target="xnli", data=SimpleNamespace(language=x)
        )
        for i, (x, _) in enumerate(notes)
    ]
    return made, {f"p{i}": (note,) for i, (_, note) in enumerate(notes) if note}


def cut(rows: int, number: int) -> str:
    return Cuts("pairs", rows, number, 48).note or ""


def test_what_was_cut_is_one_line_with_its_range_and_where_it_was_most() -> None:
    lines = note_lines(*cells(("de", cut(30, 11)), ("sw", cut(30, 2)), ("de", cut(2000, 1)), ("en", "")))
    assert lines == [
        "In 3 of 4 cells pairs were longer than 48 tokens and were cut: 0 to 37 % of a cell's (xnli de, xnli sw);"
        " the notes of each row have the number."
    ]
    many = note_lines(*cells(*((x, cut(10, i)) for i, x in enumerate("abcdefgh", 1))))
    assert many[0].startswith(
        "In 8 of 8 cells pairs were longer than 48 tokens and were cut: 10 to 80 % of a cell's, mos"
    )
    assert "most of xnli h;" in many[0]
    (few,) = note_lines(*cells(("de", cut(2000, 1))))
    assert "cut: less than 1 % of a cell's (xnli de);" in few


def test_other_notes_stand_once_with_their_cells() -> None:
    assert note_lines(*cells(("de", "a"), ("sw", "a"), ("en", "b"))) == ["a (2 cells)", "b (1 cell)"]
    assert note_lines(*cells(("de", "a"), ("sw", "a"))) == ["a"]
