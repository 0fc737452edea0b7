"""XTREME (Hu et al. 2020): the tasks, languages and groups of google-research/xtreme, `evaluate.py`, at 838c13b."""

from __future__ import annotations

from crosswind.evaluate.benchmark import Benchmark, BenchmarkTask, codes

XTREME_BENCHMARK = Benchmark(
    name="xtreme",
    summary="nine tasks in 40 languages",
    tasks={
        "xnli": BenchmarkTask(codes("ar bg de el en es fr hi ru sw th tr ur vi zh")),
        "pawsx": BenchmarkTask(codes("de en es fr ja ko zh"), labels=("0", "1")),
        "udpos": BenchmarkTask(
            codes("af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi yo zh")
        ),
        "panx": BenchmarkTask(
            codes(
                "af ar bg bn de el en es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru sw ta te th"
                " tl tr ur vi yo zh"
            )
        ),
        "xquad": BenchmarkTask(codes("ar de el en es hi ru th tr vi zh")),
        "mlqa": BenchmarkTask(codes("ar de en es hi vi zh")),
        "tydiqa": BenchmarkTask(codes("ar bn en fi id ko ru sw te")),
        "bucc2018": BenchmarkTask(codes("de fr ru zh"), format="pairs", metric="set-f1", run_metric="bucc-f1"),
        "tatoeba": BenchmarkTask(
            codes(
                "af ar bg bn de el es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr nl pt ru sw ta te th tl tr ur"
                " vi zh"
            )
        ),
    },
    groups={
        "classification": ("xnli", "pawsx"),
        "tagging": ("udpos", "panx"),
        "qa": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("bucc2018", "tatoeba"),
    },
    source="Hu et al. 2020, XTREME: A Massively Multilingual Multi-task Benchmark",
)
