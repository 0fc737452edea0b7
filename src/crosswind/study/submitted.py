"""`crosswind export --submission`: a run's predictions as official submission folders, `{task}/test-{language}.*`.

`crosswind score` reads them, and so do the benchmarks' own scripts. Beside them, on request, the labels in the same
layout: those of the data that the run evaluated, so that what was perturbed is judged by answers that moved with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, assert_never

import polars as pl

from crosswind.analysis.condition import APART
from crosswind.data.examples import (
    ChoiceExample,
    Dataset,
    Example,
    PairExample,
    QueryExample,
    SpanExample,
    TaggingExample,
    is_labelled,
)
from crosswind.data.writing import squad_file
from crosswind.errors import UserError, unknown
from crosswind.evaluate.benchmark import BENCHMARKS, Scoring, scoring
from crosswind.evaluate.metrics.base import parse_signature
from crosswind.evaluate.metrics.mining import THRESHOLD, chosen_pairs
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.submission import write_submission
from crosswind.perturb.replay import replay_dataset
from crosswind.reading import parquet_file
from crosswind.run.folders import new_folder
from crosswind.steps.predict import SAME
from crosswind.study.as_written import require_as_written
from crosswind.study.folder import IDENTITY, STUDY
from crosswind.study.joined import read_table
from crosswind.study.own import declare_tasks, own_settings
from crosswind.study.spec import Study, read_study
from crosswind.tasks.base import TASKS
from crosswind.tasks.refs import DataRef, Library, library

_COLUMNS = ("route", "pipeline_seed", "defence", "target", "file", "rewrites", "ref", "condition", "selection")


@dataclass(frozen=True)
class _Submission:
    """A cell of the run folder whose predictions are written; of mined pairs, the least margin that counts."""

    model: str
    target: str
    file: str
    rewrites: str
    ref: DataRef
    threshold: float | None = None

    @property
    def language(self) -> str:
        return self.ref.language


@dataclass
class SubmissionExport:
    """What `export_submission` wrote: (folder, task, languages) of each model and task, and notes."""

    files: list[tuple[Path, str, list[str]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def export_submission(
    run: Path,
    out: Path,
    benchmark: str,
    *,
    route: str | None = None,
    seed: int | None = None,
    condition: str = "clean",
    data: Path | None = None,
    labels: Path | None = None,
) -> SubmissionExport:
    """Write the predictions of a run folder below the new folder `out`: of several models, below `ROUTE/SEED`.

    `data` is where the official files lie, if not where the run's study says; `labels` a new folder for the labels.
    Raises `UserError` for a folder that is no run's or not new, a condition, route or seed that the run does not have,
    a run without a task of the benchmark, and predictions of other items than the data hold now.
    """
    declared = BENCHMARKS.get(benchmark, where="--benchmark")
    cells = _chosen(run, route, seed, condition)
    source = run_data(run, data)
    models = sorted({cell.model for cell in cells})
    done = SubmissionExport()
    if others := sorted({cell.target for cell in cells} - {*declared.tasks}):
        done.notes.append(f"not of {benchmark}, left out: {', '.join(others)}")
    if absent := [name for name in declared.tasks if name not in {cell.target for cell in cells}]:
        done.notes.append(f"not in the run: {', '.join(absent)}")
    with new_folder(out) as draft, new_folder(labels) if labels else nullcontext() as gold:
        for name, entry in declared.tasks.items():
            official = scoring(declared, name)
            for model in models:
                of_model = [cell for cell in cells if (cell.target, cell.model) == (name, model)]
                fitting = [cell for cell in of_model if cell.language in entry.languages and not _crossed(cell.ref)]
                folder = Path(".") if len(models) == 1 else Path(model)
                for cell in fitting:
                    _write_language(cell, official, source, run, draft / folder, gold, done)
                if fitting:
                    done.files.append((out / folder, name, [cell.language for cell in fitting]))
                    missing = [x for x in entry.languages if x not in {cell.language for cell in fitting}]
                    done.notes += [f"{name}: {benchmark} has {', '.join(missing)} too"] if missing else []
        if not done.files:
            hint = f"{benchmark} has {', '.join(declared.tasks)}; name another with --benchmark"
            raise UserError(f"the run has no task of {benchmark}", where=str(run), hint=hint)
    done.notes = list(dict.fromkeys(done.notes))
    return done


def _crossed(ref: DataRef) -> bool:
    return ref.context_language not in (None, ref.language)


def _chosen(run: Path, route: str | None, seed: int | None, condition: str) -> list[_Submission]:
    """The cells of the run under a condition, of the models that were asked for."""
    if not (run / IDENTITY).exists() or not (run / "cells.parquet").exists():
        raise UserError("is no run folder with results", where=str(run), hint="name what `crosswind run` wrote")
    require_as_written(run, {"cells.parquet"})
    frame = parquet_file(run / "cells.parquet")
    if missing := [c for c in _COLUMNS if c not in frame.columns]:
        hint = "run the study again: what was computed is found"
        raise UserError(f"its table of cells lacks {', '.join(missing)}", where=str(run), hint=hint)
    rows = frame.select(_COLUMNS).unique(maintain_order=True).filter(~pl.col("selection").is_in(APART))
    for column, value, option in (("route", route, "--route"), ("pipeline_seed", seed, "--seed")):
        if value is not None:
            _require(value, rows[column].unique(), column.replace("_", " "), option)
            rows = rows.filter(pl.col(column) == value)
    _require(condition, rows["condition"].unique(), "condition", "--condition")
    thresholds = _thresholds(frame)
    return [
        _Submission(
            _model(row),
            row["target"],
            row["file"],
            row["rewrites"],
            DataRef.from_json(json.loads(row["ref"])),
            thresholds.get(row["file"]),
        )
        for row in rows.filter(pl.col("condition") == condition).iter_rows(named=True)
    ]


def _thresholds(frame: pl.DataFrame) -> dict[str, float]:
    """File of predictions -> the threshold that its metric fitted, of those that fitted one."""
    fitted = {}
    for file, facts in frame.select("file", "facts").iter_rows():
        signature = parse_signature(json.loads(facts).get("signature", ""))
        if (value := signature.get(f"fitted {THRESHOLD}")) is not None:
            fitted[file] = float(value)
    return fitted


def _require(value: object, known: Iterable[object], what: str, option: str) -> None:
    names = [*known]
    if value not in names:
        raise unknown(what, str(value), map(str, names), where=option)


def _model(row: Mapping[str, Any]) -> str:
    route = row["route"] if row["defence"] == "none" else f"{row['route']}@{row['defence']}"
    return f"{route}/{row['pipeline_seed']}"


def run_data(run: Path, data: Path | None) -> Library:
    """The data that the run's study names, or those in another folder."""
    return study_data(read_study(run / STUDY), data)


