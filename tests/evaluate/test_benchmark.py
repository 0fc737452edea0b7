"""Declarations of benchmarks: the official ones, and one in a folder of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from crosswind.errors import UserError
from crosswind.evaluate.benchmark import BENCHMARKS, Benchmark, BenchmarkTask, scoring
from crosswind.evaluate.score import score_folder

FILE = """
from crosswind.evaluate.benchmark import Benchmark, BenchmarkTask

SMALL = Benchmark(
    name="small",
    summary="one task of XTREME, and retrieval that is no task",
    tasks={
        "xnli": BenchmarkTask(("de", "sw")),
        "links": BenchmarkTask(("de",), format="rankings", metric="map", keys=("mrr", "map")),
    },
    groups={"all": ("xnli", "links")},
)
"""


@pytest.mark.parametrize(
    ("benchmark", "sizes"),
    [
        (
            "xtreme",
            {"xnli": 15, "pawsx": 7, "udpos": 33, "panx": 40, "xquad": 11, "mlqa": 7, "tydiqa": 9, "bucc2018": 4,
             "tatoeba": 36},
        ),
        (
            "xtreme-r",
            {"xnli": 15, "xcopa": 11, "udpos": 38, "panx": 48, "xquad": 12, "mlqa": 7, "tydiqa": 9, "tatoeba": 41,
             "mewslix": 11, "lareqa": 11},
        ),
    ],
)  # fmt: skip
def test_the_official_lists_have_the_published_numbers_of_languages(benchmark: str, sizes: dict[str, int]) -> None:
    declared = BENCHMARKS[benchmark]
    assert {name: len(entry.languages) for name, entry in declared.tasks.items()} == sizes
    assert {x for members in declared.groups.values() for x in members} == set(sizes)


def test_what_a_benchmark_does_not_say_is_the_tasks_own() -> None:
    xnli = scoring(BENCHMARKS["xtreme"], "xnli")
    assert (xnli.format.name, xnli.metric.name, xnli.labels) == (
        "lines", "accuracy", ("entailment", "neutral", "contradiction"),
    )  # fmt: skip
    assert scoring(BENCHMARKS["xtreme"], "pawsx").labels == ("0", "1")
    assert scoring(BENCHMARKS["xtreme"], "udpos").keys == ("f1", "precision", "recall", "token_accuracy")
    bucc = scoring(BENCHMARKS["xtreme"], "bucc2018")
    assert (bucc.format.name, bucc.metric.name, bucc.labels) == ("pairs", "set-f1", ())


def test_a_benchmark_that_names_no_format_of_what_is_no_task_is_refused() -> None:
    mine = Benchmark("mine", "", {"links": BenchmarkTask(("de",), metric="map")}, {})
    with pytest.raises(UserError, match="benchmark mine, links: no submission format or no metric is declared"):
        scoring(mine, "links")


def test_a_benchmark_is_one_file_of_the_users(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/small.py").write_text(FILE, encoding="utf-8")
    BENCHMARKS.include(tmp_path / "mine")
    files = {
        "p/xnli/test-de.tsv": "neutral\nneutral\n", "l/xnli/test-de.tsv": "neutral\nentailment\n",
        "p/xnli/test-sw.tsv": "neutral\n", "l/xnli/test-sw.tsv": "neutral\n",
        "p/links/test-de.json": '{"q": ["a", "b"]}', "l/links/test-de.json": '{"q": ["b"]}',
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    scores = score_folder(tmp_path / "p", tmp_path / "l", "small")
    assert scores.tasks["xnli"].average == {"accuracy": 75.0}
    assert scores.tasks["links"].average == {"mrr": 50.0, "map": 50.0}
    assert scores.groups == {"all": 62.5}
