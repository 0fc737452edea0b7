"""What a study knows of its routes beside their scores."""

from __future__ import annotations

import json
from pathlib import Path

from crosswind.analysis.condition import Condition
from crosswind.analysis.material import material_seen
from crosswind.study.differences import route_facts
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


def test_the_domain_of_unknown_tasks_is_not_guessed() -> None:
    assert domains_of(["mnli", "xquad"]) == "Wikipedia; ten genres of speech and writing"
    assert domains_of(["mnli", "mine"]) == ""
