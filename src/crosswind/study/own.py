"""`tasks:` of a study file, and the file of `--task-file`: data of the user's own, declared without Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from crosswind.data.answers import BadAnswers
from crosswind.data.languages import registered
from crosswind.data.sources.files import data_root
from crosswind.errors import UserError
from crosswind.plain_yaml import parse_yaml, yaml_text
from crosswind.registry import declare
from crosswind.tasks.base import TASKS
from crosswind.tasks.mixture import MIXTURES, members_of
from crosswind.tasks.own_files import codes_of, file_patterns
from crosswind.tasks.refs import library

if TYPE_CHECKING:
    from crosswind.study.planned import Plan
    from crosswind.study.spec import Study


def _named(value: object) -> object:
    """Numbers as the texts that files have: `{1: 0}` and `[0, 1]` name columns and labels."""
    if isinstance(value, Mapping):
        return {_text(key): inner for key, inner in value.items()}
    return [_text(part) for part in value] if isinstance(value, list) else value


def _texts(value: object) -> object:
    """As `_named`, the values of a mapping too."""
    if isinstance(value, Mapping):
        return {_text(key): _text(inner) for key, inner in value.items()}
    return _named(value)


def _text(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _codes(value: object) -> object:
    return [value] if isinstance(value, str) else _texts(value)


class HubData(BaseModel):
    """A repository of the hub; `splits` maps our names to its own, `config` may hold `{language}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repo: str
    config: str | None = None
    revision: str = "main"
    splits: dict[str, str] | None = None


class OwnTask(BaseModel):
    """Data of the user's own: what they are like, where they lie, and what their columns and labels mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    like: str | None = None
    kind: str | None = None
    files: str | list[str] | dict[str, str | list[str]] | None = None
    hub: str | HubData | None = None
    languages: Annotated[list[str] | dict[str, str] | None, BeforeValidator(_codes)] = Field(None, min_length=1)
    separator: str | None = Field(None, min_length=1)
    map: Annotated[dict[str, str] | None, BeforeValidator(_texts)] = None
    columns: Annotated[dict[str, str] | list[str] | None, BeforeValidator(_texts)] = None
    labels: Annotated[list[str] | dict[str, int | str] | None, BeforeValidator(_named)] = None
    questions: Annotated[dict[str, str] | None, BeforeValidator(_texts)] = None
    bad_answers: BadAnswers | None = None
    parallel: bool | None = None

    @model_validator(mode="after")
    def says_what_it_is(self) -> OwnTask:
        if self.like is None and self.kind is None:
            raise ValueError("say what the data are like (like: xnli), or their kind (kind: pair)")
        return self

    @field_validator("languages")
    @classmethod
    def registered_codes(cls, languages: list[str] | dict[str, str] | None) -> list[str] | dict[str, str] | None:
        codes = list(languages.values()) if isinstance(languages, dict) else languages or []
        tags: dict[str, str] = {}  # `tl` and `fil` are one language
        for code in codes:
            try:
                tag = registered(code).to_tag()
            except UserError as error:
                hint = f"{error.hint}; " if error.hint else ""
                what = "map what the files write to BCP 47, for example {sr-lat: sr-Latn}"
                raise ValueError(f"{error.what}: {hint}{what}") from None
            if tag in tags:
                raise ValueError(f"a language is named twice: {tags[tag]}, {code}")
            tags[tag] = code
        return languages

    def canonical(self) -> dict[str, Any]:
        """The declaration as JSON, without what is not said."""
        value: dict[str, Any] = json.loads(self.model_dump_json(exclude_none=True))
        return value


@dataclass(frozen=True)
class OwnTasks:
    """The own tasks of a study as data, by name, and what was assumed of them."""

    tasks: Mapping[str, Mapping[str, Any]]
    notes: tuple[str, ...]


def declare_tasks(study: Study) -> OwnTasks:
    """Make the study's own tasks known to this process; what other processes have to declare.

    Languages that are not named are those whose files are there. Raises `UserError` at the study key of a
    declaration that does not fit together.
    """
    roots = {name: data_root({"root": study.data.tasks.get(name, study.data).root}) for name in study.tasks}
    mixtures = {name: mixture.model_dump(mode="json") for name, mixture in study.mixtures.items()}
    return _declare(study.tasks, roots, mixtures)


def declare_own(tasks: Mapping[str, OwnTask], root: Path) -> OwnTasks:
    """The same for tasks whose files lie below `root`."""
    return _declare(tasks, dict.fromkeys(tasks, root))


def _declare(
    own: Mapping[str, OwnTask],
    roots: Mapping[str, Path | None],
    mixtures: Mapping[str, Mapping[str, Any]] | None = None,
) -> OwnTasks:
    tasks: dict[str, Mapping[str, Any]] = {}
    notes: list[str] = []
    declare({})
    for name, task in own.items():
        if task.like is not None and (other := own.get(task.like)) is not None:
            same = f"like: {other.like}" if other.like else f"kind: {other.kind}"
            hint = f"write what {task.like} says: {same}, with the columns and labels of these data"
            raise UserError(f"{task.like!r} is data of your own, not a task", where=f"tasks.{name}.like", hint=hint)
        value = task.canonical()
        if task.languages is None:
            value["languages"] = _languages(name, task, roots[name])
            taken = ", ".join(value["languages"])
            notes.append(f"the languages of {name} are not named: its texts are taken as {taken}")
        codes = value["languages"]
        if task.parallel is None and len(codes) > 1:
            few = ", ".join(list(codes)[:3]) + (", …" if len(codes) > 3 else "")
            what = f"examples of {name} with one id or row ({few}) are taken as translations of each other"
            notes.append(f"{what}; where they are not: parallel: false")
        tasks[name] = value
    declare({"task": tasks, "mixture": mixtures or {}})
    for name in mixtures or {}:
        MIXTURES[name].tasks()
    return OwnTasks(tasks, tuple(notes))


def _languages(name: str, task: OwnTask, root: Path | None) -> list[str]:
    """The languages of a task that names none: of its files, or else of what it is like."""
    where = f"tasks.{name}.languages"
    hint = "name them: languages: [de, sw], or {file code: BCP 47}"
    patterns = [p for p in file_patterns(task.files) if "{language}" in p]
    if not patterns:
        like = TASKS.get(task.like, where=f"tasks.{name}.like").languages if task.like else ()
        return list(like) if len(like) == 1 else ["en"]
    if root is None:
        raise UserError("no languages are named, and no folder holds the files", where=where, hint=hint)
    codes = {code for pattern in patterns for code in codes_of(pattern, root)}
    if not codes:
        raise UserError(f"no file {patterns[0]} below {root}", where=where, hint=hint)
    for code in sorted(codes):
        try:
            registered(code)
        except UserError as error:
            raise UserError(error.what, where=where, hint=f"{error.hint}; {hint}" if error.hint else hint) from None
    return sorted(codes)


def own_settings(study: Study, settings: Mapping[str, Any], declared: OwnTasks) -> dict[str, Any]:
    """The settings of `data:` with the source of each task of the study's own, and its declaration.

    What is declared on the hub only is read there. The declarations stand in them because data sets are remembered
    by settings.
    """
    named = settings.get("tasks", {})
    settings = {**settings, **({"tasks": _of_members(named)} if named else {})}
    if not study.tasks:
        return settings
    sources: dict[str, Any] = dict(settings.get("tasks", {}))
    for name, task in study.tasks.items():
        if name not in sources and task.files is None:
            sources[name] = {"source": "hub"}
        elif name not in sources and task.hub is None and settings.get("source") == "microworld":
            hint = f"say where its files lie: data: {{tasks: {{{name}: {{source: files, root: DIR}}}}}}"
            raise UserError(f"{name} has files, and the microworld has none", where=f"tasks.{name}", hint=hint)
    return {**settings, **({"tasks": sources} if sources else {}), "declared": dict(declared.tasks)}


def _of_members(sources: Mapping[str, Any]) -> dict[str, Any]:
    """The source of each task; one that is named for a mixture is that of the members without one of their own."""
    members = {task: source for name, source in sources.items() for task in members_of(name) if name != task}
    return {**members, **{name: source for name, source in sources.items() if name not in MIXTURES}}


def check_own_data(plan: Plan) -> None:
    """Read the data of every task that does not come with Crosswind, for a plan that is only looked at.

    Raises `UserError` for what cannot be read, and for examples that are none of the task's. What lies on the hub is
    not asked for.
    """
    settings = plan.graph.context["data"]
    trained = [ref for params in plan.trained() for head in params.heads for ref in (*head.data, *params.select)]
    for ref in dict.fromkeys([*(cell.data for cell in plan.cells), *trained]):
        task = ref.declaration
        source = settings.get("tasks", {}).get(ref.task, settings)["source"]
        built_in = not task.declaration and TASKS.origin(ref.task) is None
        if not built_in and ref.made is None and not (source == "hub" and task.hub is not None):
            library(settings).dataset(ref)


def read_task_file(path: Path) -> dict[str, OwnTask]:
    """The declarations of a YAML file, below `tasks:` or at its top."""
    from crosswind.study.spec import StrictModel, validate_mapping

    class TaskFile(StrictModel):
        """The file of `--task-file`."""

        tasks: dict[str, OwnTask]

    value = parse_yaml(yaml_text(path, "task file"), str(path))
    nested = value if set(value) == {"tasks"} else {"tasks": value}
    checked: TaskFile = validate_mapping(TaskFile, nested, str(path))
    return checked.tasks
