"""Code of the user's that ends the program, wherever it is called: a sentence with file and line, exit code 2 or 1."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from crosswind.cli import main

TASK = """
import sys
from crosswind.data.source import Content, FileLayout
from crosswind.tasks.base import Task

def read(paths, language, split):
    pass

def locate(files, language, split):
    sys.exit(0)

MINE = Task(
    name="mine", kind="pair", summary="mine", group="nli", languages=("en",), splits=("test",),
    files=FileLayout(locate, read, "mine 1"), metrics=("accuracy",), perturbed=("first",), labels=("a", "b"),
)
"""


@pytest.fixture
def crosswind(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("CROSSWIND_STORE", str(tmp_path / "store"))

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["crosswind", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().err

    return call


def test_a_function_that_is_attacked(crosswind, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    victim = tmp_path / "victim.py"
    target = ("--task", "mw-nli", "--language", "en", "--examples", "2", "--quiet", "--recipe", "deepwordbug")
    for code, line in (("def f(examples):\n    raise SystemExit(0)\n", 2), ("import sys\nsys.exit()\n", None)):
        victim.write_text(code)
        code_of_exit, said = crosswind("attack", f"{victim}:f", *target, "--out", str(tmp_path / "out"))
        assert code_of_exit == 2, said
        assert str(victim) + (f":{line}" if line else "") in said
        assert "SystemExit" in said
        assert ("run it again" if line else "mend") in said


def test_a_task_whose_files_are_looked_for(tmp_path: Path) -> None:
    """In a process of its own: what is included stays."""
    (tmp_path / "mine.py").write_text(TASK)
    command = "from crosswind.cli import main; main()"
    arguments = ["export", "--task", "mine", "--format", "hf", "--data", str(tmp_path), "--include", str(tmp_path)]
    ended = subprocess.run(
        [sys.executable, "-c", command, *arguments, "--out", str(tmp_path / "items")], capture_output=True, text=True
    )
    assert ended.returncode == 2, ended.stderr
    assert f"crosswind: {tmp_path}/mine.py:10: ends the program (SystemExit: 0)" in ended.stderr
    assert not (tmp_path / "items").exists()
