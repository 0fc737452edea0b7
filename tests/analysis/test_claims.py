"""Claims on tables whose figures can be counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_contrast import Study

from crosswind.analysis.claim_verdicts import judge_claims
from crosswind.analysis.claims import (
    BestCheck,
    ChosenCheck,
    Claim,
    ClaimCheck,
    ClaimScope,
    ConsistentCheck,
    DifferenceCheck,
    JudgedClaim,
    MostCheck,
    ProvenanceCheck,
    RouteRef,
    RunFacts,
)
from crosswind.analysis.contrast import Comparisons, RouteFacts
from crosswind.evaluate.benchmark import BENCHMARKS

NONE, ENGLISH, MULTI = RouteRef("none"), RouteRef("english"), RouteRef("multi")
SEEDS = (1, 2, 3)


def study(*gains: tuple[str, str, int, int], seeds: tuple[int, ...] = SEEDS) -> Study:
    """(route, target, right when clean, right when perturbed) of 400 items in German, under every seed."""
    made = Study()
    for seed in seeds:
        for route, target, clean, perturbed in gains:
            made.pair(route, "de", clean + seed, perturbed + seed, seed=seed, target=target)
    return made


def facts(*routes: str, targets: tuple[str, ...] = ("xnli",), **more: object) -> RunFacts:
    trained = {"english": {"tasks": "mnli", "languages": "en", "phases": "1"}}
    return RunFacts(
        encoders=("xlm-roberta-large",),
        routes=routes,
        targets=targets,
        splits=dict.fromkeys(targets, ("test",)),
        selections=("english",),
        facts=RouteFacts(trained),
        **more,  # type: ignore[arg-type]
    )


def judged(check: ClaimCheck, made: Study, run: RunFacts, scope: ClaimScope | None = None) -> JudgedClaim:
    claim = Claim(id="c", statement="s", source="t", scope=scope or ClaimScope(), checks=(check,))
    (result,) = judge_claims([claim], made.contrasts(routes=list(run.routes)), run)
    return result


TWO = study(("none", "xnli", 200, 160), ("english", "xnli", 260, 250))  # +15 clean, +22.5 perturbed, drop 10 → 2.5
RUN = facts("none", "english")


def difference(**keys: object) -> DifferenceCheck:
    given = {"measure": "clean", "route": ENGLISH, "against": NONE, "expect": "helps", **keys}
    return DifferenceCheck(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (difference(), "supported"),
        (difference(expect="hurts"), "refuted"),
        (difference(route=NONE, against=ENGLISH, expect="hurts"), "supported"),
        (difference(measure="perturbed"), "supported"),
        (difference(measure="drop", expect="more robust"), "supported"),
        (difference(measure="drop", expect="less robust"), "refuted"),
        (difference(size=15, tolerance=8), "supported"),
        (difference(size=15, tolerance=0.1), "undecided"),  # the interval is wider than the tolerance
        (difference(size=40), "refuted"),
        (difference(size=1), "refuted"),
        (difference(expect="no benefit", margin=2), "refuted"),
        (difference(expect="no benefit", margin=30), "supported"),
        (difference(route=RouteRef(tasks=("mnli",), languages=("en",))), "supported"),
        (difference(route=RouteRef(tasks=("mnli",), languages=("en", "de"))), "not tested"),
        (difference(route=MULTI), "not tested"),
        (difference(target="xnli"), "supported"),
        (difference(target="panx"), "not tested"),
        (difference(perturbation="swap", measure="perturbed"), "supported"),
    ],
)
def test_a_difference_is_judged_by_its_interval(check: DifferenceCheck, verdict: str) -> None:
    assert judged(check, TWO, RUN).verdict == verdict


def test_the_clean_difference_stands_beside_one_under_perturbation() -> None:
    (finding,) = judged(difference(measure="drop", expect="more robust"), TWO, RUN).findings
    assert finding.text.startswith("gain +7.5 [")
    assert "; clean +15.0 [" in finding.text
    assert [c.measure for c in finding.contrasts] == ["drop", "clean"]


def test_nothing_shown_is_undecided_and_one_seed_is_not_tested() -> None:
    same = study(("none", "xnli", 200, 160), ("english", "xnli", 202, 161))
    assert judged(difference(), same, RUN).verdict == "undecided"
    assert judged(difference(expect="no benefit", margin=0.5), same, RUN).verdict == "undecided"
    one = study(("none", "xnli", 200, 160), ("english", "xnli", 260, 250), seeds=(1,))
    result = judged(difference(), one, RUN)
    assert result.verdict == "not tested"
    assert "one seed" in result.findings[0].text


def test_outside_its_scope_a_claim_is_not_tested_and_the_analogue_is_shown() -> None:
    scope = ClaimScope(encoder="FacebookAI/xlm-roberta-base", targets=("xnli", "panx"), split="dev", selection="oracle")
    result = judged(difference(), TWO, RUN, scope)
    assert (result.verdict, result.analogue) == ("not tested", "supported")
    assert result.outside.split("; ") == [
        "the encoder is xlm-roberta-large, the claim is about FacebookAI/xlm-roberta-base",
        "the run has no panx",
        "the run evaluates test, the claim is about dev",
        "checkpoints were chosen on english, not on oracle",
    ]
    inside = ClaimScope(encoder="FacebookAI/XLM-RoBERTa-large", targets=("xnli",), split="test", selection="english")
    assert judged(difference(), TWO, RUN, inside).verdict == "supported"


def test_a_target_without_the_split_counts_with_the_only_one_that_it_is_evaluated_on() -> None:
    """XQuAD and Tatoeba have a test set alone, TyDiQA's public development set is its test set."""
    targets = ("tydiqa", "xnli", "xquad")
    made = study(*((r, t, n, n) for t in targets for r, n in (("none", 200), ("english", 260))))
    dev = replace(facts("none", "english", targets=targets), splits={"xnli": ("dev",), "tydiqa": ("dev",)})
    scope = ClaimScope(targets=targets, split="dev")
    result = judged(difference(), made, replace(dev, splits={**dev.splits, "xquad": ("test",)}), scope)
    assert (result.verdict, result.outside) == ("supported", "")
    assert result.remark == "for want of dev data xquad on test"
    test = replace(dev, splits={"xnli": ("test",), "tydiqa": ("dev",), "xquad": ("test",)})
    assert judged(difference(), made, test, scope).outside == "the run evaluates xnli on test, the claim is about dev"
    result = judged(difference(), made, test, ClaimScope(split="test"))
    assert (result.outside, result.remark) == ("", "for want of test data tydiqa on dev")
    both = replace(test, splits={**test.splits, "xnli": ("dev", "test")})
    said = judged(difference(), made, both, ClaimScope(split="test")).outside
    assert said == "the run evaluates xnli on dev, test, the claim is about test"


