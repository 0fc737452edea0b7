"""How long it takes to look at a finished run again: check every artifact, collect, summarise.

    python benchmarks/recheck.py --seeds 2 --severities 20

Fills a store with small artifacts for every wanted step of the study of `benchmarks/scale.py`, and collects it twice:
the first time everything is hashed and copied, the second time it is only looked at. Prints CPU seconds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import polars as pl

from crosswind.evaluate.metrics.base import METRICS
from crosswind.run.checked import Checked
from crosswind.run.demand import needed
from crosswind.run.store import Store
from crosswind.study import collect as collecting
from crosswind.study.folder import open_folder
from crosswind.study.plan import make_plan
from crosswind.study.planned import Plan
from crosswind.study.spec import parse_study
from scale import LANGUAGES, STUDY

ITEMS = 20  # of each cell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--severities", type=int, default=20)
    arguments = parser.parse_args()
    severities = ",".join(f"{(i + 1) / 100:g}" for i in range(arguments.severities))
    seeds = list(range(1, arguments.seeds + 1))
    study = parse_study(STUDY.format(seeds=seeds, languages=LANGUAGES, severities=severities))
    plan = make_plan(study)
    with tempfile.TemporaryDirectory() as scratch, patch("os.fsync"):
        store, out = Store(Path(scratch) / "store"), Path(scratch) / "run"
        _timed("artifacts made", lambda: _fill(plan, store))
        open_folder(out, study, plan.encoder)
        for turn in ("first", "second"):
            store = Store(Path(scratch) / "store")
            store.watch(Checked(out / "logs" / "checked.json"))
            _timed(f"{turn}: checked", lambda store=store: needed(plan.graph, plan.wanted, store, verify=True))
            # The bootstrap is the same work every time and no part of this.
            with patch.object(collecting, "summarise", side_effect=_Enough):
                _timed(f"{turn}: collected", lambda store=store: _until_enough(study, plan, store, out))
            store.checked.save()
    print(f"{len(plan.cells):,} cells, {len(plan.wanted):,} artifacts")


class _Enough(Exception):  # noqa: N818
    pass


def _until_enough(*arguments: object) -> None:
    try:
        collecting.collect(*arguments, 0.0)  # type: ignore[arg-type]
    except _Enough:
        return


def _fill(plan: Plan, store: Store) -> None:
    predictions = pl.DataFrame({"id": [str(i) for i in range(ITEMS)], "predicted": [0] * ITEMS})
    for key in plan.wanted:
        step = plan.graph[key]
        with store.write(step) as draft:
            if step.kind != "judge":
                name = "rewrites" if step.kind == "rewrite" else "predictions"
                predictions.write_parquet(draft.path / f"{name}.parquet")
                continue
            metric = METRICS[step.params["metric"]]
            columns = {name: [1.0] * ITEMS for name in metric.columns}
            frame = pl.DataFrame({"id": predictions["id"], "cluster": predictions["id"], **columns})
            frame.write_parquet(draft.path / "statistics.parquet")
            scores = dict.fromkeys(metric.keys, 50.0)
            draft.meta.update(scores=scores, n=ITEMS, clusters=ITEMS, chance=None, context_language="", signature={})


def _timed(what: str, work: Callable[[], object]) -> None:
    begun, wall = time.process_time(), time.monotonic()
    work()
    print(f"{what}: {time.process_time() - begun:.1f} CPU s, {time.monotonic() - wall:.1f} s")


if __name__ == "__main__":
    main()
