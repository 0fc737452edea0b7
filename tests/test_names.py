"""One word, one thing: names that are unique, documented and say what they hold."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "src" / "crosswind"


def defined(path: Path) -> Iterator[str]:
    """The names that a module's top level defines: classes, functions, constants, aliases, type variables."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.ClassDef() | ast.FunctionDef():
                yield node.name
            case ast.Assign():
                targets = [t for one in node.targets for t in (one.elts if isinstance(one, ast.Tuple) else [one])]
                yield from (t.id for t in targets if isinstance(t, ast.Name))
            case ast.AnnAssign(target=ast.Name()):
                assert isinstance(node.target, ast.Name)
                yield node.target.id
            case _:
                continue


def test_no_public_name_is_defined_in_two_modules() -> None:
    modules: defaultdict[str, set[str]] = defaultdict(set)
    for path in ROOT.rglob("*.py"):
        for name in defined(path):
            if not name.startswith("_"):
                modules[name].add(path.relative_to(ROOT).as_posix())
    assert {name: sorted(paths) for name, paths in modules.items() if len(paths) > 1} == {}


def test_every_public_definition_says_what_it_is() -> None:
    silent = [
        f"{path.relative_to(ROOT).as_posix()}: {node.name}"
        for path in ROOT.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        if not node.name.startswith("_") and ast.get_docstring(node) is None
    ]
    assert silent == []


def test_variables_are_named_after_what_they_hold() -> None:
    vague = {"found", "told", "place", "own", "beside", "here"}
    named = [
        f"{path.relative_to(ROOT).as_posix()}:{node.lineno}: {node.id}"
        for path in ROOT.rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in vague
    ]
    assert named == []


def test_no_two_files_of_tests_have_one_name() -> None:
    """Tests are modules without a package: pytest collects neither of two that have one name."""
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for path in Path(__file__).parent.rglob("*.py"):
        if not path.name.startswith(("__", "conftest")):
            folders[path.name].append(path.parent.name)
    assert {name: sorted(where) for name, where in folders.items() if len(where) > 1} == {}
