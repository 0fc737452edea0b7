"""The run folder: it holds exactly the cells of the study as it now stands, and suffices without the store.

run.json            name and id of the study, written first
left_out.parquet    cells that are in no mean, with the reason
cells.parquet       a row a cell and metric: what it is, its scores and facts
sums/…              the statistics of each cell, summed by cluster
right/…             those of perturbed cells on the items that all routes had right when clean
predictions/…       every prediction
rewrites/…          what was changed in the texts; `…-added.parquet` what was added to a pool
provenance.parquet  what made each step: versions, processor, seconds, peak memory
costs.parquet       what each defence took of training and predicting, where a study has several
analysis.json       what the statistics need besides: order of routes, chance, what is compared and declared
excluded.parquet    scores without the items of exclusion lists, where a target has one
attacks.parquet     how right attacked test sets are within so many queries, where something was attacked
attack_sums.parquet the statistics of these curves, summed by cluster, which their intervals are made of
transfer.parquet    how adversarial examples of each model do on all others, where an attack has `transfer: true`
attacked.parquet    what each attack did: scores, success, gain over its control, queries, edits, spaces exhausted
natural.parquet     noise that people made (twins) beside drawn noise: types of edits, distance, damage
about.json          facts and notes of the page        examples.json  a sample of perturbed examples, with their texts
claims/…            the files of claims of the user's own that the study names, as they were
figures/…           the figures of the page as SVG, their data as CSV
benchmarks.parquet  the scores of benchmarks as their own scripts average them, where a task is one of theirs
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from filelock import FileLock, Timeout

from crosswind import __version__
from crosswind.analysis.condition import APART
from crosswind.errors import UserError
from crosswind.plain_yaml import dump_yaml, parse_yaml, yaml_text
from crosswind.run.folders import ANOTHER, FULL, SEAL, check_writable, file_hash, read_sealed, replacing, write_sealed
from crosswind.run.step import digest
from crosswind.study.claim_file import claim_files
from crosswind.study.encoders import parameter_count
from crosswind.study.planned import Cell
from crosswind.study.spec import CompareSpec, Study

IDENTITY = "run.json"
STUDY = "study.yaml"
CLAIMS = "claims"
COSTS = "costs.parquet"
TABLE_HASHES = "logs/tables.json"  # the SHA-256 of each table of the folder
RESULTS = (
    "results.parquet",
    "cells.parquet",
    "summary.parquet",
    "contrasts.parquet",
    "benchmarks.parquet",
    "excluded.parquet",
    "left_out.parquet",
    COSTS,
    "attacks.parquet",
    "attack_sums.parquet",
    "attacked.parquet",
    "transfer.parquet",
    "natural.parquet",
    "analysis.json",
    "about.json",
    "examples.json",
    "report.html",
)
PARTS = ("predictions", "rewrites", "sums", "right")  # folders whose files are those of the present cells and no others


# The keys that say who asks and where things lie.
_NO_QUESTION = (
    *("seeds", "lexicons", "words", "keep", "notes", "name", "claims"),
    *("encoder", "predictions", "revision", "trust_remote_code"),
)


def study_id(study: Study) -> str:
    """The hash of what a study asks, without its seeds, its encoder and places, in hex."""
    return digest(_question(json.loads(study.model_dump_json(exclude_defaults=True))))


def asked_otherwise(run: Path, other: Path) -> list[str]:
    """The keys in which the studies of two run folders ask different things; none where one cannot be read."""
    asked = []
    for path in (run, other):
        try:
            value = parse_yaml(yaml_text(path / STUDY, "study"), str(path / STUDY))
        except UserError:
            return []
        asked.append(_question(value))
    one, two = asked
    return sorted(key for key in {*one, *two} if one.get(key) != two.get(key))


def _question(study: Mapping[str, Any]) -> Any:
    return _without_roots({key: value for key, value in study.items() if key not in _NO_QUESTION})


def _without_roots(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_roots(v) for k, v in value.items() if k != "root"}
    return [_without_roots(v) for v in value] if isinstance(value, list) else value


@contextmanager
def open_folder(out: Path, study: Study, encoder: str) -> Iterator[None]:
    """Held while a run writes into its folder, which is new, empty or this study's, of the same encoder.

    A `UserError` for any other folder, for one that cannot be written and where another run holds it; a full disk is
    an OSError. A new folder is removed again where not even its first files can be written.
    """
    check_out(out, study.name)
    earlier = _identity(out).get("encoder", encoder)
    if earlier != encoder:
        raise UserError(f"holds the run of another encoder, {earlier!r}", where=str(out), hint=ANOTHER)
    with _locked(out):
        try:
            _write_identity(out, study, encoder)
        except OSError as error:
            raise _refused(error, out) from error
        yield


def _write_identity(out: Path, study: Study, encoder: str) -> None:
    text = dump_yaml(json.loads(study.model_dump_json(exclude_unset=True)))
    identity: dict[str, Any] = {"name": study.name, "encoder": encoder, "study": study_id(study)}
    identity |= {"crosswind": __version__, "compare": _declared(study, out), "parameters": encoder_size(study)}
    try:
        write_sealed(out / IDENTITY, identity)
        with replacing(out / STUDY) as draft:
            draft.write_text(text, encoding="utf-8")
        _keep_claims(study, out)
    except OSError:
        if not (out / STUDY).exists():
            shutil.rmtree(out, ignore_errors=True)
        raise


def _keep_claims(study: Study, out: Path) -> None:
    """The user's own files of claims beside the results: a run is read from other folders and machines too."""
    files = {
        kept_claims(out, number, name): Path(name).read_bytes()
        for number, name in enumerate(study.claims)
        if name not in claim_files() and os.path.isfile(name)
    }
    shutil.rmtree(out / CLAIMS, ignore_errors=True)
    for kept, text in files.items():
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(text)


