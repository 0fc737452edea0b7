"""A small study, scored by the real metrics and summarised: two routes, two targets, three languages."""

import numpy as np
import pytest

from crosswind.analysis.results import CellStats, ResultRow, exposure, table
from crosswind.analysis.summarise import summarise
from crosswind.analysis.summary import Summary
from crosswind.evaluate.metrics.base import METRICS

N = 120
RIGHT = {"en": 96, "de": 84, "sw": 44, "zh": 72}


@pytest.fixture(scope="session")
def summary() -> Summary:
    rows, cells = [], {}
    for target in ("xnli", "pawsx"):
        for route, gain in (("none", 0), ("multi & lingual", 6)):
            for language, right in RIGHT.items():
                seen = language == "de" and gain and target == "xnli"
                for perturbation, severity, loss in (("clean", 0.0, 0), ("keyboard", 0.1, 18)):
                    if perturbation == "keyboard" and language == "zh":
                        continue
                    correct = (np.arange(N) < right + gain - loss).astype(float)
                    stats = np.stack([correct, np.ones(N), np.zeros(N)], axis=1)
                    key = f"cell-{len(rows)}"
                    items = tuple(f"{target}/test/{i}" for i in range(N))
                    cells[key] = CellStats(stats, tuple(f"{target}/{i // 3}" for i in range(N)), "accuracy", items)
                    rows.append(
                        ResultRow(
                            encoder="mini",
                            route=route,
                            pipeline_seed=1,
                            target=target,
                            language=language,
                            split="test",
                            metric="accuracy",
                            key="accuracy",
                            score=float(100 * correct.mean()),
                            n=N,
                            clusters=N // 3,
                            signature=METRICS["accuracy"].signature(device="cpu"),
                            cell=key,
                            perturbation=perturbation,
                            severity=severity,
                            changed_items=0.7 if severity else 0.0,
                            changed_tokens=0.25 if severity else 0.0,
                            exposure=exposure("same-task", "labelled" if seen else "unseen"),
                        )
                    )
    chance = {"xnli": 100 / 3, "pawsx": 50.0}
    return summarise(table(rows), cells.__getitem__, chance=chance, routes=["none", "multi & lingual"])
