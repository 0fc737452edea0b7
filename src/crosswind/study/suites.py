"""What a frozen suite makes of official test sets, file by file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from crosswind.data.source import Portion
from crosswind.data.sources.files import FilesSource
from crosswind.errors import AbsentFileError, UserError
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.spec import TextScope
from crosswind.perturb.suite import Suite, hash_of_rewrites, load_suite
from crosswind.reading import json_file
from crosswind.tasks.base import TASKS, Task
from crosswind.tasks.load import load

EXPORTED = "export.json"


def require_suite(folder: Path, title: str) -> None:
    """Raise a `UserError` unless an exported folder says that its items are of this frozen suite, of this version.

    `folder` is the export, or a folder in it.
    """
    load_suite(title, where="--suite")
    path = next((p / EXPORTED for p in (folder, *list(folder.parents)[:3]) if (p / EXPORTED).is_file()), None)
    if path is None:
        hint = f"export them: crosswind export --suite {title} writes {EXPORTED}"
        raise UserError(f"{folder} says nothing of a suite", where="--suite", hint=hint)
    value = json_file(path)
    written = value.get("suites") if isinstance(value, dict) else None
    if written != [title]:
        hint = "results of two versions are not compared: score it as what it is"
        of = ", ".join(map(str, written)) if isinstance(written, list) and written else "no suite"
        raise UserError(f"the items are of {of}, not of {title}", where=str(path), hint=hint)


HashRow = tuple[str, str, str, str, str]
"""(task, language, split, perturbation, SHA-256 of its rewrites)."""


def suite_hashes(
    suite: Suite,
    tasks: Sequence[str],
    languages: Sequence[str],
    split: str,
    root: Path,
    note: Callable[[str], None] = lambda text: None,
) -> Iterator[tuple[HashRow, str | None]]:
    """(task, language, split, perturbation, SHA-256) and the published SHA-256, where there is one.

    Without `languages` those of each task whose files are below `root`; a perturbation that has nothing to change in a
    language is left out. `note` gets the languages that have no files, and how files were read that are not as the
    official ones. Raises a `UserError` for damaged files.
    """
    source = FilesSource(root)
    for name in tasks:
        task = TASKS.get(name, where="--task")
        absent = [] if languages else [code for code in task.languages if not _there(source, task, code, split)]
        if len(absent) == len(task.languages):
            hint = "name the folder that holds the official files"
            raise UserError(f"no file of {name} {split} is there", where=str(root), hint=hint)
        if absent:
            note(f"{name} {split}: no files below {root} in {', '.join(absent)}")
        for language in languages or [code for code in task.languages if code not in absent]:
            dataset = load(task, language, split, source)
            for text in dataset.notes:
                note(text)
            for spec in suite.specs:
                if spec.applies(TextScope.of(task, language)) is not None:
                    continue
                table = perturb_dataset(dataset, spec, draw=suite.draw, fields=task.perturbed).table()
                row = (name, language, split, str(spec), hash_of_rewrites(table))
                yield row, suite.published.get(row[:4])


def _there(source: FilesSource, task: Task, language: str, split: str) -> bool:
    try:
        source.located(task, Portion(language, split))
    except AbsentFileError:
        return False
    return True
