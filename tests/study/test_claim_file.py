"""Files of claims: the package's own, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from crosswind.analysis.claims import JudgedClaim, ProvenanceCheck, counted_verdicts, encoder_words, stated
from crosswind.errors import UserError
from crosswind.study.claim_file import claim_files, read_claims
from crosswind.study.claim_names import KnownNames, require_claims
from crosswind.study.claimed import _published, runs_and_files
from crosswind.study.folder import study_id
from crosswind.study.plan import make_plan
from crosswind.study.spec import Study
from crosswind.tasks.base import TASKS


def test_the_package_brings_the_nine_claims_and_the_question() -> None:
    assert sorted(claim_files()) == ["crosswind-question", "phang2020"]
    phang = read_claims("phang2020")
    assert [claim.id for claim in phang.claims] == [f"phang2020-{i}" for i in range(1, 10)]
    question = read_claims("crosswind-question")
    measures = [check.measure for claim in question.claims for check in claim.checks]  # type: ignore[union-attr]
    assert measures == ["perturbed"] * 3 + ["drop"] * 3


def test_the_tasks_that_claims_name_are_there() -> None:
    for name in claim_files():
        for claim in read_claims(name).claims:
            for target in claim.scope.targets:
                assert target in TASKS, target
            for check in claim.checks:
                for task in check.covers if isinstance(check, ProvenanceCheck) else ():
                    assert task in TASKS, task


def test_a_published_figure_stands_beside_the_claim_that_it_is_of() -> None:
    published = read_claims("phang2020").published
    beside = _published(published["phang2020-5"])
    assert beside.startswith("agrees: 5.4")
    assert beside.endswith("paper_abstract)")
    # The abstract of the first version has 8.4 for SQuAD, the later one 8.2 (by what the claim says).
    first = _published(published["phang2020-1"])
    assert first.startswith("differs: 8.4, the claim says 8.2 (SQuAD intermediate task (7 tasks studied); English Int")
    assert first.endswith("arXiv 2005.13013v1, table abstract; paper_abstract)")


def test_a_statement_names_its_encoder_and_its_size() -> None:
    claims = {claim.id: claim for claim in read_claims("phang2020").claims}
    large = "with xlm-roberta-large (559.9 M parameters): "  # what AutoModel counts, its pooler with it
    for number in range(1, 7):
        assert stated(claims[f"phang2020-{number}"], "mini", "mini (1.0 M parameters)").startswith(large)
    run = "FacebookAI/xlm-roberta-large", "FacebookAI/xlm-roberta-large (560.0 M parameters)"
    assert stated(claims["phang2020-6"], *run).startswith(f"with {run[1]}: English intermediate")
    assert stated(claims["phang2020-7"], "mini", "mini") == "XLM-R Large is the starting point"
    (question, *_) = read_claims("crosswind-question").claims
    assert stated(question, "mini", encoder_words("mini", 35_600_000)) == (
        f"with mini (35.6 M parameters): {question.statement}"
    )


def test_the_size_of_no_encoder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "claims.yaml"
    file.write_text(MINE.format(**RIGHT).replace("split: test", "parameters: 5"))
    with pytest.raises(UserError, match=r"the size of scope\.encoder, which is not named"):
        read_claims(str(file))


CLAIM = "name: mine\nclaims:\n- {{id: a, statement: s, source: t, checks: [{}]}}\n"


@pytest.mark.parametrize(
    ("check", "what"),
    [
        ("{route: english, expect: helps}", "what it compares against"),
        ("{route: english, against: none}", "what it expects"),
        ("{route: english, against: none, expect: better}", "expect"),
        ("{route: english, against: none, expect: no benefit}", "needs a margin"),
        ("{against: none, consistent: 3}", "are of a target"),
        ("{against: none, chosen: on dev}", "gains a size"),
        ("{against: none, expect: helps}", "has a route"),
        ("{rout: english, against: none, expect: helps}", "rout"),
        ("{route: english, against: none, expect: helps, tolerance: 0}", "tolerance"),
        ("{best: english, route: english, against: none, expect: hurts}", "a check with best has no against"),
        ("{phases: 3, route: english, against: none, expect: helps}", "a check with phases has no against"),
        ("{route: english, against: none, most: []}", "most"),
        ("{phases: 4}", "phases"),
        ("{measure: dropped, route: english, against: none, expect: helps}", "measure"),
    ],
)
def test_what_no_check_is_is_refused_with_its_place(tmp_path: Path, check: str, what: str) -> None:
    file = tmp_path / "claims.yaml"
    file.write_text(CLAIM.format(check))
    with pytest.raises(UserError) as caught:
        read_claims(str(file))
    assert what in str(caught.value)
    assert str(file) in str(caught.value)


def test_two_claims_of_one_id_are_refused(tmp_path: Path) -> None:
    one = "- {id: a, statement: s, source: t, checks: [{phases: 3}]}\n"
    (tmp_path / "claims.yaml").write_text(f"name: mine\nclaims:\n{one}{one}")
    with pytest.raises(UserError, match=r"claims\.yaml:4: two claims are called 'a'"):
        read_claims(str(tmp_path / "claims.yaml"))


def test_an_unknown_file_of_claims_is_named() -> None:
    with pytest.raises(UserError, match="phang2021"):
        read_claims("phang2021")


def test_the_command_takes_runs_and_files_in_any_order(tmp_path: Path) -> None:
    assert runs_and_files(["runs/a", "phang2020", "runs/b"]) == ([Path("runs/a"), Path("runs/b")], ["phang2020"])
    assert runs_and_files(["mine.yaml", "runs/a"]) == ([Path("runs/a")], ["mine.yaml"])
    assert runs_and_files(["runs/a"])[1] == ["crosswind-question", "phang2020"]
    with pytest.raises(UserError, match="no run"):
        runs_and_files(["phang2020"])


MINE = """name: mine
claims:
- id: a
  statement: s
  source: t
  scope: {{targets: [{target}], split: {split}}}
  checks:
  - measure: perturbed
    route: {route}
    against: {{tasks: [{task}]}}
    {key}: helps
    perturbation: {perturbation}
