"""Published results as data, and runs beside them where the protocols can be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from crosswind.analysis.published import PROTOCOLS, Comparison, Protocol, Trained, compare_published, published_results
from crosswind.analysis.results import ResultRow, table
from crosswind.data.languages import name_of
from crosswind.errors import UserError
from crosswind.evaluate.benchmark import BENCHMARKS
from crosswind.evaluate.metrics.base import METRICS
from crosswind.tasks.base import TASKS

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "published_results.yaml"
SOURCED = ("paper_full_text", "paper_abstract", "author_repository", "citing_paper_full_text")
ROW = ResultRow(
    encoder="xlmr", route="none", pipeline_seed=1, target="xnli", language="de", split="test", metric="accuracy",
    key="accuracy", score=80.0, n=5010, clusters=1670, signature="metric=accuracy|version=1", cell="c",
)  # fmt: skip
ZERO_SHOT = Trained({"none": "zero-shot", "english": "intermediate", "given": None})


def xnli(**changes: Any) -> Iterator[ResultRow]:
    for language in BENCHMARKS["xtreme"].tasks["xnli"].languages:
        yield replace(ROW, language=language, **changes)


def beside(
    rows: Iterator[ResultRow] | list[ResultRow], trained: Trained = ZERO_SHOT, protocol: Protocol | None = None
) -> Comparison:
    return compare_published(table(rows), trained, protocol)


def reason(comparison: Comparison, part: str) -> int:
    return sum(count for text, count in comparison.reasons.items() if part in text)


def test_every_figure_that_a_paper_or_its_authors_state_is_there_with_its_grade() -> None:
    if not REFERENCE.exists():
        pytest.skip("needs ../shared/reference/published_results.yaml")
    entries = yaml.safe_load(REFERENCE.read_text(encoding="utf-8"))["entries"]
    sourced = [e for e in entries if e["evidence"] in SOURCED]
    ours = published_results()
    assert len(ours) == len(sourced) == 378

    def figure(value: Any, task: str) -> Any:
        return round(100 * value, 2) if task == "XQuAD-R" else value  # fractions there

    wanted = Counter((e["model"], e["setting"], e["evidence"], figure(e["value"], e["task"])) for e in sourced)
    assert Counter((r.model, r.setting, r.evidence, r.value) for r in ours) == wanted


def test_figures_are_of_tasks_keys_and_languages_that_exist() -> None:
    for result in published_results():
        assert result.evidence in SOURCED
        assert result.protocol in PROTOCOLS
        assert result.title
        if not result.task:
            assert result.what
            continue
        entry = next((b.tasks[result.task] for b in BENCHMARKS if result.task in b.tasks), None)
        assert entry is not None, result.task
        name = entry.metric or TASKS[result.task].metric
        assert result.key in (*METRICS[name].keys, "map")
        assert isinstance(result.value, float)
        assert 0 <= result.value <= 100
        assert result.where.startswith("mean") or result.where in entry.languages or result.where in ("ro",)
        assert result.where.startswith("mean") or name_of(result.where)


def test_a_zero_shot_run_stands_beside_zero_shot_figures_alone() -> None:
    compared = beside(xnli())
    models = {row.published.model: row for row in compared.rows}
    assert {row.published.protocol for row in compared.rows} == {"zero-shot"}
    # Chung et al. 2021 (2010.12821), table 16: RemBERT 80.8; the mT5 README: XLM-R Large 79.2
    assert models["RemBERT"].published.value == 80.8
    assert (
        models["XLM-R Large"].difference == pytest.approx(80 - 79.2) or models["XLM-R Large"].published.value == 79.85
    )
    assert "STILTs (Phang et al. 2020), XLM-R Large" not in models
    assert reason(compared, "xnli: published intermediate, the run is zero-shot") == 2
    assert reason(compared, "xnli: published translate-train") == 2
    assert reason(compared, "the run has no pawsx") > 0
    assert sum(compared.reasons.values()) + len(compared.rows) == len(published_results())


def test_an_intermediate_route_stands_beside_intermediate_figures() -> None:
    compared = beside(xnli(route="english"))
    assert {(r.published.model, r.published.value) for r in compared.rows} == {
        ("STILTs (Phang et al. 2020), XLM-R Large", 80.0),
        ("X-STILTs", 80.4),
    }


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"split": "dev"}, "xnli: the source evaluates test, the run dev"),
        ({"rows": "20 by clusters"}, "xnli: the run has rows 20 by clusters alone"),
        ({"metric": "mine"}, "xnli: the run has no accuracy by accuracy"),
        ({"exposure": "same-task/labelled"}, "xnli: published zero-shot, the run is translate-train"),
        ({"route": "given"}, "what the checkpoint was trained on is not known here: say it with --protocol"),
        ({"defence": "freelb"}, "xnli: the run trains with the defence freelb"),
    ],
)
def test_what_cannot_be_compared_says_why(changes: dict[str, Any], text: str) -> None:
    compared = beside(xnli(**changes))
    assert not [row for row in compared.rows if row.published.protocol == "zero-shot"]
    assert reason(compared, text) > 0


def test_languages_that_are_missing_make_no_mean() -> None:
    compared = beside([r for r in xnli() if r.language != "sw"])
    assert compared.rows == ()
    assert reason(compared, "xnli: without 1 of 15 languages: sw") > 0


def test_single_languages_and_other_releases() -> None:
    keys = {"f1": 75.0, "exact_match": 60.0}
    german = [replace(ROW, target="xquad", metric="squad", key=k, score=v) for k, v in keys.items()]
    compared = beside(german)
    assert {(r.published.where, r.published.key) for r in compared.rows} == {("de", "f1"), ("de", "exact_match")}
    assert reason(compared, "xquad: the run has no ar") > 0
    for release, there in (("UD 2.7", False), ("UD 2.5", True)):
        tagged = [
            replace(
                ROW,
                target="udpos",
                language=x,
                metric="seqeval-f1",
                key="f1",
                signature=f"metric=seqeval-f1|release={release}",
            )
            for x in BENCHMARKS["xtreme"].tasks["udpos"].languages
        ]
        compared = beside(tagged)
        assert bool(compared.rows) is there
        assert (reason(compared, "udpos: published on UD 2.5, the run is on UD 2.7") > 0) is not there


def test_what_a_checkpoint_was_trained_on_can_be_said() -> None:
    assert beside(xnli(route="given")).rows == ()
    assert len(beside(xnli(route="given"), protocol="zero-shot").rows) == len(beside(xnli()).rows) > 0
    part = Trained({"none": "zero-shot"}, {"xnli": "the run trains on a part of mnli (0-15)"})
    assert reason(beside(xnli(), part), "xnli: the run trains on a part of mnli (0-15)") > 0
    with pytest.raises(UserError, match="unknown protocol 'zeroshot'"):
        beside(xnli(), protocol="zeroshot")  # type: ignore[arg-type]


def test_a_comparison_is_plain_data() -> None:
    value = beside(xnli()).to_json()
    assert value["compared"][0]["route"] == "none"
    assert value["compared"][0]["evidence"] in SOURCED
    assert "a difference is no verdict" in value["notes"][0]


def test_a_checkpoint_that_was_selected_on_target_languages_is_not_the_run() -> None:
    """Its scores, selected with an oracle, stand beside the usual ones and enter no comparison."""
    rows = [*xnli(selection="english"), *xnli(selection="oracle", score=90.0, cell="o")]
    compared = [row for row in beside(rows).rows if row.published.task == "xnli"]
    assert compared
    assert {row.score for row in compared} == {80.0}
