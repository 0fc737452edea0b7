"""What the documents say about study files holds."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from crosswind.attack.endpoint import REQUEST_EXAMPLES, as_record
from crosswind.data.examples import (
    ChoiceExample,
    Dataset,
    Example,
    Kind,
    PairExample,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
    kind_of,
)
from crosswind.perturb.perturbed import TAGS_SUFFIX, PerturbedDataset
from crosswind.perturb.replay import replay
from crosswind.perturb.rewrite import Rewrite
from crosswind.study.own_text import text_lines
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
ATTACKS = (ROOT / "docs/attacks.md").read_text(encoding="utf-8")
PERTURBATIONS = (ROOT / "docs/perturbations.md").read_text(encoding="utf-8")
NOON = ("It was late.", "It was noon.")
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


def test_the_guide_shows_what_an_address_is_sent_of_each_kind() -> None:
    block = ATTACKS.split("### What an address is sent")[1].split("```\n")[1]
    sent = [json.loads(line) for line in block.splitlines()]
    text, house = "Where does Ada live?", "Ada lives in Turin."
    named: list[tuple[str, Example]] = [
        ("xnli", PairExample("xnli/test/0", "c", "en", "Our house is old.", "It was built last year.", 2)),
        ("xcopa", ChoiceExample("xcopa/test/7", "c", "en", "The child fell asleep.", "cause", NOON, 0)),
        ("panx", TaggingExample("panx/test/3", "c", "en", ("Ada", "lives", "in", "Turin"), None)),
        ("xquad", SpanExample("squad/56be", "c", "en", text, house, (Span(13, 18),))),
        ("lareqa", QueryExample("lareqa/9", "c", "en", text, ("p1",))),
    ]
    assert sent == [{"task": t, "kind": kind_of(e), "examples": [as_record(e)]} for t, e in named]
    assert [s["kind"] for s in sent] == list(get_args(Kind))
    assert f"at most\n  {REQUEST_EXAMPLES} examples" in ATTACKS


def test_the_guide_shows_how_rewrites_stand_in_json() -> None:
    shown = PERTURBATIONS.split("### Rewrites as JSON")[1].split("```\n")[1]
    original = "Our house is so old."
    assert f"Of `{original}`:" in PERTURBATIONS
    example = PairExample("xnli/test/0", "c", "en", original, "It was built last year.", 2)
    made = Rewrite.from_edits(original, [(4, 9, "huose"), (10, 10, "was and "), (13, 16, "")])
    clean = Dataset("xnli", "en", "test", (example,), "")
    changed = replay(example, {"first": made})
    lines = [
        *text_lines(clean, PerturbedDataset(replace(clean, examples=(changed.example,)), (changed,)), rewrites=True)
    ]
    assert lines == [(shown.strip(), True)]
    # What is said of the ends, and of tags in the tables.
    for edit in ((0, 0, "Oh, "), (20, 20, "!")):
        pieces = Rewrite.from_edits(original, [edit]).to_json()[1]
        assert [edit[2]] in pieces
    assert f"ends in `{TAGS_SUFFIX}`" in PERTURBATIONS


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "docs/study-file.md", "docs/architecture.md", "docs/tasks.md"]
)
def test_links_lead_somewhere(name: str) -> None:
    path = ROOT / name
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert target.startswith("http") or (path.parent / target).exists(), target
