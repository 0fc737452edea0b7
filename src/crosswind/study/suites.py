"""What a frozen suite makes of official test sets, file by file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from crosswind.data.source import Portion
from crosswind.data.sources.files import FilesSource
from crosswind.errors import AbsentFileError, UserError
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.extent import Extent
from crosswind.perturb.spec import TextScope
from crosswind.perturb.suite import Suite, check_published, hash_of_rewrites, load_suite
from crosswind.reading import json_file
from crosswind.run.folders import file_hash
from crosswind.study.joined import read_table
from crosswind.study.planned import CellCondition
from crosswind.study.review import Reviewed, answered_review, what_answers_say
from crosswind.tasks.base import TASKS, Task
from crosswind.tasks.load import load

EXPORTED = "export.json"
_REWRITES: dict[str, pl.DataType] = dict.fromkeys(("id", "part", "field", "rewrite"), pl.String())


def require_suite(folder: Path, title: str) -> list[str]:
    """Raise a `UserError` unless an exported folder holds items of this frozen suite, of this version; notes on it.

    `folder` is the export, or a folder in it, whose conditions are looked at: files have to be those that were exported
    and, where whole test sets were, rewrites those that are published. The notes name what could not be compared.
    """
    suite = load_suite(title, where="--suite")
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
    inside = folder.absolute().relative_to(path.parent.absolute()).parts[:1]
    _check_files(path, value.get("files"), inside)
    notes: dict[str, None] = {}
    conditions = _conditions(path, value.get("conditions"), inside)
    _require_exported(folder, path, value["files"])
    if not conditions:
        clean = any(c["condition"] == "clean" and inside in ((), (c["folder"],)) for c in value["conditions"])
        if not clean:
            hint = "name a folder that crosswind export wrote"
            raise UserError("is of no condition that was exported", where=str(folder), hint=hint)
        return [f"These are the clean items beside {title}: nothing of them is perturbed."]
    for condition in conditions:
        if (note := _compared(suite, condition, path)) is not None:
            notes[note] = None
    names = dict.fromkeys(str(condition["condition"]) for condition in conditions)
    which = [f"The items are of the condition {name}." for name in names] if len(names) == 1 else []
    return [*notes, suite.unreviewed, *which]


def _check_files(path: Path, files: Any, inside: tuple[str, ...]) -> None:
    """Refuse files that are others than an export wrote, of those that are there."""
    if not isinstance(files, dict):
        raise UserError("does not say which files were exported", where=str(path), hint="export the items again")
    for name, sha in files.items():
        file = path.parent / name
        if Path(name).parts[: len(inside)] == inside and file.is_file() and file_hash(file) != sha:
            hint = "the items of a suite stay as they are: export them again"
            raise UserError("is another file than was exported", where=str(file), hint=hint)


def _require_exported(folder: Path, path: Path, files: Mapping[str, Any]) -> None:
    """Refuse items that an export did not write: nobody knows what they are. Of rewrites the published hash decides."""
    root = path.parent.absolute()
    for file in sorted(p for p in folder.absolute().rglob("*") if p.is_file()):
        name = file.relative_to(root)
        apart = "rewrites" in name.parts or name.name.startswith(".") or name == Path(EXPORTED)
        if not apart and name.as_posix() not in files:
            hint = "name a folder that crosswind export wrote, with nothing else in it"
            raise UserError("is no file that was exported", where=str(file), hint=hint)


def _conditions(path: Path, conditions: Any, inside: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """The perturbed conditions of an export, or of one folder in it."""
    texts = ("folder", "task", "language", "split", "rows", "condition")
    if not isinstance(conditions, list) or not all(
        isinstance(c, dict) and all(isinstance(c.get(name), str) for name in texts) for c in conditions
    ):
        raise UserError("does not say which conditions were exported", where=str(path), hint="export the items again")
    return [c for c in conditions if c["condition"] != "clean" and (not inside or c["folder"] == inside[0])]


def _compared(suite: Suite, condition: Mapping[str, Any], path: Path) -> str | None:
    """What to say of an exported condition beside the published rewrites; `None` where they are these."""
    extent = Extent(suite=suite.title)
    specs = {CellCondition(*extent.condition(spec)).label: str(spec) for spec in suite.specs}
    name, task, language, split = (condition[key] for key in ("condition", "task", "language", "split"))
    if name not in specs or condition.get("draw") != suite.draw:
        what = f"{name}, draw {condition.get('draw')}, is no condition of {suite.title}"
        raise UserError(what, where=str(path), hint=f"crosswind suite {suite.title} lists them; export these alone")
    if condition["rows"] != "all":
        return suite.uncovered(task)
    rewrites = path.parent / condition["folder"] / "rewrites" / f"{task}-{language}.parquet"
    if not rewrites.is_file():
        return f"{suite.title}: the rewrites of {task} {split}, {language} are not beside it, and were not compared."
    return check_published(suite, task, language, split, specs[name], read_table(rewrites, _REWRITES))


def suite_reviews(suite: Suite, folders: Sequence[Path]) -> list[Reviewed]:
    """What people said of conditions of a suite: reviews whose key and annotators' answers lie in a folder each.

    Raises a `UserError` for a review of something else, and as `read_review` does.
    """
    conditions = {str(spec) for spec in suite.specs}
    reviews = []
    for folder in folders:
        answers = sorted(folder.glob("answers*.csv"))
        if not answers:
            hint = "put what the annotators sent back beside key.json: answers-1.csv, answers-2.csv"
            raise UserError("no answers of annotators are there", where=str(folder), hint=hint)
        review = answered_review(folder, answers)
        spec, draw = review.about["spec"], review.about.get("draw")
        if spec not in conditions or draw != suite.draw:
            what = f"is a review of {spec}, draw {draw}, which is no condition of {suite.title}"
            hint = (
                f"crosswind perturb SPEC --seed {suite.draw} --review 50 with a SPEC of crosswind suite {suite.title}"
            )
            raise UserError(what, where=str(folder), hint=hint)
        reviews.append(what_answers_say(review, answers))
    return reviews


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
