"""The report of runs that are there: all that its page shows, gathered from the run folders alone."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from crosswind.analysis.claims import encoder_words, stated
from crosswind.analysis.curve_intervals import SUCCESS
from crosswind.analysis.official import official_scores
from crosswind.analysis.results import read_results, table
from crosswind.analysis.summary import Summary
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS
from crosswind.plain_yaml import parse_yaml, yaml_text
from crosswind.report.content import (
    ATTACKED_COLUMNS,
    CONTRASTS_FILE,
    CURVE_COLUMNS,
    CURVE_SUM_COLUMNS,
    LATER_COLUMNS,
    NATURAL_COLUMNS,
    NO_CURVE_SUMS,
    NO_TRANSFER,
    TRANSFER_COLUMNS,
    AuditRow,
    JudgedFile,
    ReportContent,
)
from crosswind.report.excluded import excluded_rows, known_faults
from crosswind.report.page import write_report
from crosswind.report.sections.natural import natural_remarks
from crosswind.report.spent import spent_remarks, untried_shares
from crosswind.study.about import read_about, read_audited
from crosswind.study.attacked import ATTACKED_TABLE
from crosswind.study.audit import REVIEWS, AuditedRun, Review
from crosswind.study.claim_file import claim_files
from crosswind.study.claim_names import KnownNames, require_claims
from crosswind.study.claimed import claims_unlike_kept, judged_by, named_claims, parameters_of
from crosswind.study.curves import CURVE_SUMS, CURVES
from crosswind.study.folder import STUDY, declared_late
from crosswind.study.joined import RunResults, facts_of, read_run, read_table
from crosswind.study.natural import NATURAL_TABLE
from crosswind.study.own import declare_tasks
from crosswind.study.sampled import read_sample
from crosswind.study.spec import read_study
from crosswind.study.traced import provenance_of
from crosswind.study.transfer_table import TRANSFER

_T = TypeVar("_T")
_PAGE = b"<!doctype html>"
_CURVES, _ATTACKED = pl.DataFrame(schema=CURVE_COLUMNS), pl.DataFrame(schema=ATTACKED_COLUMNS)
# What a row of either table is of, and its number of items: no row is without.
_CELL = ("route", "defence", "target", "language", "attack", "pipeline_seed", "budget", "n")
_NATURAL = tuple(name for name in NATURAL_COLUMNS if name != "distance")
_NOTHING = pl.DataFrame(schema=NATURAL_COLUMNS)
_AGAIN = "run the study again: what is there is found in the store"


def write_joined_report(run: RunResults, path: Path, *, latex: bool = False) -> Summary:
    """Write the page of a run, or of several joined; returns what it shows."""
    if path.is_dir():
        raise UserError("is a folder", where=str(path), hint="name a file with -o")
    _require_page(path)
    with suppress(UserError):  # The study's own data may have gone since: the page shows what the run kept.
        declare_tasks(read_study(run.paths[0] / STUDY))
    named = _named_files(run)
    require_claims(named, KnownNames.of_runs([run]))
    summary = run.summary()
    content = report_content(run, summary)
    write_report(path, content, latex=latex, table=not _has_table(run, path, summary))
    return _with_remarks(summary, content)


def _has_table(run: RunResults, page: Path, summary: Summary) -> bool:
    """Whether the page lies in the folder of its only run, whose table of contrasts is what the page shows."""
    folder = run.paths[0]
    there = folder / CONTRASTS_FILE
    if len(run.paths) > 1 or page.parent.resolve() != folder.resolve() or not there.is_file():
        return False
    with suppress(UserError):
        return read_table(there, {}).equals(summary.compared())
    return False


def _with_remarks(summary: Summary, content: ReportContent) -> Summary:
    """What a terminal shows: the summary with what the page says of attacks and of noise that people made."""
    remarks = (*spent_remarks(content.curves, content.attacked), *natural_remarks(content.natural))
    return replace(summary, notes=(*summary.notes, *remarks), untried=content.summary.untried)


def _named_files(run: RunResults) -> list[str]:
    """The files of claims that the study names, as far as they are still there."""
    return [name for name in named_claims(*run.paths) if name in claim_files() or os.path.exists(name)]


def _require_page(path: Path) -> None:
    """A `UserError` where the page would take the place of something else, such as a run's results."""
    if not path.exists():
        return
    begins = b""
    if path.is_file():
        with path.open("rb") as file:
            begins = file.read(len(_PAGE))
    if begins.lower() != _PAGE:
        raise UserError("is there, and no page", where=str(path), hint="name another file with -o")