def test_the_best_route_is_better_than_every_other() -> None:
    three = study(("none", "xnli", 200, 160), ("english", "xnli", 260, 250), ("multi", "xnli", 320, 310))
    run = facts("none", "english", "multi")
    assert judged(BestCheck(measure="clean", route=MULTI), three, run).verdict == "supported"
    assert judged(BestCheck(measure="clean", route=ENGLISH), three, run).verdict == "refuted"
    close = study(("none", "xnli", 200, 160), ("english", "xnli", 320, 250), ("multi", "xnli", 321, 310))
    assert judged(BestCheck(measure="clean", route=MULTI), close, run).verdict == "undecided"


def test_a_route_is_best_only_where_it_is_compared_with_every_other() -> None:
    three = study(("none", "xnli", 200, 160), ("english", "xnli", 260, 250), ("multi", "xnli", 320, 310))
    run = facts("none", "english", "multi")
    check = BestCheck(measure="clean", route=ENGLISH)
    claim = Claim(id="c", statement="s", source="t", scope=ClaimScope(), checks=(check,))
    some = three.contrasts(routes=list(run.routes), comparisons=Comparisons(pairs=(("english", "none"),)))
    (result,) = judge_claims([claim], some, run)
    text = "better than 1, worse than 0 of 2 other routes, with 1 of which it is compared"
    assert (result.verdict, result.findings[0].text) == ("undecided", text)


