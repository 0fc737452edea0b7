"""A short version of `benchmarks/calibration.py`: intervals cover the truth and are no wider than they must be."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "calibration.py"


@pytest.fixture(scope="module")
def calibration() -> ModuleType:
    spec = importlib.util.spec_from_file_location("calibration", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["calibration"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["accuracy, 3 seeds, equal", "F1, 3 seeds, dominant", "AP, 5 seeds, none"])
def test_intervals_cover_the_truth_at_a_width_near_the_oracles(calibration: ModuleType, name: str) -> None:
    """60 simulations: of 95 % covered, fewer than 87 % are seen with a probability below 1 % (binomial)."""
    (row,) = (r for r in calibration.rows() if r.name == name)
    outcome = calibration.run(row, 60, seed=5)
    assert min(outcome.coverage.values()) >= 87
    assert outcome.level_coverage >= 87
    assert np.mean([*outcome.width.values()]) < (2.0 if row.seeds == 3 else 1.5)
    false = outcome.false_verdicts
    assert false["Holm"] <= false["uncorrected"] <= false["items only"]
    # 60 simulations of which 5 % are false: more than 8 (13 %) are seen with a probability below 1 %.
    assert outcome.false_equivalence["Holm"] <= 13
    assert outcome.false_equivalence["Holm"] < outcome.false_equivalence["uncorrected"]


def test_items_alone_do_not_cover_where_seeds_vary(calibration: ModuleType) -> None:
    (row,) = (r for r in calibration.rows() if r.name == "accuracy, 3 seeds, dominant")
    outcome = calibration.run(row, 40, seed=6)
    assert outcome.false_verdicts["items only"] > 60
    assert outcome.false_verdicts["Holm"] <= 12
    assert outcome.seed_share > 10


def test_the_truth_of_the_simulation_is_what_many_items_and_seeds_score(calibration: ModuleType) -> None:
    """Against 200,000 drawn items of each language and 40 seeds."""
    rng = np.random.default_rng(0)
    for name in ("accuracy, 3 seeds, dominant", "AP, 3 seeds, dominant", "F1, 3 seeds, dominant"):
        (row,) = (r for r in calibration.rows() if r.name == name)
        spread, of_seeds = np.sqrt(1.7), np.hypot(*row.seeds_sd[:2])
        by_seed = []
        for _ in range(150):
            shift = calibration.CLEAN + rng.normal(0, of_seeds)
            values = shift + np.array(calibration.LANGUAGES)[:, None] + rng.normal(0, spread, (3, 3000))
            sums = calibration._statistics(row.metric, values, rng).sum(axis=-2)
            by_seed.append(calibration.SCORES[row.metric](sums).mean())
        assert np.mean(by_seed) == pytest.approx(calibration.true_level(row), abs=3.5 * np.std(by_seed) / np.sqrt(150))


@pytest.fixture(scope="module")
def further() -> ModuleType:
    path = PATH.with_name("calibration_further.py")
    spec = importlib.util.spec_from_file_location("calibration_further", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["calibration_further"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["slope over three routes", "perturbations at equal damage",
                                  "drop where all were right", "seeds pooled", "languages random"])  # fmt: skip
def test_the_other_intervals_cover_the_truth_too(further: ModuleType, name: str) -> None:
    """40 simulations: of 95 % covered, fewer than 85 % are seen with a probability below 1 % (binomial)."""
    coverage, width = further.run(further.SIMULATIONS[name], further.EQUAL, 40, seed=3)
    assert coverage >= 85
    assert width < 2.1
