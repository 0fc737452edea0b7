"""Declarations of folders that the user includes, and names that do not exist."""

from __future__ import annotations

import hashlib
import subprocess
import sys
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


def test_a_folder_can_be_included_before_anything_of_the_package_is_imported(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from dataclasses import replace\n"
        "from crosswind.data.segmenter import Segmenter\n"
        "from crosswind.tasks.declared.xnli import XNLI\n"
        "print('run')\n"
        "MINE = replace(XNLI, name='mine')\n"
        "CUTTER = Segmenter('zz', list, str)\n"
    )
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from crosswind.data.segmenter import SEGMENTERS\nfrom crosswind.tasks.base import CORPORA, TASKS\n"
        "assert 'crosswind.tasks.declared.xnli' not in sys.modules\n"
        "for registry in (TASKS, CORPORA, SEGMENTERS):\n    registry.include(Path(sys.argv[1]))\n"
        "same = TASKS.origin('mine') == SEGMENTERS.origin('zz')\n"
        "print('mine' in TASKS, 'zz' in SEGMENTERS, TASKS.origin('xnli'), same)\n"
    )
    result = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert result.stdout == "run\nTrue True None True\n"


def test_files_that_begin_with_an_underscore_declare_nothing(executors: Registry[Executor], tmp_path: Path) -> None:
    (tmp_path / "_helper.py").write_text("raise AssertionError('run')\n")
    (tmp_path / "one.py").write_text(DECLARES.format(name="mine"))
    executors.include(tmp_path)
    assert executors.names() == ["local", "mine"]


def test_the_origin_of_an_included_declaration_is_the_hash_of_its_file(
    executors: Registry[Executor], tmp_path: Path
) -> None:
    (tmp_path / "one.py").write_text("from crosswind.run.executors.local import LOCAL\n" + DECLARES.format(name="mine"))
    executors.include(tmp_path)
    assert executors.origin("mine") == hashlib.sha256((tmp_path / "one.py").read_bytes()).hexdigest()
    assert executors.origin("local") is None
    with pytest.raises(UserError, match="unknown executor 'lokal'"):
        executors.origin("lokal")


def test_the_origin_of_a_file_follows_the_helpers_of_its_folder(tmp_path: Path) -> None:
    origins = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "one.py").write_text(DECLARES.format(name="mine"))
        (folder / "_helper.py").write_text(f"NUMBER = {number}\n")
        registry = Registry("executor", "crosswind.run.executors", "crosswind.executors", Executor)
        registry.include(folder)
        origins.append(registry.origin("mine"))
    assert origins[0] != origins[1]


def install(folder: Path, distribution: str, module: str, code: str) -> None:
    """A distribution as pip leaves it, with one entry point of the group `crosswind.test`."""
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{distribution.replace('-', '_')}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[crosswind.test]\n{module} = {module}\n")


def test_a_plugin_that_does_not_import_is_named_and_the_others_are_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "broken-plugin", "broken_plugin_of_a_test", "import no_such_module\n")
    install(tmp_path, "twice", "twice_of_a_test", DECLARES.format(name="local"))
    install(tmp_path, "good-plugin", "good_plugin_of_a_test", DECLARES.format(name="theirs"))
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry("executor", "crosswind.run.executors", "crosswind.test", Executor)
    with pytest.warns(RuntimeWarning) as caught:
        assert registry.names() == ["local", "theirs"]
    assert sorted(str(w.message) for w in caught) == [
        "no executor of broken-plugin 1.2 (broken_plugin_of_a_test) is served: "
        "ModuleNotFoundError: No module named 'no_such_module'",
        "no executor of twice 1.2 (twice_of_a_test) is served: "
        f"UserError: {tmp_path}/twice_of_a_test.py: two declarations of the executor 'local'\n"
        "  give one of them another name",
    ]
    assert registry.origin("theirs") == "good-plugin 1.2"


@pytest.mark.parametrize("name", ["../above", "a/b", ".hidden", "", "a b"])
def test_a_name_that_would_leave_its_folder_is_refused(
    executors: Registry[Executor], tmp_path: Path, name: str
) -> None:
    (tmp_path / "one.py").write_text(DECLARES.format(name=name))
    with pytest.raises(UserError, match="no name for files and tables"):
        executors.include(tmp_path)


def test_an_unknown_name_points_only_to_a_list_that_there_is():
    many = [f"name-{n}" for n in range(41)]
    assert unknown("language", "?", many).hint == "there are 41 of them; `crosswind list languages` shows them"
    assert unknown("candidate", "?", many).hint == "there are 41 of them"