def write_run_report(out: Path, summary: Summary, identity: Mapping[str, Any]) -> Summary:
    """Write the page of a run folder that has just been written; `identity` is what it is a run of. Returns what a
    terminal shows of it."""
    content = report_content(read_run(out, identity), summary)
    write_report(out / "report.html", content)
    return _with_remarks(summary, content)


def report_content(run: RunResults, summary: Summary) -> ReportContent:
    """All that the page of a run shows; what could not be had is named in its `missing`."""
    missing: list[str] = []
    about, notes = read_about(run.paths)
    facts = {**about, **facts_of(run)} if len(run.paths) > 1 or not about else about
    late = [note for folder in run.paths if (note := declared_late(folder))]
    steps = [note for of_row in run.rows["notes"].to_list() for note in of_row] if not about else []
    study = _study(run.paths[0])
    content = ReportContent(
        title=run.name,
        summary=summary,
        facts=facts,
        notes=tuple(dict.fromkeys([*late, *notes, *steps, *claims_unlike_kept(run.paths)])),
        official=tuple(official_scores(run.rows.filter(pl.col("score").is_not_null()))),
        excluded=tuple(excluded_rows(run.rows, _excluded(run.paths), run.analysed.headline)),
        faults=tuple(known_faults(dict.fromkeys(run.rows.select("target", "language").iter_rows()))),
        claims=_claims(run, summary, missing),
        audit=_audit(run, summary, study),
        curves=_made(
            lambda: _joined(run.paths, CURVES, CURVE_COLUMNS, (*_CELL, "control", "at", "score")),
            "attack curves",
            missing,
            _CURVES,
        ),
        curve_sums=_made(lambda: _curve_sums(run.paths, missing), "intervals of attack curves", missing, NO_CURVE_SUMS),
        attacked=_made(
            lambda: _joined(run.paths, ATTACKED_TABLE, ATTACKED_COLUMNS, _CELL), "attacks", missing, _ATTACKED
        ),
        transfer=_made(lambda: _transfer(run.paths), "transfer of adversarial examples", missing, NO_TRANSFER),
        natural=_made(
            # No model is in it: runs of several seeds have the same rows.
            lambda: _joined(run.paths, NATURAL_TABLE, NATURAL_COLUMNS, _NATURAL).unique("cells", maintain_order=True),
            "natural noise",
            missing,
            _NOTHING,
        ),
        examples=read_sample(run.paths),
        provenance=provenance_of(run),
        missing=tuple(missing),
    )
    return replace(content, summary=replace(summary, untried=untried_shares(content.attacked)))


def _made(make: Callable[[], _T], what: str, missing: list[str], nothing: _T) -> _T:
    try:
        return make()
    except UserError as error:
        missing.append(f"{what}: {error}".replace("\n", " "))
        return nothing


def _study(path: Path) -> Mapping[str, Any]:
    try:
        value = parse_yaml(yaml_text(path / STUDY, "study"), str(path / STUDY))
    except UserError:
        return {}
    return value if isinstance(value, Mapping) else {}


def _claims(run: RunResults, summary: Summary, missing: list[str]) -> tuple[JudgedFile, ...]:
    """The files of claims that the study names, judged; without any, the package's own."""

    def judged(name: str) -> tuple[JudgedFile, ...]:
        (file,) = require_claims([name], names)
        findings, published = judged_by(file, run, summary)
        encoder = str(run.identity.get("encoder", ""))
        words = encoder_words(encoder, parameters_of(run))
        statements = {x.claim.id: stated(x.claim, encoder, words) for x in findings}
        return (JudgedFile(file.name, file.summary, findings, published, statements),)

    names = KnownNames.of_runs([run])
    files = named_claims(*run.paths) or sorted(claim_files())
    nothing: tuple[JudgedFile, ...] = ()
    return tuple(x for name in files for x in _made(partial(judged, name), f"claims {name}", missing, nothing))