def study_data(study: Study, data: Path | None) -> Library:
    """The data that a study names, or those in another folder."""
    if data is not None:
        moved = study.data.model_copy(update={"source": "files", "root": data, "seed": None, "lines": None})
        study = study.model_copy(update={"data": moved})
    return library(own_settings(study, study.data.settings(), declare_tasks(study)))


def _write_language(
    cell: _Submission,
    official: Scoring,
    source: Library,
    run: Path,
    folder: Path,
    gold: Path | None,
    done: SubmissionExport,
) -> None:
    """Write the files of a task in a language: predictions below `folder`, labels below `gold`."""
    dataset = source.dataset(cell.ref)
    if cell.rewrites:
        dataset = replay_dataset(dataset, parquet_file(run / cell.rewrites)).dataset
    frame = read_table(run / cell.file, {"id": pl.String()})
    if SAME[TASKS[dataset.task].kind] not in frame.columns:
        what = f"has no column {SAME[TASKS[dataset.task].kind]} as a run writes it"
        raise UserError(what, where=str(run / cell.file), hint="run the study again")
    predictions = list(frame.iter_rows(named=True))
    ids = [str(row.pop("id")) for row in predictions]
    if ids != [e.id for e in dataset.examples]:
        what = f"its predictions of {official.name}, {cell.language} are of other items than the data hold now"
        raise UserError(what, where=str(run), hint="name the data that it evaluated with --data")
    name = f"{official.name}/test-{cell.language}{official.suffix}"
    if cell.threshold is not None:
        predictions = [{**p, "chosen": chosen_pairs(p, cell.threshold)} for p in predictions]
    submitted = [_submitted(p, dataset, official) for p in predictions]
    official.format.write(folder / name, dataset.examples, submitted, official.labels)
    if gold is not None:
        _write_gold(gold / name, dataset, official)
    for what, value, usual in (("rows", cell.ref.selection, "all"), ("split", cell.ref.split, "test")):
        if value != usual:
            done.notes.append(f"{official.name}: {what} {value}, under the official name test-LANGUAGE")


