"""Options that several commands have, and what is made of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crosswind.errors import UserError

if TYPE_CHECKING:
    from crosswind.run.store import Store

Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the file.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="The run folder.")]
StoreOption = Annotated[
    Path | None, typer.Option("--store", metavar="DIR", help="Where weights and shared steps live (CROSSWIND_STORE).")
]
TaskFile = Annotated[
    Path | None, typer.Option("--task-file", metavar="FILE", help="YAML that declares tasks of your own.")
]
LexiconsOption = Annotated[
    Path | None, typer.Option("--lexicons", metavar="DIR", help="Bilingual lexicons, for codemix.")
]
Include = Annotated[list[Path] | None, typer.Option(help="A folder of declarations of yours.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", help="Print the long table: every condition of every target; of a dry run every step."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]


def include_folders(folders: Sequence[Path] | None) -> None:
    """Add the declarations of these folders."""
    if folders:
        from crosswind.registry import include

        for folder in folders:
            include(folder)


def store_of(given: Path | None) -> Store:
    """The store that the user named, or the default one."""
    from crosswind.run.store import Store
    from crosswind.study.run import default_store

    return Store(given or default_store())


def kept_store(given: Path | None) -> Store:
    """As `store_of`, to look at what is kept: a `UserError` if the user named a folder that is not there."""
    from crosswind.reading import expanded

    if given is not None and not expanded(given, "--store").is_dir():  # a store that is opened is there
        raise UserError(f"no store {str(given)!r}", where="--store", hint="name the folder that runs had as --store")
    return store_of(given)


def refuse_unread(reason: str, hint: str, **given: object) -> None:
    """Raise a `UserError` for the first option that is given (neither none nor empty) and would not be read."""
    for option, value in given.items():
        if value is not None and value != () and value != [] and value is not False:
            raise UserError(reason, where=f"--{option.replace('_', '-')}", hint=hint)


@contextmanager
def progress(quiet: bool) -> Iterator[Any]:
    """A display of what runs, on standard error."""
    from crosswind.run.progress import display

    with display(quiet=quiet) as reporter:
        yield reporter


def comma_separated(text: str | None, option: str) -> list[str]:
    """The parts of a comma-separated option, none if it is not given; a `UserError` if it is and names nothing."""
    parts = [part.strip() for part in text.split(",") if part.strip()] if text is not None else []
    if text is not None and not parts:
        raise UserError(f"{text!r} names nothing", where=option, hint=f"leave {option} out, or name something")
    return parts


def official_folder() -> Path | None:
    """The folder of official files that the environment names (`CROSSWIND_DATA`)."""
    variable = os.environ.get("CROSSWIND_DATA")
    return Path(variable) if variable else None
