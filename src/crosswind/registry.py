"""Things that declare themselves: tasks, perturbations, metrics, recipes.

A declaration is a module-level object in one file. A registry finds the declarations of its type in
its own package, in packages that name an entry point in its group, and in folders that the user
includes. Nothing is imported before a name is asked for.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import pkgutil
import sys
import traceback
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from crosswind.errors import UserError, unknown


class Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)

_REGISTRIES: list[Registry[Any]] = []
_FOLDERS: list[Path] = []


def include(folder: Path) -> None:
    """Add the declarations of a folder that the user names to every registry, also to those made later."""
    for registry in _REGISTRIES:
        registry.include(folder)
    if folder.absolute() not in _FOLDERS:
        _FOLDERS.append(folder.absolute())


def included() -> list[Path]:
    """The folders that were included, in order: for processes that have to do the same."""
    return [*_FOLDERS]


class Registry(Generic[T]):
    """The declarations of one type by name.

    `kind` is the word for error messages ("task"), `package` the dotted package whose modules
    declare them, `group` the entry-point group of other packages (an entry names a module).
    """

    def __init__(self, kind: str, package: str, group: str, type_: type[T]) -> None:
        self.kind, self.package, self.group, self.type = kind, package, group, type_
        self.included: list[Path] = []
        self._found: dict[str, T] | None = None
        _REGISTRIES.append(self)

    def __getitem__(self, name: str) -> T:
        return self.get(name)

    def __iter__(self) -> Iterator[T]:
        return iter(self._all().values())

    def __contains__(self, name: str) -> bool:
        return name in self._all()

    def get(self, name: str, *, where: str | None = None) -> T:
        """The declaration called `name`; a `UserError` with "did you mean" otherwise."""
        found = self._all()
        if name not in found:
            raise unknown(self.kind, name, found, where=where)
        return found[name]

    def names(self) -> list[str]:
        return sorted(self._all())

    def origin(self, name: str) -> str | None:
        """Shim."""
        return None

    def include(self, folder: Path) -> None:
        """Add the declarations of every `*.py` of a folder that the user names (runs their code).

        Raises `UserError` with file:line for code that fails.
        `included` lists these folders, for processes that have to do the same.
        """
        if not folder.is_dir():
            raise UserError(f"no folder {str(folder)!r} to include", hint="--include takes a folder of Python files")
        folder = folder.absolute()
        if folder not in self.included:
            self.included.append(folder)
        for path in sorted(folder.glob("*.py")):
            # Two folders may have files of one name.
            name = f"crosswind_include_{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}_{path.stem}"
            spec = importlib.util.spec_from_file_location(name, path)
            if spec is None or spec.loader is None:
                continue
            module = sys.modules.get(name) or importlib.util.module_from_spec(spec)
            if name not in sys.modules:
                sys.modules[name] = module
                try:
                    spec.loader.exec_module(module)
                except Exception as error:
                    del sys.modules[name]
                    raise _broken(path, error) from error
            self._collect(module, self._all())
        self._found = dict(sorted(self._all().items()))

    def _all(self) -> dict[str, T]:
        if self._found is None:
            found: dict[str, T] = {}
            package = importlib.import_module(self.package)
            for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda i: i.name):
                self._collect(importlib.import_module(f"{self.package}.{info.name}"), found)
            for entry in entry_points(group=self.group):
                self._collect(importlib.import_module(entry.value), found)
            self._found = dict(sorted(found.items()))
            for folder in _FOLDERS:
                self.include(folder)
        return self._found

    def _collect(self, module: object, found: dict[str, T]) -> None:
        values = [v for n, v in vars(module).items() if not n.startswith("_")]
        declared = [d for v in values for d in (v if isinstance(v, tuple) else (v,)) if isinstance(d, self.type)]
        for item in declared:
            other = found.get(item.name)
            if other is not None and other is not item:
                raise UserError(
                    f"two declarations of the {self.kind} {item.name!r}",
                    where=str(getattr(module, "__file__", module)),
                    hint="give one of them another name",
                )
            found[item.name] = item


def _broken(path: Path, error: Exception) -> UserError:
    """The error for an included file that raises: its own line nearest to the fault."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    where = f"{path}:{line}" if line else str(path)
    return UserError(f"{type(error).__name__}: {error}", where=where, hint="the included file does not run: mend it")
