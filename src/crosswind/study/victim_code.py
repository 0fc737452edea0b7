"""The code of a function that is attacked: its file, and what that imports of the user's own.

An edited function is another victim, which must not find what an earlier one gave. What is installed (the standard
library, site-packages) is not looked at, and neither are data and weights that the function reads.
"""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from crosswind.run.folders import file_hash
from crosswind.run.step import digest

_INSTALLED = frozenset({"site-packages", "dist-packages"})  # folders of what is installed, also a user's own


def code_of(file: Path) -> str:
    """The hash of a function's file, and with it of the modules of the user's that it imports, and that these do."""
    content = file_hash(file)
    modules = {name: file_hash(path) for name, path in sorted(local_modules(file).items())}
    return digest([content, modules]) if modules else content


def local_modules(file: Path) -> dict[str, Path]:
    """The files of modules that are not installed and that a file imports, by name, those that they import included.

    Read from the statements (also those within functions), found where an import would find them, and not run: what is
    imported by a name that is made while the code runs is not seen.
    """
    modules: dict[str, Path] = {}
    waiting = [("", file)]
    while waiting:
        package, path = waiting.pop()
        for name in _imported(path, package):
            for spec in _specs(name):
                origin = Path(spec.origin).resolve() if spec.has_location and spec.origin else None
                if origin is None or spec.name in modules or origin.suffix != ".py" or _is_installed(origin):
                    continue
                modules[spec.name] = origin
                inside = spec.submodule_search_locations is not None
                waiting.append((spec.name if inside else spec.name.rpartition(".")[0], origin))
    return modules


def _is_installed(path: Path) -> bool:
    """Whether a module is installed, of the standard library, or of this package, whose version is signed."""
    library, mine = Path(sysconfig.get_path("stdlib")).resolve(), Path(__file__).resolve().parents[1]
    return bool(_INSTALLED & {*path.parts}) or path.is_relative_to(library) or path.is_relative_to(mine)


def _imported(path: Path, package: str) -> Iterator[str]:
    """The names that may be modules in the import statements of a file of a package; none of a file without syntax."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".") if package else []
            above = parts[: max(0, len(parts) - node.level + 1)] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            if base and (above or not node.level):
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)


def _specs(name: str) -> Iterator[ModuleSpec]:
    """Where a module and the packages that it lies in are found; ends where one is not."""
    places = None
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:end]), places)
        if spec is None:
            return
        yield spec
        if spec.submodule_search_locations is None:
            return
        places = [*spec.submodule_search_locations]