def test_a_defended_route_is_no_other_route() -> None:
    made = study(("none", "xnli", 200, 160), ("english", "xnli", 260, 250))
    for seed in SEEDS:
        for route, right in (("none", 240), ("english", 300)):
            made.pair(route, "de", right + seed, right, seed=seed, defence="pgd")
    check = BestCheck(measure="clean", route=ENGLISH)
    assert judged(check, made, RUN).findings[0].text == "better than 1, worse than 0 of 1 other routes"
    assert judged(check, made, RUN).verdict == "supported"
    consistent = ConsistentCheck(measure="clean", target="xnli", against=NONE, at_least=1)
    assert judged(consistent, made, RUN).findings[0].text == "1 of 1 routes help, 0 more may"


def test_an_average_over_all_targets_has_those_at_their_floor_in_it() -> None:
    gains = [("none", "xnli", 200, 160), ("english", "xnli", 260, 250)]
    floored = [("none", "xcopa", 190, 180), ("english", "xcopa", 190, 180)]
    contrasts = study(*gains, *floored).contrasts(routes=["none", "english"], chance={"xcopa": 50.0})
    check = difference(measure="official")
    claim = Claim(id="c", statement="s", source="t", scope=ClaimScope(), checks=(check,))
    (result,) = judge_claims([claim], contrasts, facts("none", "english", targets=("xnli", "xcopa")))
    assert result.findings[0].contrasts[0].targets == ("xcopa", "xnli")
    assert result.findings[0].text.startswith("gain +7.5 [")


def test_what_gains_most_gains_more_than_all_others() -> None:
    made = study(
        *(("none", target, 200, 160) for target in ("xnli", "panx", "pawsx")),
        *(("english", target, right, 150) for target, right in (("xnli", 210), ("panx", 360), ("pawsx", 340))),
    )
    run = facts("none", "english", targets=("xnli", "panx", "pawsx"))
    most = {"measure": "clean", "route": ENGLISH, "against": NONE}
    assert judged(MostCheck(targets=("panx", "pawsx"), **most), made, run).verdict == "supported"  # type: ignore[arg-type]
    assert judged(MostCheck(targets=("xnli",), **most), made, run).verdict == "refuted"  # type: ignore[arg-type]
    assert judged(MostCheck(targets=("panx",), **most), made, run).verdict == "undecided"  # type: ignore[arg-type]
    assert judged(MostCheck(targets=("mlqa",), **most), made, run).verdict == "not tested"  # type: ignore[arg-type]


def test_gains_are_consistent_where_enough_routes_help() -> None:
    made = study(("none", "xnli", 200, 160), ("english", "xnli", 260, 250), ("multi", "xnli", 140, 100))
    run = facts("none", "english", "multi")

    def check(at_least: int, *, fails: bool = False) -> str:
        consistent = ConsistentCheck(measure="clean", target="xnli", against=NONE, at_least=at_least, fails=fails)
        return judged(consistent, made, run).verdict

    assert check(1) == "supported"
    assert check(2) == "refuted"  # the other one hurts
    assert check(2, fails=True) == "supported"
    assert check(1, fails=True) == "refuted"
    assert check(3) == "not tested"


def test_the_best_route_of_each_target_is_chosen_on_dev_and_estimated_on_test() -> None:
    made = study(
        *(("none", target, 200, 160) for target in ("xnli", "panx")),
        *(("english", target, right, 150) for target, right in (("xnli", 260), ("panx", 180))),
    )
    chosen = ChosenCheck(measure="clean", against=NONE, size=7.5, tolerance=6)
    targets = ("xnli", "panx")
    assert judged(chosen, made, facts("none", "english", targets=targets)).verdict == "not tested"
    dev = {("none", "xnli"): 50.0, ("english", "xnli"): 60.0, ("none", "panx"): 50.0, ("english", "panx"): 45.0}
    run = facts("none", "english", targets=targets, development=dev)
    (finding,) = judged(chosen, made, run).findings
    assert finding.text.startswith("+7.5 [")  # +15 in xnli, nothing in panx, where none was best on dev
    assert finding.verdict == "supported"


def test_what_is_chosen_is_as_uncertain_as_its_targets_where_their_intervals_were_cut() -> None:
    made = Study()
    for seed, english in ((1, 390), (2, 240)):  # two seeds that disagree: of a gain of 41 points nothing is excluded
        for target in ("xnli", "panx"):
            made.pair("none", "de", 150, 150, seed=seed, target=target)
            made.pair("english", "de", english, english, seed=seed, target=target)
    dev = {(route, target): s for route, s in (("none", 1.0), ("english", 2.0)) for target in ("xnli", "panx")}
    run = facts("none", "english", targets=("xnli", "panx"), development=dev)
    for size in (-98, 98):
        (finding,) = judged(ChosenCheck(measure="clean", against=NONE, size=size, tolerance=1), made, run).findings
        assert finding.text.startswith("+41.2 [-100.0, +100.0]")
        assert finding.verdict == "undecided"