def kept_claims(out: Path, number: int, name: str) -> Path:
    """Where a run folder keeps the file of claims which its study names as this one, counted from 0."""
    return out / CLAIMS / f"{number}-{Path(name).name}"


def encoder_size(study: Study) -> int | None:
    """The number of parameters of a study's encoder, where its files are at hand."""
    return parameter_count(study.encoder) if isinstance(study.encoder, str) and not study.predictions else None


def _declared(study: Study, out: Path) -> dict[str, Any]:
    """The comparisons that a study declares, and those that it declared before, if results were there already."""
    now = study.compare.model_dump(mode="json")
    earlier = _identity(out).get("compare")
    if not isinstance(earlier, dict) or not (out / "results.parquet").exists():
        return now
    # What an older version did not know of was not declared, so it is as it is without being declared.
    unsaid = CompareSpec().model_dump(mode="json")
    changed = {**unsaid, **{k: v for k, v in earlier.items() if k != "declared before"}} != now
    first = earlier.get("declared before", earlier if changed else None)
    return now if first is None else {**now, "declared before": first}


def declared_late(out: Path) -> str | None:
    """A note where the comparisons were changed when results of the run were there already."""
    value = _identity(out).get("compare")
    if not isinstance(value, dict) or "declared before" not in value:
        return None
    return "What is compared was declared anew when results were there already (run.json has what was declared first)."


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    logs = out / "logs"
    try:
        logs.mkdir(parents=True, exist_ok=True)
        lock = FileLock(logs / "lock").acquire(timeout=0)
    except Timeout:
        hint = f"wait for it, or {ANOTHER}"
        raise UserError("another run writes into this folder", where=str(out), hint=hint) from None
    except OSError as error:
        raise _refused(error, out) from error
    with lock:
        yield


def _refused(error: OSError, out: Path) -> Exception:
    """What a disk refuses to everybody stays as it is; the rest is a mistake that the user can mend."""
    if error.errno in FULL:
        return error
    where = str(error.filename or out)
    return UserError(f"cannot be written ({error.strerror})", where=where, hint=ANOTHER)


def clear(out: Path) -> None:
    """Remove the results of a run: its study stands now otherwise, and no cell of it is there."""
    for part in (*PARTS, "figures"):
        shutil.rmtree(out / part, ignore_errors=True)
    for name in RESULTS:
        (out / name).unlink(missing_ok=True)


