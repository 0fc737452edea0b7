"""A note where keeping clusters together changes nothing."""

from __future__ import annotations

from crosswind.study.clusters import lone_clusters
from crosswind.study.plan import make_plan
from crosswind.study.spec import parse_study
from crosswind.tasks.refs import library

STUDY = """
name: small
encoder: microworld
data: {source: microworld}
routes: {none: []}
training: {batch_by: clusters}
targets:
  tasks:
    mw-nli: {languages: [en], limit: 3, train: {tasks: [{name: mw-nli, rows: "0"}], budget: {steps: 1}}}
    mw-pos: {languages: [en], limit: 3, train: {tasks: [{name: mw-pos, rows: 0-1}], budget: {steps: 1}}}
"""


def notes(*overrides: str) -> list[str]:
    study = parse_study(STUDY, list(overrides))
    plan = make_plan(study)
    return lone_clusters(plan, library(plan.graph.context["data"]))


def test_examples_that_all_stand_alone_are_named() -> None:
    (note,) = notes()
    assert note.startswith("mw-nli: batch_by: clusters changes nothing")


def test_two_hypotheses_of_a_premise_are_a_cluster() -> None:
    assert notes("targets.tasks.mw-nli.train.tasks=[{name: mw-nli, rows: 0-1}]") == []


def test_one_set_with_clusters_suffices_for_a_phase() -> None:
    english = "routes.english=[{tasks: [{name: mw-completion, rows: 0-3}, {name: mw-reading, rows: 0-3}]}]"
    assert notes("targets.tasks.mw-nli.train.tasks=[{name: mw-nli, rows: 0-1}]", english) == []


def test_nobody_asked_for_clusters() -> None:
    assert notes("training.batch_by=examples") == []
