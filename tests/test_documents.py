"""What the documents say about study files holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crosswind.study.pretrain import PretrainConfig
from crosswind.study.spec import (
    Baseline,
    BudgetSpec,
    Data,
    Defence,
    LayerChoice,
    MixtureSpec,
    Mlm,
    PerturbSpec,
    Phase,
    PoolingSpec,
    Sampling,
    StrictModel,
    Study,
    Target,
    Targets,
    TaskUse,
    TrainingSpec,
    TranslateSpec,
    parse_study,
)
from crosswind.tasks.base import CORPORA, TASKS
from crosswind.train.settings import Training

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
STUDY_FILE = (ROOT / "docs/study-file.md").read_text(encoding="utf-8")
MODELS = (
    Study, Data, Defence, Phase, TaskUse, MixtureSpec, Mlm, BudgetSpec, Sampling, TrainingSpec, Targets, Target,
    TranslateSpec, Baseline, PoolingSpec, LayerChoice, PerturbSpec, PretrainConfig,
)  # fmt: skip


@pytest.mark.parametrize("model", MODELS, ids=lambda m: str(m.__name__))
def test_every_key_of_a_study_file_is_explained(model: type[StrictModel]) -> None:
    named = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`[^`]+`", STUDY_FILE))))
    assert set(model.model_fields) - named == set()


def test_the_defaults_of_training_are_as_explained() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", STUDY_FILE.split("## `training`")[1], re.MULTILINE))
    shown = {k: v for k, v in rows.items() if hasattr(Training(), k)}
    assert len(shown) >= 12
    for key, text in shown.items():
        value = getattr(Training(), key)
        assert (float(text) if isinstance(value, int | float) else text) == value, key


def test_the_study_of_the_readme_is_one() -> None:
    text = README.split("## A study file")[1].split("```yaml\n")[1].split("```")[0]
    assert parse_study(text).name == "my-study"


def test_the_readme_says_where_the_files_of_every_task_lie() -> None:
    table = README.split("## Where data lie")[1].split("\n## ")[0]
    named = {n for row in re.findall(r"^\| ([a-z0-9, -]+) \|", table, re.MULTILINE) for n in row.split(", ")}
    assert {t.name.removesuffix("-retrieval") for t in TASKS} - named == set()
    assert all(name.partition("-")[0] in table for name in CORPORA.names())


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "docs/study-file.md", "docs/architecture.md", "docs/tasks.md"]
)
def test_links_lead_somewhere(name: str) -> None:
    path = ROOT / name
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert target.startswith("http") or (path.parent / target).exists(), target
