"""Declarations of folders that the user includes, and names that do not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from crosswind.errors import UserError, unknown
from crosswind.registry import Registry
from crosswind.run.executors import Executor

DECLARES = "from crosswind.run.executors import Executor\nMINE = Executor('{name}', 'a test', print)\n"


@pytest.fixture
def executors() -> Registry[Executor]:
    return Registry("executor", "crosswind.run.executors", "crosswind.executors", Executor)


def test_what_a_folder_declares_is_found_in_the_order_of_names(executors: Registry[Executor], tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(DECLARES.format(name="a-first"))
    executors.include(tmp_path)
    executors.include(tmp_path)
    assert [e.name for e in executors] == executors.names() == ["a-first", "local"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os\nimport no_such_module\n", r"bad\.py:2: ModuleNotFoundError: No module named 'no_such_module'"),
        ("x = 1\ndef broken(:\n", r"bad\.py:2: SyntaxError: "),
        ("def f():\n    return 1 / 0\n\nf()\n", r"bad\.py:2: ZeroDivisionError: division by zero\n  .*mend it"),
    ],
)
def test_an_included_file_that_does_not_run_is_named_with_its_line_and_may_be_mended(
    executors: Registry[Executor], tmp_path: Path, code: str, message: str
) -> None:
    (tmp_path / "bad.py").write_text(code)
    with pytest.raises(UserError, match=message):
        executors.include(tmp_path)
    (tmp_path / "bad.py").write_text(DECLARES.format(name="mended") + "# another size than before\n" * 9)
    executors.include(tmp_path)
    assert "mended" in executors


def test_two_declarations_of_one_name_are_refused(executors: Registry[Executor], tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(DECLARES.format(name="local"))
    with pytest.raises(UserError, match=r"one\.py: two declarations of the executor 'local'"):
        executors.include(tmp_path)


def test_a_name_that_is_known_in_two_forms_is_suggested_once() -> None:
    assert unknown("label", "neutrall", ["neutral", "0", "0", "", "neutral"]).hint == "did you mean 'neutral'?"
    assert unknown("label", "x", ["1", "0", "0", ""]).hint == "known: 0, 1"
