"""What the command line reads and prints: forecasts, ends of runs, tables, lines of text."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from crosswind.errors import UserError

if TYPE_CHECKING:
    from crosswind.perturb.lines import ArrivingLines
    from crosswind.run.step import Step
    from crosswind.study.run import Finished, Forecast


def print_forecast(expected: Forecast, *, verbose: bool = False) -> None:
    """The steps by kind (`verbose`: every one), whether they are to run, and what the run would leave out."""
    from crosswind.analysis.left_out import left_out_lines

    plan, missing = expected.plan, set(expected.missing)
    if verbose:
        rows = []
        for key, step in plan.graph.items():
            state = "to run" if key in missing else "cached"
            rows.append((state, step.kind, step.label, f"{step.cost / 1000:,.0f}", key[:12]))
        print_table(("state", "step", "what", "k tokens", "key"), rows)
    else:
        print_table(("step", "to run", "of", "k tokens"), _steps_by_kind(plan.graph, missing))
    kinds: dict[str, list[str]] = {}
    for key in expected.missing:
        kinds.setdefault(plan.graph[key].kind, []).append(key)
    parts = [f"{len(keys)} {kind}" for kind, keys in kinds.items()] or ["nothing"]
    tokens = sum(plan.graph[k].cost for k in expected.missing)
    print(f"to run: {', '.join(parts)}; about {tokens / 1e6:,.1f} M tokens of forward passes (training counts thrice)")
    print(f"cached or not needed: {len(plan.graph) - len(missing)} steps; cells: {len(plan.cells)}")
    for note in plan.notes:
        print_line(f"note: {note}")
    for line in left_out_lines(plan.left_out):
        print_line(f"left out: {line}")


def _steps_by_kind(graph: Mapping[str, Step], missing: Set[str]) -> list[tuple[str, str, str, str]]:
    """Of each kind of step: how many are to run, how many there are, and the work of those to run."""
    table = []
    for kind in dict.fromkeys(step.kind for step in graph.values()):
        every = [key for key, step in graph.items() if step.kind == kind]
        run = [key for key in every if key in missing]
        work = sum(graph[key].cost for key in run) / 1000
        table.append((kind, f"{len(run):,}", f"{len(every):,}", f"{work:,.0f}"))
    return table


def print_finished(finished: Finished, *, folder: bool = True, verbose: bool = False) -> None:
    """The answer and a small table (`verbose`: the long one), notes and the paths of a run; its exit code."""
    from crosswind.report.brief import render_brief
    from crosswind.report.terminal import render_terminal

    if finished.summary is not None:
        width = os.get_terminal_size().columns if sys.stdout.isatty() else 120
        render = render_terminal if verbose else render_brief
        print(render(finished.summary, width=max(width, 80), colour=sys.stdout.isatty()), flush=True)
    for line in finished.benchmarks if verbose else finished.brief:
        print_line(line)
    outcome = finished.outcome
    for note in (*finished.plan.notes, *finished.notes):
        print_line(f"note: {note}", err=True)
    cached = set(outcome.cached)
    cells = sum(cell.key in cached for cell in finished.plan.cells)
    there = len(outcome.there)
    print(f"computed {len(outcome.done)} steps, found {there}, among them {cells} cells", file=sys.stderr)
    if folder and finished.summary is not None:
        print(f"results: {finished.out}/results.parquet   report: {finished.out}/report.html", file=sys.stderr)
    end_with(finished)


def end_with(finished: Finished) -> None:
    """Say what failed, and end with 2 if only mistakes of the user's did, with 1 if anything else did."""
    outcome = finished.outcome
    if outcome.complete:
        return
    for key, failure in outcome.failed.items():
        print(f"failed: {finished.plan.graph[key].label}: {failure.message}", file=sys.stderr)
    if outcome.skipped:
        print(f"not run: {len(outcome.skipped)} steps that need these", file=sys.stderr)
    raise typer.Exit(2 if outcome.mistaken else 1)


def json_rows(finished: Finished) -> list[dict[str, Any]]:
    """The result rows of this run, and those that it left out; never those of an earlier one in the same folder."""
    from crosswind.analysis.results import ROW, read_results

    if finished.summary is None:
        return []
    rows = read_results(finished.out / "results.parquet").to_dicts()
    for part in finished.summary.left_out:
        if part.cause in ("no data", "not applicable", "not computed"):  # the others have rows
            known = {name: getattr(part, name) for name in ROW if hasattr(part, name)}
            rows.append({**dict.fromkeys(ROW), **known, "left_out": part.reason})
    return rows


def json_benchmarks(finished: Finished) -> list[dict[str, Any]]:
    """The scores of benchmarks of this run, the rows of its `benchmarks.parquet`."""
    import polars as pl

    path = finished.out / "benchmarks.parquet"
    return pl.read_parquet(path).to_dicts() if finished.summary is not None and path.exists() else []


def short_value(value: Any) -> str:
    """A value as a cell of a table."""
    if isinstance(value, list | tuple):
        text = " ".join(map(str, value))
        return text if len(text) <= 60 else f"{len(value)}: {text[:50]}…"
    return str(value)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned columns, plain enough for grep and cut; what a terminal would obey is written out."""
    from crosswind.report.inert import inert

    lines = [[inert(str(value), _LONGEST_CELL) for value in row] for row in [columns, *rows]]
    widths = [max((len(line[i]) for line in lines), default=0) for i in range(len(columns))]
    for line in lines:
        print("  ".join(value.ljust(w) for value, w in zip(line, widths, strict=True)).rstrip())


_LONGEST_CELL = 10_000  # characters of a cell of a table


def print_line(text: str, *, err: bool = False) -> None:
    """A line that may hold what a file says: what a terminal would obey is written out."""
    from crosswind.report.inert import inert

    print(inert(text, _LONGEST_CELL), file=sys.stderr if err else sys.stdout, flush=True)


@contextmanager
def lines_in(path: Path | None, *, skip: bool = False) -> Iterator[ArrivingLines]:
    """The lines of a file, or of standard input, as they come, each with its end; `skip` as of `ArrivingLines`."""
    from crosswind.perturb.lines import ArrivingLines
    from crosswind.reading import opened

    if path is None or str(path) == "-":
        yield ArrivingLines(sys.stdin.buffer, "standard input", skip=skip)
        return
    with opened(path) as file:
        yield ArrivingLines(file, str(path), skip=skip)


@contextmanager
def lines_out(path: Path | None) -> Iterator[Callable[[bytes], object]]:
    """What writes bytes to a file, which appears when all is written, or to standard output."""
    if path is None or str(path) == "-":
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    from crosswind.run.folders import replacing

    with replacing(path, durable=False) as draft:
        try:
            file = draft.open("wb")
        except OSError as error:
            raise UserError(f"cannot be written ({error.strerror})", where=str(path)) from error
        with file:
            yield file.write
        if path.is_dir():
            raise UserError("is a folder", where=str(path), hint="name a file with -o")


def use_utf8() -> None:
    """Text is UTF-8 on the standard streams, whatever the locale and PYTHONIOENCODING say."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # file names may be no Unicode
