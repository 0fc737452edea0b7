"""Things that declare themselves: tasks, perturbations, metrics, recipes.

A declaration is a module-level object in one file. A registry finds the declarations of its type in
its own package, in packages that name an entry point in its group, and in folders that the user
includes. Nothing is imported before a name is asked for.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import pkgutil
import re
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

from crosswind.errors import UserError, unknown


class Named(Protocol):
    """What every declaration has."""

    @property
    def name(self) -> str:
        """What a study file calls it."""


_Declaration = TypeVar("_Declaration", bound=Named)

_REGISTRIES: list[Registry[Any]] = []
_FOLDERS: list[Path] = []
_WRITTEN: dict[str, Mapping[str, Any]] = {}


def include(folder: Path) -> None:
    """Add the declarations of a folder that the user names to every registry, also to those made later."""
    for registry in _REGISTRIES:
        registry.include(folder)
    if folder.absolute() not in _FOLDERS:
        _FOLDERS.append(folder.absolute())


def included() -> list[Path]:
    """The folders that were included, in order: for processes that have to do the same."""
    return [*_FOLDERS]


def declare(written: Mapping[str, Mapping[str, Any]]) -> None:
    """Let these declarations count that are written as data: kind of registry -> name -> JSON.

    They replace those of an earlier call: a process works for one study at a time. Where one of them is wrong,
    none counts.
    """
    _WRITTEN.clear()
    _WRITTEN.update(written)
    for registry in _REGISTRIES:
        registry.forget_written()
    try:
        for registry in _REGISTRIES:
            if written.get(registry.kind):
                registry.names()
    except UserError:
        _WRITTEN.clear()
        raise


@dataclass(frozen=True)
class _Entry(Generic[_Declaration]):
    declaration: _Declaration
    origin: str | None


class Registry(Generic[_Declaration]):
    """The declarations of one type by name.

    `kind` is the word for error messages ("task"), `package` the dotted package whose modules
    declare them, `group` the entry-point group of other packages (an entry names a module). `reads` names
    (`module:function`) what makes a declaration that is written as data: (name, JSON, the others by name,
    their origins by name).
    """

    def __init__(
        self, kind: str, package: str, group: str, type_: type[_Declaration], *, reads: str | None = None
    ) -> None:
        self.kind, self.package, self.group, self.type, self._reads = kind, package, group, type_, reads
        self._joined: dict[str, _Entry[_Declaration]] | None = None
        self.included: list[Path] = []
        self._entries: dict[str, _Entry[_Declaration]] | None = None
        _REGISTRIES.append(self)

    def __getitem__(self, name: str) -> _Declaration:
        return self.get(name)

    def __iter__(self) -> Iterator[_Declaration]:
        return iter([entry.declaration for entry in self._all().values()])

    def __contains__(self, name: str) -> bool:
        return name in self._all()

    def get(self, name: str, *, where: str | None = None) -> _Declaration:
        """The declaration called `name`; a `UserError` with "did you mean" otherwise."""
        return self._get(name, where).declaration

    def names(self) -> list[str]:
        """The names of all declarations, sorted."""
        return sorted(self._all())

    def origin(self, name: str) -> str | None:
        """What tells a declaration from another one of its name: None for what is built in or written as data.

        Of an included file it is the SHA-256 of its bytes (and of the `_*.py` files of its folder, if
        there are any), of another package `DISTRIBUTION VERSION`. Whatever hangs on a declaration has
        it in its key, so that an edited one never finds old results. Raises `UserError` like `get`.
        """
        return self._get(name, None).origin

    def include(self, folder: Path) -> None:
        """Add the declarations of every `*.py` of a folder that the user names (runs their code).

        Files whose names begin with `_` declare nothing. A file is run once in a process, whatever
        registries include it. Raises `UserError` with file:line for code that fails.
        `included` lists these folders, for processes that have to do the same.
        """
        if not folder.is_dir():
            raise UserError(f"no folder {str(folder)!r} to include", hint="--include takes a folder of Python files")
        folder = folder.absolute()
        if folder not in self.included:
            self.included.append(folder)
        for path in sorted(folder.glob("[!_]*.py")):
            module, origin = _included(path)
            self._collect(module, self._in_files(), origin)
        self._entries = dict(sorted(self._in_files().items()))
        self._joined = None

    def forget_written(self) -> None:
        """Make the declarations that are written as data anew when one is asked for."""
        self._joined = None

    def _get(self, name: str, where: str | None) -> _Entry[_Declaration]:
        entries = self._all()
        if name not in entries:
            raise unknown(self.kind, name, entries, where=where)
        return entries[name]

    def _all(self) -> dict[str, _Entry[_Declaration]]:
        """Every declaration: those of files, and those that are written as data."""
        in_files = self._in_files()
        if self._joined is None:
            written = _WRITTEN.get(self.kind, {}) if self._reads else {}
            others = {name: entry.declaration for name, entry in in_files.items()}
            origins = {name: entry.origin for name, entry in in_files.items()}
            made = {name: self._made(name, value, others, origins) for name, value in written.items()}
            self._joined = dict(sorted((in_files | made).items())) if made else in_files
        return self._joined

    def _made(
        self, name: str, value: Any, others: Mapping[str, _Declaration], origins: Mapping[str, str | None]
    ) -> _Entry[_Declaration]:
        """A declaration that is written as data, which its own fingerprints hold: it has no origin."""
        assert self._reads is not None
        module, _, function = self._reads.partition(":")
        declaration: _Declaration = getattr(importlib.import_module(module), function)(name, value, others, origins)
        return _Entry(declaration, None)

    def _in_files(self) -> dict[str, _Entry[_Declaration]]:
        if self._entries is None:
            entries: dict[str, _Entry[_Declaration]] = {}
            package = importlib.import_module(self.package)
            for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda i: i.name):
                self._collect(importlib.import_module(f"{self.package}.{info.name}"), entries, None)
            for point in importlib.metadata.entry_points(group=self.group):
                entries |= self._plugin(point, entries)
            self._entries = dict(sorted(entries.items()))
            for folder in _FOLDERS:
                self.include(folder)
        return self._entries

    def _plugin(
        self, point: importlib.metadata.EntryPoint, entries: dict[str, _Entry[_Declaration]]
    ) -> dict[str, _Entry[_Declaration]]:
        """What an entry point declares beside `entries`; nothing, with a warning, where it cannot be read."""
        origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        more = dict(entries)
        try:
            self._collect(importlib.import_module(point.module), more, origin)
        except (Exception, SystemExit) as error:
            what = f"{type(error).__name__}: {error}"
            warnings.warn(f"no {self.kind} of {origin} ({point.value}) is served: {what}", RuntimeWarning, stacklevel=2)
            return {}
        return more

    def _collect(self, module: ModuleType, entries: dict[str, _Entry[_Declaration]], origin: str | None) -> None:
        values = [v for n, v in vars(module).items() if not n.startswith("_")]
        declared = [d for v in values for d in (v if isinstance(v, tuple) else (v,)) if isinstance(d, self.type)]
        for item in declared:
            if not _NAME.fullmatch(item.name):
                raise UserError(
                    f"the {self.kind} {item.name!r}: no name for files and tables",
                    where=str(getattr(module, "__file__", module)),
                    hint="letters, digits and - _ @ + . with a letter or digit first",
                )
            other = entries.get(item.name)
            if other is not None and other.declaration is not item:
                raise UserError(
                    f"two declarations of the {self.kind} {item.name!r}",
                    where=str(getattr(module, "__file__", module)),
                    hint="give one of them another name",
                )
            # What a file imports from elsewhere keeps the origin that it has there.
            entries.setdefault(item.name, _Entry(item, origin))


_NAME = re.compile(r"\w[\w@+.-]*")  # names are parts of paths: no folder above or beside the run's own
_ORIGIN = "__crosswind_origin__"


def _included(path: Path) -> tuple[ModuleType, str]:
    """The module of an included file, run once in a process, and the hash of what was run."""
    # Two folders may have files of one name.
    name = f"crosswind_include_{hashlib.sha256(str(path.parent).encode()).hexdigest()[:8]}_{path.stem}"
    if name in sys.modules:
        module = sys.modules[name]
        return module, str(getattr(module, _ORIGIN))
    code = path.read_bytes()
    helpers = [helper.read_bytes() for helper in sorted(path.parent.glob("_*.py"))]
    module = ModuleType(name)
    module.__file__ = str(path)
    setattr(module, _ORIGIN, hashlib.sha256(b"".join([code, *helpers])).hexdigest())
    sys.modules[name] = module
    try:
        exec(compile(code, str(path), "exec", dont_inherit=True), vars(module))
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _broken(path, error) from error
    return module, str(getattr(module, _ORIGIN))


def _broken(path: Path, error: BaseException) -> UserError:
    """The error for an included file that raises: its own line nearest to the fault."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    where = f"{path}:{line}" if line else str(path)
    return UserError(f"{type(error).__name__}: {error}", where=where, hint="the included file does not run: mend it")
