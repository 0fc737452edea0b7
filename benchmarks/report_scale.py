"""The report of a full XTREME-R study: seconds, peak memory and the size of the page, of one process with one thread.

    python benchmarks/report_scale.py                makes a run folder, and reports it in a process of its own
    python benchmarks/report_scale.py --keep DIR     keeps the folder
    python benchmarks/report_scale.py --routes 2     two routes in 40 languages, in place of seven in ten

The run is made up: the ten targets of XTREME-R, 7 routes (21 pairs are compared), 3 pipeline seeds, clean and under two
perturbations, ten languages of 80 items: 6,300 cells, 504,000 predictions; or 2 routes and 40 languages of 70 items:
7,200 cells, as many predictions. 240 kept examples with contexts of 150 words.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from crosswind.analysis.contrast import Comparisons, RouteFacts
from crosswind.analysis.left_out import LeftOut, left_out_table
from crosswind.analysis.results import ResultRow, write_results
from crosswind.evaluate.metrics.base import METRICS
from crosswind.run.folders import write_sealed
from crosswind.study.about import write_about
from crosswind.study.analysed import Analysed, write_analysed
from crosswind.study.folder import sums_frame
from crosswind.study.sampled import KEPT_EXAMPLES

TARGETS = ("xnli", "xcopa", "udpos", "panx", "xquad", "mlqa", "tydiqa", "tatoeba", "mewslix", "lareqa")
_CODES = "en af ar az bg bn cs da de el es et eu fa fi fr he hi hu id it ja ka kk ko lt ml mr ms my nl pl pt ro ru"
LANGUAGES = [*_CODES.split(), "sw", "ta", "te", "th", "tr"]
CONDITIONS = (("clean", 0.0), ("keyboard", 0.1), ("swap", 0.2))
ROUTES = ("none", "english", "multilingual", "english+mlm", "multilingual+mlm", "mlm-only", "machine-translated")
SEEDS = (1, 2, 3)
SIZES = {2: (40, 70), 7: (10, 80)}  # routes -> languages, items: 504,000 predictions


def write_study(out: Path, routes: Sequence[str]) -> int:
    """Write the run folder of some routes; returns its number of predictions."""
    several, count = SIZES[len(routes)]
    languages = LANGUAGES[:several]
    rng = np.random.default_rng(1)
    signature = METRICS["accuracy"].signature(device="cpu")
    rows: list[ResultRow] = []
    cells: list[dict[str, Any]] = []
    for number, target in enumerate(TARGETS):
        clusters = [f"{target}/test/{i}" for i in range(count)]
        skill = rng.uniform(0.5, 0.8, len(languages))
        hard = rng.uniform(-0.2, 0.2, count)
        for route in routes:
            for seed in SEEDS:
                entries = []
                for language, base in zip(languages, skill, strict=True):
                    for perturbation, severity in CONDITIONS:
                        key = f"{target}-{route}-{seed}-{language}-{perturbation}"
                        share = base - 0.7 * severity + 0.01 * routes.index(route) - 0.01 * number + hard
                        correct = (rng.random(count) < share).astype(float)
                        columns = {"correct": correct, "n": np.ones(count), "guessed": np.full(count, 0.1)}
                        entries.append((key, pl.DataFrame({"id": clusters, "cluster": clusters, **columns})))
                        noisy: dict[str, Any] = {} if severity == 0 else {
                            "severity": severity, "draw": 1, "changed_items": 0.9, "changed_tokens": 0.3,
                        }  # fmt: skip
                        rows.append(
                            ResultRow(
                                encoder="large", route=route, pipeline_seed=seed, target=target, language=language,
                                split="test", metric="accuracy", key="accuracy", score=float(100 * correct.mean()),
                                n=count, clusters=count, signature=signature, cell=key, perturbation=perturbation,
                                **noisy,
                            )
                        )  # fmt: skip
                        cells.append({
                            "cell": key, "route": route, "pipeline_seed": seed, "defence": "none", "target": target,
                            "metric": "accuracy",
                        })  # fmt: skip
                path = out / "sums" / route / str(seed) / f"{target}.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
                sums_frame(entries).write_parquet(path)
    write_results(rows, out / "results.parquet")
    pl.DataFrame(cells).write_parquet(out / "cells.parquet")
    lacking = [
        LeftOut(cause="no data", target="xcopa", language=x, split="test", reason="the target has no data in them")
        for x in ("yo", "wo", "qu")
    ]
    left_out_table(lacking).write_parquet(out / "left_out.parquet")
    _write_provenance(out, [cell["cell"] for cell in cells])
    chance = dict.fromkeys(TARGETS, 10.0)
    names = dict.fromkeys(TARGETS, "accuracy")
    sources = dict.fromkeys(TARGETS, "en")
    facts = RouteFacts({"none": {}, **{route: {"tasks": "mnli", "languages": route} for route in routes[1:]}})
    write_analysed(Analysed(tuple(routes), names, chance, sources, (), (), Comparisons(), facts), out)
    write_sealed(out / "run.json", {"name": "xtreme-r", "encoder": "large", "study": "abc"})
    (out / "study.yaml").write_text("name: xtreme-r\nencoder: large\n", encoding="utf-8")
    write_about(out, {"Encoder": "large"}, [f"note {i}: something that a step says" for i in range(300)], {})
    (out / KEPT_EXAMPLES).write_text(json.dumps(_examples(rng, routes, languages)), encoding="utf-8")
    return len(rows) * count


def _write_provenance(out: Path, keys: list[str]) -> None:
    versions = json.dumps({"cpu": "a processor", "versions": {"torch": "2"}})
    pl.DataFrame(
        {
            "step": keys,
            "kind": ["train" if i % 40 == 0 else "predict" for i in range(len(keys))],
            "label": keys,
            "cpu_seconds": [10.0] * len(keys),
            "wall_seconds": [11.0] * len(keys),
            "hardware": [versions] * len(keys),
        }
    ).write_parquet(out / "provenance.parquet")


def _examples(rng: np.random.Generator, routes: Sequence[str], languages: Sequence[str]) -> dict[str, Any]:
    words = [f"word{i}" for i in range(400)]
    items = []
    for i in range(240):
        text = [words[j] for j in rng.integers(0, len(words), 150)]
        changed = [w[::-1] if rng.random() < 0.1 else w for w in text]
        items.append({
            "id": f"xquad/test/{i}", "target": TARGETS[i % 10], "language": languages[i % len(languages)],
            "perturbation": CONDITIONS[1 + i % 2][0], "condition": f"{CONDITIONS[1 + i % 2][0]}:0.1",
            "fields": [["question", " ".join(text[:12]), " ".join(changed[:12])],
                       ["context", " ".join(text), " ".join(changed)]],
            "gold": "word1", "said": [[route, "word1", "word2", True] for route in routes],
        })  # fmt: skip
    return {"mark": "", "of": 336_000, "notes": ["Of pipeline seed 1."], "items": items}


def report(run: Path) -> None:
    """Report a run folder, and print what it took."""
    from crosswind.study.joined import join_runs
    from crosswind.study.reported import write_joined_report

    begun, cpu = time.perf_counter(), time.process_time()
    joined = join_runs([run])
    path = run / "report.html"
    write_joined_report(joined, path, latex=True)
    wall, used = time.perf_counter() - begun, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    page = path.stat().st_size
    figures = sum(p.stat().st_size for p in (run / "figures").iterdir())
    print(f"{used:.1f} CPU s, {wall:.1f} s of wall time, peak {peak:.2f} GiB")
    print(f"page {page / 1e6:.2f} MB, {len([*(run / 'figures').iterdir()])} files of figures {figures / 1e6:.2f} MB")
    if used > 30 or peak > 2 or page > 5_000_000:
        sys.exit("more than 30 s, 2 GiB or 5 MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--routes", type=int, default=len(ROUTES), choices=[*SIZES])
    parser.add_argument("--report", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.report:
        report(arguments.report)
        return
    with tempfile.TemporaryDirectory() as folder:
        out = arguments.keep or Path(folder) / "run"
        out.mkdir(parents=True, exist_ok=True)
        begun = time.perf_counter()
        count = write_study(out, ROUTES[: arguments.routes])
        print(f"{count:,} predictions written in {time.perf_counter() - begun:.0f} s")
        sys.exit(subprocess.run([sys.executable, __file__, "--report", str(out)], check=False).returncode)


if __name__ == "__main__":
    main()
