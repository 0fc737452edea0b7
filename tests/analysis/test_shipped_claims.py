"""Each of the nine claims of Phang et al. 2020 can be in the scope of a run, and is judged by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from test_contrast import Study

from crosswind.analysis.claim_verdicts import judge_claims
from crosswind.analysis.claims import JudgedClaim
from crosswind.analysis.contrast import Comparisons, RouteFacts
from crosswind.analysis.results import table
from crosswind.analysis.summarise import summarise
from crosswind.evaluate.benchmark import BENCHMARKS
from crosswind.study.analysed import Analysed
from crosswind.study.claim_file import read_claims
from crosswind.study.claimed import run_facts
from crosswind.study.joined import RunResults

TARGETS = ("bucc2018", "mlqa", "panx", "pawsx", "tatoeba", "tydiqa", "udpos", "xnli", "xquad")
NINE = ("anli", "ccg", "commonsenseqa", "cosmosqa", "hellaswag", "mnli", "qqp", "snli", "squad", "squad2")
TASKS = {"squad": "squad", "mnli": "mnli", "hellaswag": "hellaswag", "all": " ".join(NINE), "mlm-only": ""}
MEANS = {"none": 0.0, "squad": 8.2, "mnli": 7.5, "hellaswag": 7.0, "all": 8.7, "english": 5.0}
MEANS |= {"mlm-only": 2.0, "machine-translated": 3.0}
"""What a route brings over all nine targets, as the claims have it."""
SIZED = {"bucc2018": 25.0, "tatoeba": 20.0, "tydiqa": 5.0, "xnli": -2.0}
"""What every route brings in these; the others have what is left of its mean."""
N = 2000


def gains(mean: float, sized: Mapping[str, float] = SIZED) -> dict[str, float]:
    left = (9 * mean - sum(sized.values())) / (9 - len(sized))
    return {target: sized.get(target, left) for target in TARGETS}


@cache
def judged(
    split: str, *, chosen: bool = False, encoder: str = "FacebookAI/xlm-roberta-large"
) -> dict[str, JudgedClaim]:
    """Its contrasts are of one language, its rows say that it has all of XTREME's; three seeds."""
    evaluated = dict.fromkeys(TARGETS, split) | {"xquad": "test", "tatoeba": "test", "tydiqa": "dev"}
    # Chosen on development data a route brings 5.4 over the six targets that have some: 6.06 in four, nothing in XNLI.
    sized = {**SIZED, "bucc2018": 6 * 5.4 - 4 * gains(8.7)["mlqa"]} if chosen else SIZED
    study, rows = Study(N), []
    for route, mean in MEANS.items():
        of_route = gains(mean, SIZED)
        for target in TARGETS:
            gain = 0.0 if route == "none" else sized.get(target, of_route[target])
            for seed in (1, 2, 3):
                right = N // 2 + round(gain * N / 100)
                study.add(route, "de", right, seed=seed, target=target, split=evaluated[target], encoder=encoder)
            rows += [
                replace(study.rows[-1], language=language) for language in BENCHMARKS["xtreme"].tasks[target].languages
            ]
    phase = {"languages": "en", "phases": "1"}
    factors = {r: {"tasks": TASKS.get(r, "mnli squad"), **phase} for r in MEANS if r != "none"}
    comparisons, facts = Comparisons(), RouteFacts(factors)
    headline, sources = dict.fromkeys(TARGETS, "accuracy"), dict.fromkeys(TARGETS, "en")
    analysed = Analysed(tuple(MEANS), headline, {}, sources, (), (), comparisons, facts)
    run = RunResults((Path("run"),), "run", {}, table(rows), analysed, {}, {}, ())
    dev = [replace(row, split="dev") for row in rows if row.target not in ("xquad", "tatoeba")]
    choosing = [replace(run, rows=table(dev))] if chosen else []
    contrasts = summarise(
        table(study.rows), study.cells.__getitem__, routes=[*MEANS], facts=facts, comparisons=comparisons
    ).contrasts
    claims = read_claims("phang2020").claims
    return {j.claim.id: j for j in judge_claims(claims, contrasts, run_facts(run, choosing))}


ON_DEV = "for want of dev data xquad, tatoeba on test"


@pytest.mark.parametrize("number", [1, 2, 3, 4, 6, 7, 8, 9])
def test_each_claim_can_be_in_scope_and_is_judged(number: int) -> None:
    result = judged("dev")[f"phang2020-{number}"]
    assert result.outside == ""
    assert result.verdict == "supported", result.findings
    assert result.remark == (ON_DEV if number in (1, 2) else "")


@pytest.mark.slow
def test_the_best_of_each_target_is_chosen_on_dev_where_there_is_some_and_measured_on_test() -> None:
    result = judged("test", chosen=True)["phang2020-5"]
    assert (result.outside, result.remark) == ("", "for want of test data tydiqa on dev")
    (finding,) = result.findings
    assert finding.text.startswith("+5.4 [")
    assert finding.text.endswith(
        "over 6 targets; not among them: tatoeba, xquad (no development data); tydiqa (measured on development data)"
    )
    assert finding.verdict == "supported"
    assert "--set targets.tasks.xnli.split=dev" in judged("test")["phang2020-5"].findings[0].text
    assert "tatoeba" not in judged("test")["phang2020-5"].findings[0].text
    assert judged("test")["phang2020-1"].outside == (
        "the run evaluates xnli, pawsx, udpos, panx, mlqa, bucc2018 on test, the claim is about dev"
    )
