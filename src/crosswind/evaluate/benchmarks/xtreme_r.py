"""XTREME-R (Ruder et al. 2021): the tasks, languages and groups of google-research/xtreme, `evaluate.py`, at 838c13b.

The official script lists no language for LAReQA and leaves it out of `retrieval`; here it has the eleven
languages of XQuAD-R, and `retrieval_with_lareqa` is the group as in the paper.
"""

from __future__ import annotations

from dataclasses import replace

from crosswind.evaluate.benchmark import Benchmark, BenchmarkTask, codes
from crosswind.evaluate.benchmarks.xtreme import XTREME_BENCHMARK as _XTREME


def _more(task: str, languages: str) -> BenchmarkTask:
    """XTREME's task with the languages that XTREME-R adds."""
    entry = _XTREME.tasks[task]
    return replace(entry, languages=tuple(sorted({*entry.languages, *languages.split()})))


XTREME_R_BENCHMARK = Benchmark(
    name="xtreme-r",
    summary="ten tasks in 50 languages",
    tasks={
        "xnli": _XTREME.tasks["xnli"],
        "xcopa": BenchmarkTask(codes("et ht id it qu sw ta th tr vi zh"), labels=("0", "1"), suffix=".jsonl"),
        "udpos": _more("udpos", "lt pl ro uk wo"),
        "panx": _more("panx", "az gu lt pa pl qu ro uk"),
        "xquad": _more("xquad", "ro"),
        "mlqa": _XTREME.tasks["mlqa"],
        "tydiqa": _XTREME.tasks["tydiqa"],
        "tatoeba": _more("tatoeba", "az lt pl ro uk"),
        "mewslix": BenchmarkTask(
            codes("ar de en es fa ja pl ro ta tr uk"), format="links", metric="map@20", keys=("map@20",)
        ),
        "lareqa": BenchmarkTask(codes("ar de el en es hi ru th tr vi zh"), keys=("map@20",)),
    },
    groups={
        "classification": ("xnli", "xcopa"),
        "tagging": ("udpos", "panx"),
        "qa": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("tatoeba", "mewslix"),
        "retrieval_with_lareqa": ("tatoeba", "mewslix", "lareqa"),
        "multi_choice": ("xcopa",),
    },
    source="Ruder et al. 2021, XTREME-R: Towards More Challenging and Nuanced Multilingual Evaluation",
)