def _submitted(prediction: Prediction, dataset: Dataset, official: Scoring) -> Prediction:
    """A prediction as its format writes it: of a format of rows, the row of the first candidate in the pool."""
    if prediction.get("predicted", 0) < 0:
        raise UserError(
            f"a prediction of {official.name}, {dataset.language} is none of the task's classes",
            hint="the official files have no way to say so; the scripts would have to count it as wrong",
        )
    if not official.format.row_numbers or "predicted" in prediction:
        return prediction
    top = list(prediction["top"])
    assert dataset.pool is not None
    if not top or top[0] not in dataset.pool.index:
        raise UserError(
            f"a prediction of {official.name}, {dataset.language} names no row of the pool",
            hint="candidates that a perturbation added, and empty rankings, cannot stand in these files",
        )
    return {"predicted": dataset.pool.index[top[0]]}


def write_labels(folder: Path, dataset: Dataset, language: str) -> str | None:
    """Write the labels of a test set below a folder, where `crosswind score` reads them; why they are not, if so.

    They are those of XTREME-R, or else of the first benchmark that has the task in this language.
    """
    name = dataset.task
    declared = next(
        (b for b in (BENCHMARKS["xtreme-r"], *BENCHMARKS) if name in b.tasks and language in b.tasks[name].languages),
        None,
    )
    if declared is None:
        return f"{name} {language}: no benchmark has it, so that there are no labels for crosswind score"
    if not all(map(is_labelled, dataset.examples)):
        return f"{name} {language}: items without labels, so that there are none for crosswind score"
    official = scoring(declared, name)
    _write_gold(folder / name / f"test-{language}{official.suffix}", dataset, official)
    return None


def _write_gold(path: Path, dataset: Dataset, official: Scoring) -> None:
    """The labels of a data set in their official format: that of predictions, but for SQuAD's files."""
    if dataset.examples and isinstance(dataset.examples[0], SpanExample):
        write_submission(path, squad_file(dataset))
        return
    right = [_submitted(_gold(example), dataset, official) for example in dataset.examples]
    official.format.write(path, dataset.examples, right, official.labels)


def _gold(example: Example) -> Prediction:
    """The prediction that is right."""
    match example:
        case PairExample() | ChoiceExample():
            if example.label is None:
                raise _unlabelled(example)
            return {"predicted": example.label}
        case TaggingExample():
            if example.tags is None:
                raise _unlabelled(example)
            return {"tags": list(example.tags)}
        case QueryExample():
            return {"top": list(example.gold), "chosen": list(example.gold)}
        case SpanExample():
            return {"text": example.answer_texts[0] if example.answer_texts else ""}
        case _:
            assert_never(example)


def _unlabelled(example: Example) -> UserError:
    return UserError(f"{example.id} carries no gold label", where="--labels", hint="leave out --labels")
