"""What a study knows of its routes beside their scores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crosswind.analysis.condition import Condition
from crosswind.analysis.contrast import RouteFacts, Slope
from crosswind.analysis.material import material_seen
from crosswind.errors import UserError
from crosswind.run.folders import write_sealed
from crosswind.study.analysed import Analysed, comparisons_of, read_analysed, write_analysed
from crosswind.study.differences import route_facts
from crosswind.study.folder import declared_late, open_folder, run_identity
from crosswind.study.plan import make_plan
from crosswind.study.spec import parse_study
from crosswind.tasks.domains import domains_of

STUDY = """
name: facts
encoder: microworld
lexicons: {lexicons}
training: {{batch_size: 16}}
routes:
  none: []
  english: [{{tasks: [mnli], budget: {{examples: 1000}}}}]
  other: [{{tasks: [squad], budget: {{examples: 1000}}}}]
  more: [{{tasks: [mnli], budget: {{examples: 1000}}, mlm: {{languages: [de], corpora: [ntrex], share: 0.5}}}}]
targets: {{tasks: {{xnli: {{languages: [en, fr]}}}}}}
"""


def test_routes_differ_in_task_domain_steps_and_text(tmp_path: Path) -> None:
    (tmp_path / "en-de.txt").write_text("house Haus\n")
    (tmp_path / "en-de.txt.origin.json").write_text(json.dumps({"sources": ["ntrex", "tatoeba"], "oracle": []}))
    study = parse_study(STUDY.format(lexicons=tmp_path))
    facts = route_facts(make_plan(study, dry=True), study.route_names)
    english, more = facts.factors["english"], facts.factors["more"]
    # 1,000 examples in batches of 16 are 63 steps; as many of masked LM beside them are 126.
    assert (english["steps"], more["steps"]) == ("63", "126")
    assert english["domain"] == "ten genres of speech and writing"
    text = facts.differing("english", "other")
    assert "tasks: mnli | squad; domain: ten genres of speech and writing | Wikipedia" in text
    assert "seen of the targets: xnli same-task | none" in text
    assert "steps" not in text
    assert facts.seen["more"]["lexicon ntrex"] == "unlabelled"
    assert facts.seen["english"]["lexicon ntrex"] == "unseen"
    assert facts.seen["none"] == {"lexicon ntrex": "unseen", "lexicon tatoeba": "unseen"}
    mixed = [Condition(perturbation="codemix(embed=de)", severity=0.5)]
    seen = material_seen(mixed, ["english", "more"], facts.seen)
    assert "lexicon ntrex: unseen for english, unlabelled for more" in seen


def test_training_data_that_a_machine_translated_before_they_were_distributed_are_seen_as_such(tmp_path: Path) -> None:
    """PAWS-X's training data are human in English and by a machine in the other languages; its test sets are human."""
    text = STUDY.format(lexicons=tmp_path).replace("tasks: [squad]", "tasks: [{name: pawsx, languages: [en, de]}]")
    study = parse_study(text)
    seen = route_facts(make_plan(study, dry=True), study.route_names).seen["other"]
    assert (seen["en"], seen["de"]) == ("labelled", "machine-translated")


def test_the_domain_of_unknown_tasks_is_not_guessed() -> None:
    assert domains_of(["mnli", "xquad"]) == "Wikipedia; ten genres of speech and writing"
    assert domains_of(["mnli", "mine"]) == ""


def test_slopes_are_declared_in_the_study_and_kept_with_the_run(tmp_path: Path) -> None:
    text = STUDY.format(lexicons=tmp_path)
    compare = "compare: {slopes: {factor: items, routes: [english, more]}, random_languages: true}\n"
    comparisons = comparisons_of(parse_study(text + compare).compare)
    assert comparisons.slopes == (Slope("items", (("english", None), ("more", None))),)
    assert comparisons.random_languages
    said = "compare: {slopes: [{factor: hours, routes: {english: 1, more: 4}, scale: linear}]}\n"
    comparisons = comparisons_of(parse_study(text + said).compare)
    assert comparisons.slopes == (Slope("hours", (("english", 1.0), ("more", 4.0)), doubling=False),)
    analysed = Analysed(("none",), {}, {"xnli": {"fr": 30.0}, "pawsx": 50.0}, {}, (), (), comparisons, RouteFacts())
    write_analysed(analysed, tmp_path)
    assert read_analysed(tmp_path) == analysed
    with pytest.raises(UserError, match=r"(?s)compare\.slopes: unknown route 'englsh'.*did you mean 'english'"):
        parse_study(text + compare.replace("english", "englsh"))
    with pytest.raises(UserError, match=r"compare\.slopes\[0\]\.routes"):
        parse_study(text + "compare: {slopes: {factor: items, routes: [english]}}\n")


def test_a_run_of_an_older_version_declared_what_it_did_not_know_of_as_it_is(tmp_path: Path) -> None:
    study = parse_study(STUDY.format(lexicons=tmp_path))
    out = tmp_path / "run"
    with open_folder(out, study, "e"):
        pass
    (out / "results.parquet").touch()
    older = {k: v for k, v in run_identity(out).items() if k != "compare"}
    compare = {"pairs": [], "measures": ["clean", "perturbed", "drop"], "paired_seeds": False, "margin": None}
    write_sealed(out / "run.json", older | {"compare": compare})
    with open_folder(out, study, "e"):
        assert declared_late(out) is None
