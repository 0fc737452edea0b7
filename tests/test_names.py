"""One word, one thing: no public name is defined in two modules."""

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