"""
RIGHT = {"target": "xnli", "split": "test", "route": "mine", "task": "squad", "key": "expect", "perturbation": "swap"}
STUDY = {
    "name": "s",
    "encoder": "nowhere",
    "data": {"source": "microworld"},
    "routes": {"none": [], "mine": [{"tasks": ["mw-nli"], "budget": {"epochs": 1}}]},
    "targets": {"tasks": {"mw-nli": {"train": []}}},
}


@pytest.mark.parametrize(
    ("wrong", "line", "what"),
    [
        ({"target": "xnil"}, 6, "a: unknown target 'xnil'\n  did you mean 'xnli'"),
        ({"split": "tset"}, 6, "a: unknown split 'tset'\n  did you mean 'test'"),
        ({"route": "mien"}, 9, "a: unknown route 'mien'\n  did you mean 'mine'"),
        ({"task": "sqaud"}, 10, "a: unknown task 'sqaud'\n  did you mean 'squad'"),
        ({"key": "expct"}, 11, "claims[0].checks[0].expct: unknown key 'expct'\n  did you mean 'expect'"),
        ({"perturbation": "swpa:0.1+swap"}, 12, "a: unknown perturbation 'swpa'\n  did you mean 'swap'"),
    ],
)
def test_a_typing_error_in_a_file_of_claims_is_refused_when_the_study_is_planned(
    tmp_path: Path, wrong: dict[str, str], line: int, what: str
) -> None:
    file = tmp_path / "claims.yaml"
    study = Study.model_validate({**STUDY, "claims": str(file)})
    file.write_text(MINE.format(**RIGHT))
    require_claims(study.claims, KnownNames.of_study(study))
    file.write_text(MINE.format(**{**RIGHT, **wrong}))
    with pytest.raises(UserError) as caught:
        make_plan(study, dry=True)  # before the encoder, which is nowhere, is looked for
    assert str(caught.value).startswith(f"{file}:{line}: {what}")


def test_a_claim_may_name_the_noise_of_people_that_its_study_names(tmp_path: Path) -> None:
    file = tmp_path / "claims.yaml"
    file.write_text(MINE.format(**{**RIGHT, "perturbation": "dialect"}))
    twins = [{"target": "mw-nli", "variant": "mw-nli", "name": "dialect"}]
    study = Study.model_validate({**STUDY, "claims": str(file), "twins": twins})
    require_claims(study.claims, KnownNames.of_study(study))
    for others in ([], [{"target": "mw-nli", "variant": "dialects"}]):
        with pytest.raises(UserError, match="unknown perturbation 'dialect'"):
            require_claims(study.claims, KnownNames.of_study(Study.model_validate({**STUDY, "twins": others})))


def test_the_line_of_a_name_is_where_it_stands_and_not_a_sentence_that_holds_it(tmp_path: Path) -> None:
    file = tmp_path / "claims.yaml"
    file.write_text(MINE.format(**{**RIGHT, "route": "mien"}).replace("statement: s", "statement: the mien helps"))
    with pytest.raises(UserError) as caught:
        require_claims([str(file)], KnownNames.of_study(Study.model_validate(STUDY)))
    assert str(caught.value).startswith(f"{file}:9: a: unknown route 'mien'")


def test_the_claims_of_a_study_are_no_part_of_what_it_asks() -> None:
    with_claims = Study.model_validate({**STUDY, "claims": ["phang2020"]})
    assert study_id(with_claims) == study_id(Study.model_validate(STUDY))
    require_claims(with_claims.claims, KnownNames.of_study(with_claims))  # the package's name tasks of other studies


def test_claims_of_effects_are_counted_apart_from_those_of_procedure() -> None:
    claims = read_claims("phang2020").claims
    judged = [JudgedClaim(c, "supported" if c.id == "phang2020-8" else "not tested", ()) for c in claims]
    assert counted_verdicts(judged) == (
        "about effects: 6 not tested; about procedure and coverage: 1 supported, 2 not tested"
    )


def test_a_name_that_no_file_can_have_is_an_unknown_file_of_claims() -> None:
    for name in ("x" * 5000, "a\0b"):
        with pytest.raises(UserError, match="unknown file of claims"):
            read_claims(name)