def _audit(run: RunResults, summary: Summary, study: Mapping[str, Any]) -> tuple[AuditRow, ...]:
    audited = AuditedRun(run, summary, study, read_audited(run.paths))
    return tuple(_review(review, audited) for review in REVIEWS)


def _review(review: Review, audited: AuditedRun) -> AuditRow:
    """What a review says; nothing where the run lacks what it looks at."""
    try:
        seen = review.look(audited)
    except UserError as error:
        return AuditRow(review.name, review.question, None, f"could not look: {error}".replace("\n", " "))
    return AuditRow(review.name, review.question, seen.passed, seen.evidence)


def _excluded(paths: Sequence[Path]) -> pl.DataFrame:
    frames = [read_results(p / "excluded.parquet") for p in paths if (p / "excluded.parquet").is_file()]
    return pl.concat(frames) if frames else table([])


def _joined(
    paths: Sequence[Path], name: str, columns: Mapping[str, pl.DataType], always: Collection[str]
) -> pl.DataFrame:
    """A table of each run that has it, one below the other; of older ones `LATER_COLUMNS` are not known.

    A `UserError` where one lacks a value of the columns `always`, or holds a number that is none.
    """
    whole = []
    for path in (p / name for p in paths if (p / name).is_file()):
        frame = read_table(path, columns, LATER_COLUMNS)
        frame = frame.select(c for c in columns if c in frame.columns)
        if empty := [c for c in always if frame[c].null_count()]:
            raise UserError(f"values are missing in {', '.join(empty)}", where=str(path), hint=_AGAIN)
        if odd := [c for c in frame.columns if frame[c].dtype == pl.Float64 and not _finite(frame[c])]:
            raise UserError(f"{', '.join(odd)} holds what is no number", where=str(path), hint=_AGAIN)
        whole.append(frame)
    return pl.concat([pl.DataFrame(schema=columns), *whole], how="diagonal")


def _curve_sums(paths: Sequence[Path], missing: list[str]) -> pl.DataFrame:
    """The sums of attack curves of the runs that have them, the others named in `missing`; a `UserError` where some are
    not what a run writes."""
    curves = [path for path in paths if (path / CURVES).is_file()]
    without = [str(path) for path in curves if not (path / CURVE_SUMS).is_file()]
    if 0 < len(without) < len(curves):
        missing.append(
            f"intervals of attack curves: {', '.join(without)} kept no sums by cluster, as older versions did, and a"
            " curve of several seeds needs those of each (run the study again: nothing is computed anew)"
        )
    made = _joined(paths, CURVE_SUMS, CURVE_SUM_COLUMNS, CURVE_SUM_COLUMNS)
    where = ", ".join(str(path / CURVE_SUMS) for path in paths)
    if unknown_names := sorted(set(made["statistic"]) - {SUCCESS, *METRICS.names()}):
        raise UserError(f"has curves of {', '.join(unknown_names)}", where=where, hint=_AGAIN)
    for row in made.select("statistic", "at", "clusters", "sums").iter_rows(named=True):
        width = 2 if row["statistic"] == SUCCESS else len(METRICS[row["statistic"]].columns)
        numbers = [*row["at"], *row["sums"]]
        whole = len(row["sums"]) == len(row["at"]) * len(row["clusters"]) * width > 0
        if not whole or None in row["clusters"] or not all(x is not None and math.isfinite(x) for x in numbers):
            raise UserError("has no sums for every point and cluster of a curve", where=where, hint=_AGAIN)
    return made


def _transfer(paths: Sequence[Path]) -> pl.DataFrame:
    """How adversarial examples transfer within each run; a `UserError` where a row is not what a run writes."""
    made = _joined(paths, TRANSFER, TRANSFER_COLUMNS, TRANSFER_COLUMNS)
    where = ", ".join(str(path / TRANSFER) for path in paths)
    for row in made.select("clusters", "sums", "broken", "transferred").iter_rows(named=True):
        sums, counts = row["sums"], (row["transferred"], row["broken"])
        if len(sums) != 2 * len(row["clusters"]) or (sum(sums[::2]), sum(sums[1::2])) != counts:
            raise UserError("has sums that are not those of its counts", where=where, hint=_AGAIN)
    return made


def _finite(column: pl.Series) -> bool:
    return bool(column.drop_nulls().is_finite().all())