def check_out(out: Path, name: str | None = None) -> None:
    """A run folder must be new, empty or a run's, of a study of this name, and can be written; else a `UserError`."""
    try:
        check_writable(out)
        if not out.is_dir() or all(_is_first(entry) for entry in out.iterdir()):
            return
    except OSError as error:
        raise UserError(f"cannot be a run folder ({error.strerror})", where=str(out), hint=ANOTHER) from error
    for entry in RESULTS:
        if (out / entry).is_dir():
            hint = f"move it away, or {ANOTHER}"
            raise UserError("is a folder where the run writes a file", where=str(out / entry), hint=hint)
    # A folder with a study file alone may be where somebody keeps studies.
    if not (out / IDENTITY).exists() and not ((out / STUDY).exists() and (out / "logs").is_dir()):
        raise UserError("is a folder of something else", where=str(out), hint="name a new folder with --out")
    earlier = _identity(out).get("name")
    if name is not None and earlier is not None and earlier != name:
        hint = f"name a folder for {name!r} with --out"
        raise UserError(f"holds the run of another study, {earlier!r}", where=str(out), hint=hint)


def _is_first(path: Path) -> bool:
    """Whether a path of a run folder is what a run makes before `run.json`: it was killed there."""
    if path.name == "logs" and path.is_dir():
        return all(entry.name == "lock" for entry in path.iterdir())
    return path.name.startswith(f".{IDENTITY}.")


def run_identity(out: Path) -> Mapping[str, Any]:
    """`name`, `encoder` and `study` of a run folder; a `UserError` where it is none."""
    identity = _identity(out) if out.is_dir() else {}
    if "name" not in identity or not (out / STUDY).is_file():
        raise UserError("is no run folder", where=str(out), hint="name what `crosswind run --out` wrote")
    return identity


def _identity(out: Path) -> Mapping[str, Any]:
    """What a run folder is of: by `run.json` or, where that is damaged, its name by the study file."""
    sealed = read_sealed(out / IDENTITY)
    if sealed is not None:
        return sealed
    plain = _mapping(out / IDENTITY)
    if plain and SEAL not in plain:
        return plain  # written before there were checksums
    try:
        value = parse_yaml(yaml_text(out / STUDY, "study"), str(out / STUDY))
    except UserError:
        return {}
    return {"name": value["name"]} if isinstance(value.get("name"), str) else {}


class Tables:
    """The tables of a run folder that a later call takes over: only while they are, byte for byte, as written."""

    def __init__(self, out: Path) -> None:
        self._out, self._path = out, out / TABLE_HASHES
        self._hashes: dict[str, str] = _mapping(self._path)
        self._now: dict[str, str] = {}

    def write(self, frame: pl.DataFrame, relative: str) -> None:
        """Write a table as Parquet, beside and then renamed into place."""
        path = self._out / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        if Path(relative).parts[0] in PARTS:
            _clear_way(path)
        with replacing(path) as draft:
            frame.write_parquet(draft)
        self.note(relative)

    def note(self, relative: str) -> None:
        """Remember a table that lies there as this call wrote it."""
        self._now[relative] = file_hash(self._out / relative)

    def read(self, relative: str) -> pl.DataFrame | None:
        """A table that an earlier call wrote; `None` where there is none, or another one."""
        path = self._out / relative
        try:
            if self._hashes.get(relative) != file_hash(path):
                return None
            frame = pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError):
            return None
        self._now[relative] = self._hashes[relative]
        return frame

    def save(self) -> None:
        """Remember the hashes of what was written and taken over."""
        with replacing(self._path) as draft:
            draft.write_text(json.dumps(self._now, separators=(",", ":")), encoding="utf-8")


def _mapping(path: Path) -> dict[str, Any]:
    """A JSON object of ours; an empty one where there is none that can be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def prediction_path(cell: Cell) -> str:
    """`predictions/ROUTE/SEED/TARGET/LANGUAGE/CONDITION.parquet`; a defence stands behind the route."""
    return f"predictions/{_model_path(cell)}/{cell.target}/{_language(cell)}/{condition_name(cell)}.parquet"


def rewrite_path(cell: Cell) -> str:
    """`rewrites/TARGET/LANGUAGE/CONDITION.parquet`: every model reads the same; of an attack behind its model."""
    if cell.condition.attack != "none":
        return f"rewrites/{_model_path(cell)}/{cell.target}/{_language(cell)}/{condition_name(cell)}.parquet"
    return f"rewrites/{cell.target}/{_language(cell)}/{condition_name(cell)}.parquet"


def added_path(cell: Cell) -> str:
    """Beside its rewrites, `CONDITION-added.parquet`: the candidates that the condition adds to a pool."""
    return rewrite_path(cell).removesuffix(".parquet") + "-added.parquet"


def sums_path(cell: Cell) -> str:
    """`sums/ROUTE/SEED/TARGET.parquet`: per-cluster sums of all its cells."""
    return f"sums/{_model_path(cell)}/{cell.target}.parquet"


def condition_name(cell: Cell) -> str:
    """`clean`, `keyboard-0.1-none-draw1`: the condition as a file's name."""
    condition = cell.perturbation
    if not cell.condition.clean:
        short = f"{cell.severity:g}"
        severity = short if float(short) == cell.severity else repr(cell.severity)
        condition += f"-{severity}-{cell.protection}-draw{cell.draw}"
        if cell.condition.attack != "none":
            condition += f"-{cell.condition.attack}-{cell.condition.budget}"
    if cell.selection in APART:
        condition += f"-{cell.selection.replace(' ', '-')}"
    return "".join(c if c.isalnum() or c in "-_.+=,()" else "_" for c in condition)


