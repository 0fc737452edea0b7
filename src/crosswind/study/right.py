"""What is left on the items that every system had right when clean: kept by cluster, a file a seed and target.

Of one pipeline seed all routes and defences are in one run, so that the items are known without the other seeds' runs.
A file's name holds a digest of what it was made from: it stands as long as no cell of it changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from crosswind.analysis.condition import APART
from crosswind.analysis.results import WHERE_RIGHT
from crosswind.evaluate.metrics.base import METRICS, Metric
from crosswind.run.step import digest
from crosswind.run.store import Store
from crosswind.study.folder import Tables, sums_frame
from crosswind.study.planned import Cell
from crosswind.tasks.refs import DataRef

RIGHT = "right"
"""The folder of a run that has these files."""


def right_ids(statistics: pl.DataFrame, metric: Metric) -> set[str]:
    """The items whose own score is the best that there is: 100, or 0 where a lower score is better."""
    sums = statistics.select(metric.columns).to_numpy().astype(np.float64)
    with np.errstate(all="ignore"):
        scores = metric.function()(sums)
    best = 100.0 if metric.better == "higher" else 0.0
    return set(statistics["id"].filter(pl.Series(np.isclose(scores, best))))


def right_paths(cells: Sequence[Cell]) -> Mapping[str, str]:
    """The file of each perturbed cell's judge step, relative to the run folder."""
    paths: dict[str, str] = {}
    for (seed, target), members in _groups(cells).items():
        name = digest(sorted(cell.judged[0][1] for cell in members))[:12]
        noisy = [cell for cell in members if not cell.condition.clean]
        paths |= {cell.judged[0][1]: f"{RIGHT}/{seed}/{target}-{name}.parquet" for cell in noisy}
    return paths


def write_right(cells: Sequence[Cell], store: Store, tables: Tables) -> dict[str, str]:
    """Write the files that are not there; the path of every cell that has such statistics."""
    written: dict[str, str] = {}
    by_path: dict[str, list[Cell]] = {}
    wanted = right_paths(cells)
    for cell in cells:
        if cell.judged[0][1] in wanted and not cell.condition.clean:
            by_path.setdefault(wanted[cell.judged[0][1]], []).append(cell)
    for path, noisy in by_path.items():
        frame = tables.read(path)
        if frame is None:
            members = _groups(cells)[noisy[0].seed, noisy[0].target]
            entries = [*_entries(members, store)]
            if not entries:
                continue
            frame = sums_frame(entries)
            tables.write(frame, path)
        written |= {key.removesuffix(WHERE_RIGHT): path for key in frame["cell"].unique()}
    return written


def _groups(cells: Sequence[Cell]) -> dict[tuple[int, str], list[Cell]]:
    groups: dict[tuple[int, str], list[Cell]] = {}
    for cell in cells:
        usual = cell.selection not in APART and cell.condition.attack == "none" and not cell.excluded
        if usual and not METRICS[cell.judged[0][0]].sparse:
            groups.setdefault((cell.seed, cell.target), []).append(cell)
    return groups


def _entries(cells: Sequence[Cell], store: Store) -> Iterator[tuple[str, pl.DataFrame]]:
    """The statistics of perturbed cells on the items that all clean cells of the same test set have right."""
    metric = METRICS[cells[0].judged[0][0]]
    sets: dict[DataRef, list[Cell]] = {}
    for cell in cells:
        sets.setdefault(cell.data.undrawn, []).append(cell)
    for members in sets.values():
        right = [right_ids(_statistics(store, c), metric) for c in members if c.condition.clean]
        common = set.intersection(*right) if right else set()
        for cell in members if common else ():
            if not cell.condition.clean:
                kept = _statistics(store, cell).filter(pl.col("id").is_in(list(common)))
                if len(kept):
                    yield cell.judged[0][1] + WHERE_RIGHT, kept


def _statistics(store: Store, cell: Cell) -> pl.DataFrame:
    return pl.read_parquet(store.path(cell.judged[0][1]) / "statistics.parquet")