def test_a_choice_is_over_the_targets_that_have_development_data_and_names_the_others() -> None:
    targets = ("tatoeba", "tydiqa", "xnli", "xquad")
    made = study(*((r, t, n, n) for t in targets for r, n in (("none", 200), ("english", 230))))
    chosen = ChosenCheck(measure="clean", against=NONE, size=7.5, tolerance=6)
    run = facts("none", "english", targets=targets, development={("none", "xnli"): 50.0, ("english", "xnli"): 60.0})
    run = replace(run, splits={**run.splits, "tydiqa": ("dev",)})
    (finding,) = judged(chosen, made, run).findings
    assert (finding.verdict, finding.text.startswith("+7.5 [")) == ("supported", True)
    assert finding.text.endswith(
        "] over 1 targets; not among them: tatoeba, xquad (no development data); tydiqa (measured on development data)"
    )
    (finding,) = judged(chosen, made, replace(run, development={})).findings  # only what exists is asked for
    assert finding.text == (
        "the run has no scores on development data to choose on: run its study into another folder with "
        "--set targets.tasks.xnli.split=dev, and name that folder beside the run's"
    )
    onto = replace(run, development={}, splits={**run.splits, "xnli": ("dev",)})
    (finding,) = judged(chosen, made, onto).findings
    assert finding.verdict == "not tested"
    assert finding.text.startswith("nothing is left to choose on: tatoeba, xquad (no development data); ")


def test_what_a_run_is_is_checked_from_its_provenance() -> None:
    def check(**keys: object) -> str:
        return judged(ProvenanceCheck(**keys), TWO, RUN).verdict  # type: ignore[arg-type]

    assert check(encoder="FacebookAI/xlm-roberta-large") == "supported"
    assert check(encoder="xlm-roberta-base") == "not tested"
    assert check(phases=3) == "supported"
    assert judged(ProvenanceCheck(phases=3), TWO, facts("none")).verdict == "not tested"
    assert check(covers=("mnli",)) == "supported"
    assert check(covers=("mnli", "squad")) == "not tested"


def test_p_values_are_adjusted_over_all_checks_of_a_file() -> None:
    made = study(("none", "xnli", 200, 160), ("english", "xnli", 214, 172))
    contrasts = made.contrasts(routes=["none", "english"])
    claims = [
        Claim(id=f"c{i}", statement="", source="", scope=ClaimScope(), checks=(difference(measure=m, expect=e),))
        for i, (m, e) in enumerate([("clean", "helps"), ("perturbed", "helps"), ("drop", "more robust")])
    ]
    raw = {c.measure: c.estimate.p for c in contrasts if c.kind == "difference" and c.scope == "all"}
    findings = [result.findings[0] for result in judge_claims(claims, contrasts, RUN)]
    adjusted = {f.contrasts[0].measure: f.adjusted for f in findings}
    order = sorted(raw, key=lambda m: raw[m] or 0.0)
    expected, so_far = {}, 0.0
    for rank, measure in enumerate(order):
        so_far = max(so_far, min(1.0, (3 - rank) * (raw[measure] or 0.0)))
        expected[measure] = so_far
    assert adjusted == pytest.approx({m: expected[m] for m in adjusted})


def test_where_every_language_was_perturbed_the_clean_score_is_that_of_everywhere() -> None:
    """The table has rows of *everywhere* only where they differ from the clean ones; claims ask for them always."""
    (finding,) = judged(difference(measure="everywhere"), TWO, RUN).findings
    assert (finding.verdict, finding.contrasts[0].estimate.score) == ("supported", pytest.approx(15.0))
    best = judged(BestCheck(measure="everywhere", route=ENGLISH), TWO, RUN)
    assert best.verdict == "supported"
    of_target = ConsistentCheck(measure="everywhere", target="xnli", against=NONE, at_least=1)
    assert judged(of_target, TWO, RUN).verdict == "supported"


