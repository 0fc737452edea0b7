"""The tidy table of results: one row a cell and metric key, in Parquet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crosswind.errors import UserError
from crosswind.run.folders import replacing

CLEAN = "clean"
NONE = "none"

TaskExposure = Literal["same-data", "same-task", "related", "none"]
LanguageExposure = Literal["labelled", "machine-translated", "unlabelled", "unseen"]
Familiarity = Literal["none", "in-family", "held-out"]
FAMILIARITIES: tuple[Familiarity, ...] = ("none", "in-family", "held-out")
TASK_EXPOSURES: tuple[TaskExposure, ...] = ("same-data", "same-task", "related", "none")
LANGUAGE_EXPOSURES: tuple[LanguageExposure, ...] = ("labelled", "machine-translated", "unlabelled", "unseen")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """One score. No field is ever missing: what does not apply is "none" or 0.

    `perturbation` is "clean" and `severity` 0 for the unperturbed test set; `rows` says which items
    of the split were scored ("all", "0-499", "200 by clusters"); `selection` what the checkpoint was chosen
    on ("english", "oracle": target-language development data, "last", "untuned"; "averaged": the mean of the
    last checkpoints' weights; "dev layer": the layer was chosen on development data); `attack` and its
    `budget` (queries an example) are "none" and 0 without attack; `exposure` is written by
    `exposure`. `metric` is the registered name (`squad`), `key` that of one of its scores (`f1`). `score`
    is in points, `n` counts items, `clusters` the units that are resampled, and `cell` is the key under
    which the items' statistics of this metric are found. `notes` say what steps behind it changed or left out.

    `familiarity` says of a model with a defence whether the condition is "in-family" (all that it draws from or
    searches is what the defence trained on or was made for) or "held-out"; "none" in clean rows and without a defence.

    `changed_items` and `changed_tokens` are the shares, in [0, 1], of the items whose text differs from the clean one
    and of the tokens that differ for the model's tokenizer; 0 in clean rows. Where too few items changed, the score is
    not applicable: `None`. `changed_sites` is the realised share of a severity: of the sites that were open to the
    perturbation, those that it changed (`perturb/realised.py`). It is `None` in clean rows, of joined perturbations, of
    natural noise and attacks, and in results of older versions.

    The other axes of damage: `words_hit` for each word of the originals (changed, moved, joined or put in), `edits` in
    characters for each text, `chrf` against the originals (100 is no change), and by how much the share of
    `unknown_tokens` grew for the model's tokenizer (`perturb/damage.py`, `evaluate/seen.py`).
    """

    encoder: str
    route: str
    pipeline_seed: int
    target: str
    language: str
    split: str
    metric: str
    key: str
    score: float | None
    n: int
    clusters: int
    signature: str
    cell: str
    context_language: str = ""
    defence: str = NONE
    rows: str = "all"
    selection: str = "english"
    perturbation: str = CLEAN
    severity: float = 0.0
    protection: str = NONE
    draw: int = 0
    attack: str = NONE
    budget: int = 0
    familiarity: Familiarity = "none"
    exposure: str = "none/unseen"
    notes: tuple[str, ...] = ()
    changed_items: float = 0.0
    changed_sites: float | None = None
    changed_tokens: float = 0.0
    words_hit: float = 0.0
    edits: float = 0.0
    chrf: float = 100.0
    unknown_tokens: float = 0.0


ROW: dict[str, pl.DataType] = {
    "encoder": pl.String(),
    "route": pl.String(),
    "pipeline_seed": pl.Int64(),
    "defence": pl.String(),
    "target": pl.String(),
    "language": pl.String(),
    "context_language": pl.String(),
    "split": pl.String(),
    "rows": pl.String(),
    "selection": pl.String(),
    "perturbation": pl.String(),
    "severity": pl.Float64(),
    "protection": pl.String(),
    "draw": pl.Int64(),
    "attack": pl.String(),
    "budget": pl.Int64(),
    "familiarity": pl.String(),
    "exposure": pl.String(),
    "metric": pl.String(),
    "key": pl.String(),
    "score": pl.Float64(),
    "n": pl.Int64(),
    "clusters": pl.Int64(),
    "changed_items": pl.Float64(),
    "changed_sites": pl.Float64(),
    "changed_tokens": pl.Float64(),
    "words_hit": pl.Float64(),
    "edits": pl.Float64(),
    "chrf": pl.Float64(),
    "unknown_tokens": pl.Float64(),
    "signature": pl.String(),
    "cell": pl.String(),
    "notes": pl.List(pl.String()),
}


_LATER = ("changed_sites",)
"""Columns that results of older versions lack, and that may be empty."""

SAME_AS_CLEAN = "~same"
"""What stands behind the key of a perturbed cell for the statistics of its consistency: whether each prediction equals
the clean one, and 1."""
CONSISTENCY = "consistency"
WHERE_RIGHT = "~right"
"""What stands behind the key of a perturbed cell for its statistics on the items that every system of its seed had
right when clean."""


@dataclass(frozen=True, eq=False)
class CellStats:
    """The statistics of a cell's items by one metric: `stats` `(items, k)`, the `clusters` `(items,)`
    they belong to, the registered `metric`, and the items' ids where a cell may cover a part of another's."""

    stats: NDArray[np.float64]
    clusters: tuple[str, ...]
    metric: str
    items: tuple[str, ...] = ()


def exposure(task: TaskExposure, language: LanguageExposure) -> str:
    """What the encoder has seen of a cell: this task, and labelled, machine-translated or raw text of its language."""
    return f"{task}/{language}"


def is_translate_train(exposure: str) -> bool:
    """Whether a cell is no zero-shot transfer: its task was trained on in its language, translated or not."""
    task, _, language = exposure.partition("/")
    return task in ("same-data", "same-task") and language in ("labelled", "machine-translated")


def table(rows: Iterable[ResultRow]) -> pl.DataFrame:
    """The rows as a table with the columns `ROW`, in canonical order."""
    names = [f.name for f in fields(ResultRow)]
    values = [{name: getattr(row, name) for name in names} for row in rows]
    frame = pl.DataFrame(values, schema={name: ROW[name] for name in names})
    return validate_results(frame.select(ROW.keys())).sort(*_IDENTITY)


def write_results(rows: Iterable[ResultRow] | pl.DataFrame, path: Path) -> pl.DataFrame:
    """Write the rows as Parquet, beside and then renamed into place; returns the table."""
    frame = validate_results(rows).sort(*_IDENTITY) if isinstance(rows, pl.DataFrame) else table(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        frame.write_parquet(draft)
    return frame


def read_results(path: Path) -> pl.DataFrame:
    """Read a table of results; a `UserError` if the file is none."""
    try:
        frame = pl.read_parquet(path)
    except FileNotFoundError:
        raise UserError("no such results", where=str(path), hint="`crosswind run` writes them") from None
    except pl.exceptions.PolarsError as error:
        raise UserError(f"not a Parquet file ({error})", where=str(path), hint="run the study again") from None
    return validate_results(frame, where=str(path))


def validate_results(frame: pl.DataFrame, where: str | None = None) -> pl.DataFrame:
    """The table itself, if its columns are `ROW`, nothing is missing and no result is there twice."""
    frame = frame.with_columns(pl.lit(None, ROW[c]).alias(c) for c in _LATER if c not in frame.columns)
    if missing := [c for c in ROW if c not in frame.columns]:
        raise UserError(f"these results lack {', '.join(missing)}", where=where, hint="another version wrote them")
    frame = frame.select(ROW.keys())
    wrong = [f"{c} is {frame.schema[c]}, not {t}" for c, t in ROW.items() if frame.schema[c] != t]
    if wrong:
        raise UserError("; ".join(wrong), where=where, hint="another version wrote these results")
    scored = frame.filter((pl.col("perturbation") == CLEAN) & (pl.col("attack") == NONE))  # others may be n/a
    filled = [c for c in ROW if c not in _LATER]
    if empty := [c for c in filled if (scored if c == "score" else frame)[c].null_count()]:
        raise UserError(f"values are missing in {', '.join(empty)}", where=where)
    if odd_numbers := [c for c, t in ROW.items() if t == pl.Float64() and not frame[c].drop_nulls().is_finite().all()]:
        raise UserError(f"{', '.join(odd_numbers)} holds what is no number", where=where, hint="run the study again")
    if bad := sorted({e for e in frame["exposure"].unique() if not _is_exposure(e)}):
        raise UserError(f"{bad[0]!r} is no exposure", where=where, hint="write it as same-task/labelled")
    if odd := sorted(set(frame["familiarity"].unique()) - set(FAMILIARITIES)):
        raise UserError(f"{odd[0]!r} is no familiarity", where=where, hint=f"it is one of {', '.join(FAMILIARITIES)}")
    twice = frame.filter(pl.struct(_IDENTITY).is_duplicated())
    if len(twice):
        first = twice.row(0, named=True)
        raise UserError(
            f"two results for {first['route']}, {first['target']}, {first['language']}, {first['perturbation']}"
            f" ({first['metric']} {first['key']}, pipeline seed {first['pipeline_seed']}, draw {first['draw']})",
            where=where,
        )
    return frame


def _is_exposure(text: str) -> bool:
    task, _, language = text.partition("/")
    return task in TASK_EXPOSURES and language in LANGUAGE_EXPOSURES


_FOUND = (
    *("familiarity", "exposure", "score", "n", "clusters", "changed_items", "changed_tokens", "signature", "cell"),
    *("changed_sites", "notes"),
)
_IDENTITY = [c for c in ROW if c not in _FOUND]
