"""A study file is checked key by key; every fault names its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from crosswind.errors import UserError
from crosswind.study.spec import Study, parse_study, read_study, set_key

STUDY = """
name: small
encoder: owner/name
routes:
  none: []
  english:
    - tasks: [mnli]
      budget: {examples: 100}
targets:
  tasks:
    xnli: {languages: de}
perturb: ["keyboard:0.1", {spec: "swap:0.1", languages: en}]
"""


def refused(*overrides: str, text: str = STUDY) -> UserError:
    with pytest.raises(UserError) as caught:
        parse_study(text, list(overrides), name="small.yaml")
    return caught.value


def test_shorthands_are_spelled_out() -> None:
    study = parse_study(STUDY)
    assert study.routes["english"][0].tasks[0].name == "mnli"
    assert study.routes["english"][0].tasks[0].languages is None
    assert study.targets.tasks is not None
    xnli = study.targets.tasks["xnli"]
    assert xnli is not None
    assert xnli.languages == ["de"]
    assert [p.spec for p in study.perturb] == ["keyboard:0.1", "swap:0.1"]
    assert study.perturb[1].languages == ["en"]
    assert study.perturb[0].protect == ["none"]
    assert (study.seeds, study.draws, study.keep, study.data.source) == ([1], 1, "all", "hub")
    assert parse_study(STUDY, ["seeds=3"]).seeds == [3]
    assert parse_study(STUDY, ["targets.tasks.xnli.rows=17"]).targets.tasks["xnli"].rows == "17"  # type: ignore[index,union-attr]


@pytest.mark.parametrize(
    ("key", "value", "where", "suggestion"),
    [
        ("encodr", "x", "encodr", "encoder"),
        ("data.sorce", "hub", "data.sorce", "source"),
        ("training.learning_rat", 1, "training.learning_rat", "learning_rate"),
        ("routes.english.0.taks", [], "routes.english[0].taks", "tasks"),
        ("routes.english.0.budget.example", 1, "routes.english[0].budget.example", "examples"),
        ("routes.english.0.mlm.shar", 0.5, "routes.english[0].mlm.shar", "share"),
        ("routes.english.0.select", {"nam": "mnli"}, "routes.english[0].select.nam", "name"),
        ("routes.english.0.tasks.0", {"name": "mnli", "row": 1}, "routes.english[0].tasks[0].row", "rows"),
        ("targets.presett", "xtreme", "targets.presett", "preset"),
        ("targets.tasks.xnli.langages", ["de"], "targets.tasks.xnli.langages", "languages"),
        ("targets.tasks.xnli.train", {"tassk": []}, "targets.tasks.xnli.train[0].tassk", "tasks"),
        ("targets.tasks.xnli.pooling.lyer", 1, "targets.tasks.xnli.pooling.lyer", "layer"),
        ("perturb.1.langage", "en", "perturb[1].langage", "languages"),
    ],
)
def test_an_unknown_key_is_named_with_its_place_and_a_suggestion(
    key: str, value: Any, where: str, suggestion: str
) -> None:
    error = refused(f"{key}={yaml.safe_dump(value, default_flow_style=True).removesuffix('...' + chr(10))}")
    assert error.where == f"small.yaml: {where}"
    assert error.what == f"unknown key {where.rpartition('.')[2]!r}"
    assert error.hint is not None
    assert error.hint.startswith(f"did you mean {suggestion!r}")


@pytest.mark.parametrize(
    ("override", "where", "what"),
    [
        ("draws=1000000000", "draws", "at most 1,000: every cell is predicted anew for each (it is 1000000000)"),
        ("seeds=[4294967296]", "seeds[0]", "at most 4,294,967,295: random generators take 32 bits (it is 4294967296)"),
        (f"seeds={list(range(1001))}", "seeds", "at most 1,000: every route is trained anew for each"),
        (
            "training.max_length=200000",
            "training.max_length",
            "at most 100,000: no encoder reads so",
        ),
        ("draws=0", "draws", "Input should be greater than or equal to 1 (it is 0)"),
        ("seeds=[1, 2, 1]", "seeds", "1 is there twice"),
        ("targets.languages=[de, de]", "targets.languages", "'de' is there twice"),
        ("seeds=[]", "seeds", "List should have at least 1 item"),
        ("seeds=[one]", "seeds[0]", "Input should be a valid integer"),
        ("training.precision=fp8", "training.precision", "Input should be 'fp32' or 'bf16' (it is 'fp8')"),
        ("name=a/b", "name", "String should match pattern"),
        ("seeds=[-1]", "seeds[0]", "greater than or equal to 0 (it is -1)"),
        ("routes={../up: []}", "routes", "'../up' cannot name a route"),
        ("routes={a/b: []}", "routes", "'a/b' cannot name a route"),
        ("routes={}", "routes", "Dictionary should have at least 1 item"),
        ("routes.english=mnli", "routes.english", "Input should be a valid list (it is 'mnli')"),
        ("routes.english.0.tasks=[]", "routes.english[0]", "a phase needs tasks, or mlm"),
        ("routes.english.0.budget.steps=1", "routes.english[0].budget", "this one has examples and steps"),
        ("routes.english.0.mlm.share=1", "routes.english[0]", "mlm.share must be below 1 beside tasks"),
        ("keep=some", "keep", "Input should be 'all', 'encoders' or 'none' (it is 'some')"),
        ("targets.tasks.xnli.limit=0", "targets.tasks.xnli.limit", "greater than or equal to 1"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(override: str, where: str, what: str) -> None:
    error = refused(override)
    assert error.where == f"small.yaml: {where}"
    assert what in error.what


def test_what_is_named_twice_is_refused_with_what_to_do() -> None:
    assert refused("seeds=[1, 1]").hint == "name each once"


def test_what_is_missing_is_named() -> None:
    error = refused(text=STUDY.replace("encoder: owner/name\n", ""))
    assert (error.where, error.what) == ("small.yaml: encoder", "Field required")
    assert refused(text="- a list").what == "not a mapping of keys to values"
    assert refused(text="").what == "not a mapping of keys to values"


def test_bad_yaml_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("name: small\nroutes: {none: []\ntargets:\n  - x: [\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"bad\.yaml:\d: not YAML"):
        read_study(path)
    path.write_text("name: small\n\tencoder: x\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"bad\.yaml:2: not YAML"):
        read_study(path)


def test_a_file_that_is_not_text_or_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.yaml: cannot read the study \(No such file"):
        read_study(tmp_path / "none.yaml")
    path = tmp_path / "bytes.yaml"
    path.write_bytes(b"name: \xff\xfe\n")
    with pytest.raises(UserError, match=r"bytes\.yaml"):
        read_study(path)
    path.write_bytes(b"name: a\x00b\n")
    with pytest.raises(UserError, match=r"bytes\.yaml"):
        read_study(path)


def test_set_reaches_into_nested_keys_and_lists() -> None:
    value = {"a": {"b": [{"c": 1}]}, "n": None}
    set_key(value, "a.b.0.c=2")
    set_key(value, "a.d=[1, 2]")
    set_key(value, "n.m=x")
    set_key(value, "new=1.0e-3")
    assert value == {"a": {"b": [{"c": 2}], "d": [1, 2]}, "n": {"m": "x"}, "new": 0.001}


@pytest.mark.parametrize(
    ("override", "where", "what"),
    [
        ("data.root", "--set", "'data.root' is not KEY=VALUE"),
        ("=1", "--set", "'=1' is not KEY=VALUE"),
        ("routes.english.3.budget=1", "--set routes.english.3.budget", "routes.english is a list of 1"),
        ("routes.english.first=1", "--set routes.english.first", "routes.english is a list of 1"),
        ("name.first=1", "--set name.first", "name holds no keys"),
        ("name=[1", "--set name", "not YAML"),
    ],
)
def test_a_set_that_does_not_fit_says_where(override: str, where: str, what: str) -> None:
    error = refused(override)
    assert error.where == where
    assert error.what.startswith(what)


def test_a_study_is_frozen() -> None:
    study = parse_study(STUDY)
    assert isinstance(study, Study)
    with pytest.raises(ValueError, match="frozen"):
        study.name = "other"  # type: ignore[misc]


def test_a_baseline_is_compared_like_a_route() -> None:
    text = """
name: x
encoder: x
routes: {none: []}
baselines: {translated: {mode: translate-train, translate: m}}
targets: {tasks: {xnli: {}}}
compare: {pairs: [[translated, none]]}
"""
    assert parse_study(text).compare.pairs == [["translated", "none"]]
    with pytest.raises(UserError, match="unknown route 'translatd'"):
        parse_study(text, ["compare.pairs=[[translatd, none]]"])
