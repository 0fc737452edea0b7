"""Mixtures are declared like tasks: one head, equal labels, members, caps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crosswind.errors import UserError
from crosswind.registry import declare
from crosswind.study.catalogue import CATALOGUE
from crosswind.study.own import declare_tasks, own_settings
from crosswind.study.resolve import routes, targets
from crosswind.study.spec import Study, parse_study
from crosswind.tasks.mixture import MIXTURES

STUDY = """
name: small
encoder: owner/name
data: {source: files, root: DIR, tasks: {anli+: {source: hub}}}
mixtures: {easy: {members: [snli, mnli], caps: {snli: 1000}}}
routes:
  easy: [{tasks: [easy, {name: anli+, limit: 50}], select: {name: easy, split: dev, limit: 10}}]
targets: {tasks: {easy: {}}}
"""


@pytest.fixture(autouse=True)
def nothing_stays_declared() -> Iterator[None]:
    yield
    declare({})


def declared(*overrides: str) -> Study:
    study = parse_study(STUDY, list(overrides))
    declare_tasks(study)
    return study


def test_anli_plus_is_a_declaration_with_the_licences_of_its_members() -> None:
    mixture = MIXTURES["anli+"]
    assert mixture.members == ("snli", "mnli", "anli")  # Phang et al. 2020, section 2.1
    assert mixture.kind == "pair"
    assert "anli: CC BY-NC 4.0" in mixture.licence
    (row,) = [r for r in CATALOGUE["mixtures"]() if r["name"] == "anli+"]
    assert row["members"] == ["snli", "mnli", "anli"]


def test_caps_and_limits_hold_for_the_training_data_of_each_member() -> None:
    (phase,) = routes(declared())["easy"]
    easy, plus = phase.heads
    assert (easy.name, easy.kind, len(easy.labels)) == ("easy", "pair", 3)
    assert [(d.task, d.split, d.limit) for d in easy.data] == [("snli", "train", 1000), ("mnli", "train", None)]
    assert [(d.task, d.limit) for d in plus.data] == [("snli", 50), ("mnli", 50), ("anli", 50)]
    assert [(d.task, d.split, d.limit) for d in phase.select] == [("snli", "dev", 10), ("mnli", "dev", 10)]


def test_a_mixture_as_a_target_tests_its_members_by_the_head_of_all() -> None:
    plans = targets(declared())
    assert [(t.task.name, t.data[0].split) for t in plans] == [("snli", "dev"), ("mnli", "dev")]
    for plan in plans:
        assert [d.task for d in plan.chain[0].heads[0].data] == ["snli", "mnli"]
    twice = declared("targets={tasks: {easy: {}, mnli: {}}}")
    with pytest.raises(UserError, match="mnli is tested twice"):
        targets(twice)


def test_the_source_of_a_mixture_is_that_of_its_members() -> None:
    study = declared("data.tasks.mnli={source: files, root: OTHER}")
    sources = own_settings(study, study.data.settings(), declare_tasks(study))["tasks"]
    assert {name: s["source"] for name, s in sources.items()} == {"snli": "hub", "anli": "hub", "mnli": "files"}


@pytest.mark.parametrize(
    ("mixture", "what"),
    [
        ("{members: [snli, mnIi]}", "unknown task 'mnIi'"),
        ("{members: [snli, snli]}", "one is named twice"),
        ("{members: [snli, pawsx]}", "pawsx (pair: different, paraphrase) cannot share a head with snli"),
        ("{members: [snli, squad]}", "squad (span) cannot share a head with snli (pair: entailment"),
        ("{members: [snli], caps: {mnli: 3}}", "the cap of 'mnli' is of no member"),
    ],
)
def test_what_cannot_share_a_head_is_refused(mixture: str, what: str) -> None:
    with pytest.raises(UserError) as caught:
        declared(f"mixtures={{easy: {mixture}}}")
    assert what in caught.value.what
    assert caught.value.hint


@pytest.mark.parametrize("name", ["anli+", "mnli"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="already"):
        declared(f"mixtures={{{name}: {{members: [snli, mnli]}}}}")


def test_an_included_file_declares_a_mixture(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from crosswind.tasks.mixture import Mixture\n"
        "QA = Mixture(name='both-squads', summary='', members=('squad', 'squad2'), caps={'squad2': 5})\n"
    )
    MIXTURES.include(tmp_path)
    assert [t.name for t in MIXTURES["both-squads"].tasks()] == ["squad", "squad2"]
    assert MIXTURES.origin("both-squads")
    MIXTURES.included.clear()
    MIXTURES._entries = MIXTURES._joined = None