def test_a_route_that_is_not_there_is_named_with_what_may_be_meant() -> None:
    check = DifferenceCheck(measure="clean", route=RouteRef("englsh"), against=NONE, expect="helps")
    found = judged(check, TWO, RUN).findings[0]
    assert (found.verdict, found.text) == ("not tested", "the run has no route 'englsh' (did you mean 'english'?)")
    check = DifferenceCheck(measure="clean", route=RouteRef(tasks=("squad",)), against=NONE, expect="helps")
    assert judged(check, TWO, RUN).findings[0].text == "the run has no route 'trained on squad'"


def test_averages_of_a_benchmark_are_over_its_languages_and_no_others() -> None:
    languages = BENCHMARKS["xtreme"].tasks["pawsx"].languages
    check = DifferenceCheck(measure="official", route=ENGLISH, against=NONE, expect="helps")
    scope = ClaimScope(targets=("pawsx",), benchmark="xtreme")
    whole = facts("none", "english", targets=("pawsx",), languages={"pawsx": tuple(languages)})
    made = study(("none", "pawsx", 200, 160), ("english", "pawsx", 260, 250))
    assert judged(check, made, whole, scope).verdict == "supported"
    other = facts("none", "english", targets=("pawsx",), languages={"pawsx": (*(set(languages) - {"en"}), "sw")})
    result = judged(check, made, other, scope)
    assert (result.verdict, result.analogue) == ("not tested", "supported")
    assert result.outside == "xtreme averages pawsx over en too; xtreme averages pawsx without sw"


def test_an_official_gain_has_the_source_language_in_it() -> None:
    made = Study()
    for seed in SEEDS:
        for route, english, german in (("none", 200, 200), ("english", 300, 220)):
            made.add(route, "en", english + seed, seed=seed).add(route, "de", german + seed, seed=seed)
    check = DifferenceCheck(measure="official", route=ENGLISH, against=NONE, expect="helps")
    (finding,) = judged(check, made, RUN).findings
    assert finding.text.startswith("gain +15.0 [")
    assert finding.contrasts[0].languages == ("de", "en")


def margin_of(made: Study, p: float) -> float:
    """The margin that the gain of `english` clean is shown to be below at this one-sided p-value, by itself."""
    (contrast,) = (
        c
        for c in made.contrasts(routes=["none", "english"])
        if (c.kind, c.measure, c.scope, c.systems) == ("difference", "clean", "all", ("english", "none"))
    )
    low, high = contrast.estimate.bounds(2 * p) or (0.0, 0.0)
    return max(high, -low)


def test_no_benefit_is_corrected_for_the_number_of_such_checks() -> None:
    same = study(("none", "xnli", 200, 160), ("english", "xnli", 202, 161))
    check = difference(expect="no benefit", margin=margin_of(same, 0.04))
    assert judged(check, same, RUN).verdict == "supported"
    others = [difference(measure=m, expect="no benefit", margin=0.1) for m in ("perturbed", "drop")]
    claim = Claim(id="c", statement="s", source="t", scope=ClaimScope(), checks=(check, *others))
    (result,) = judge_claims([claim], same.contrasts(routes=["none", "english"]), RUN)
    assert [f.verdict for f in result.findings] == ["undecided"] * 3
    assert "p = 0.12)" in result.findings[0].text  # three times .04


def test_a_size_is_corrected_for_the_number_of_such_checks() -> None:
    check = difference(size=15, tolerance=margin_of(TWO, 0.04) - 15)
    assert judged(check, TWO, RUN).verdict == "supported"
    other = difference(measure="perturbed", size=22.5, tolerance=0.1)
    claim = Claim(id="c", statement="s", source="t", scope=ClaimScope(), checks=(check, other))
    (result,) = judge_claims([claim], TWO.contrasts(routes=["none", "english"]), RUN)
    assert [f.verdict for f in result.findings] == ["undecided", "undecided"]
    far = replace(check, size=margin_of(TWO, 0.02) + check.tolerance)  # beyond it at 4 %, of either side
    assert judged(far, TWO, RUN).verdict == "refuted"
    claim = replace(claim, checks=(far, other))
    (result,) = judge_claims([claim], TWO.contrasts(routes=["none", "english"]), RUN)
    assert [f.verdict for f in result.findings] == ["undecided", "undecided"]