def _model_path(cell: Cell) -> str:
    route = cell.route if cell.defence == "none" else f"{cell.route}@{cell.defence}"
    return f"{route}/{cell.seed}"


def _language(cell: Cell) -> str:
    context = getattr(cell.data, "context_language", None)
    return f"{context}-{cell.data.language}" if context and context != cell.data.language else cell.data.language


class Copies:
    """Files of the run folder that are copies of artifacts: copied once, found again by size and time."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._path = out / "logs" / "copied.json"
        self._seen: dict[str, Any] = _mapping(self._path)
        self._now: dict[str, list[Any]] = {}

    def add(self, relative: str, key: str, source: Callable[[], Path]) -> None:
        """Have a copy of an artifact's file at a path of the run folder; `source` is asked where there is none."""
        look = _look(f"{self._out}{os.sep}{relative}")
        if not look or self._seen.get(relative) != [key, *look]:
            target = self._out / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            _clear_way(target)
            with replacing(target, durable=False) as draft:
                shutil.copyfile(source(), draft)
            look = _look(str(target))
        self._now[relative] = [key, *look]

    def finish(self, others: Iterable[str] = ()) -> None:
        """Remove the files of cells that are no longer wanted; `others` are wanted files that are no copies."""
        wanted = {os.path.join(self._out, *path.split("/")) for path in (*self._now, *others)}
        for part in PARTS:
            for folder, _, names in os.walk(self._out / part, topdown=False):
                for name in names:
                    if (path := os.path.join(folder, name)) not in wanted:
                        os.unlink(path)
                if not any(os.scandir(folder)):
                    os.rmdir(folder)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self._path) as draft:
            draft.write_text(json.dumps(self._now, separators=(",", ":")), encoding="utf-8")


def _clear_way(path: Path) -> None:
    """Remove a folder where a file of `PARTS` goes: as of files, there is nothing in them but what a run writes."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)


def _look(path: str) -> list[int]:
    try:
        stat = os.stat(path)
    except OSError:
        return []
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def rows_by_key(frame: pl.DataFrame | None, column: str) -> Mapping[str, dict[str, Any]]:
    """The rows of an earlier table by one of its columns."""
    if frame is None or column not in frame.columns:
        return {}
    return {row[column]: row for row in frame.iter_rows(named=True)}


def consistency_frame(predictions: pl.DataFrame, statistics: pl.DataFrame) -> pl.DataFrame | None:
    """By id and cluster, whether a prediction equals the clean one (`same`), and 1; `None` where nothing says so."""
    if "same" not in predictions.columns or predictions["same"].null_count():
        return None
    joined = statistics.select("id", "cluster").unique().join(predictions.select("id", "same"), on="id")
    if joined.height != predictions.height:
        return None
    return joined.with_columns(pl.col("same").cast(pl.Float64), pl.lit(1.0).alias("n"))


def sums_frame(entries: Sequence[tuple[str, pl.DataFrame]]) -> pl.DataFrame:
    """Statistics by cluster of several cells: columns cell, cluster, sums (a list of numbers)."""
    frames = []
    for key, statistics in entries:
        columns = [c for c in statistics.columns if c not in ("id", "cluster")]
        by_cluster = statistics.group_by("cluster", maintain_order=True).agg(pl.col(columns).sum())
        numbers = pl.concat_list([pl.col(c).cast(pl.Float64) for c in columns])
        frames.append(by_cluster.select(pl.lit(key).alias("cell"), "cluster", numbers.alias("sums")))
    return pl.concat(frames)
