"""`limit` takes whole clusters, the same in every language."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crosswind.data.examples import Candidate, Dataset, PairExample, Pool, QueryExample
from crosswind.data.source import Portion, open_source
from crosswind.data.sources.files import FilesSource
from crosswind.data.sources.microworld import MicroworldSource
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load, part_of
from crosswind.tasks.refs import DataRef, Library


def dataset(*clusters: str) -> Dataset:
    examples = tuple(PairExample(f"{i}", name, "en", "a", "b", 0) for i, name in enumerate(clusters))
    return Dataset("xnli", "en", "test", examples)


def ids(data: Dataset) -> list[str]:
    return [example.id for example in data]


def test_clusters_come_by_the_hash_of_their_names_and_examples_in_their_order() -> None:
    # printf NAME | sha256sum: c 2e7d…, b 3e23…, a ca97…
    data = dataset("a", "b", "a", "c", "b", "c")
    assert ids(part_of(data, TASKS["xnli"], limit=2)) == ["3", "5"]
    assert ids(part_of(data, TASKS["xnli"], limit=4)) == ["1", "3", "4", "5"]
    assert ids(part_of(data, TASKS["xnli"], limit=6)) == ids(data)


def test_a_part_has_the_candidates_of_its_clusters_or_the_pool_that_all_share() -> None:
    candidates = tuple(Candidate(f"c{name}", "en", "text", cluster=name) for name in "abc")
    examples = tuple(QueryExample(name, name, "en", "text", (f"c{name}",)) for name in "abc")
    data = Dataset("tatoeba", "de", "test", examples, Pool(candidates))
    cut = part_of(data, TASKS["tatoeba"], limit=1).pool
    assert cut is not None
    assert [c.id for c in cut.candidates] == ["cc"]
    assert TASKS["mewslix"].shared_pool
    assert part_of(data, TASKS["mewslix"], limit=1).pool == data.pool


def test_a_limit_is_not_exceeded_but_by_the_very_first_cluster() -> None:
    data = dataset("a", "b", "b", "c", "c", "c")
    assert ids(part_of(data, TASKS["xnli"], limit=4)) == ["3", "4", "5"]  # b would make five
    assert ids(part_of(data, TASKS["xnli"], limit=2)) == ["3", "4", "5"]
    assert ids(part_of(data, TASKS["xnli"], limit=5)) == ["1", "2", "3", "4", "5"]


def test_a_smaller_limit_is_a_part_of_a_larger_one() -> None:
    source = MicroworldSource()
    sets = [set(ids(load(TASKS["mw-qa"], "en", "dev", source, limit=n))) for n in (10, 50, 200)]
    assert [len(s) for s in sets] == [8, 48, 200]
    assert sets[0] < sets[1] < sets[2]


@pytest.mark.parametrize("task", [t.name for t in TASKS if t.generated is not None])
def test_the_clusters_of_the_microworld_are_known_without_its_examples(task: str) -> None:
    content = MicroworldSource().content(TASKS[task], Portion(TASKS[task].languages[-1], "dev"))
    if content.clusters is None:
        assert isinstance(content.examples, tuple)
    else:
        assert [content.clusters[i] for i in range(30)] == [content.examples[i].cluster for i in range(30)]
        assert len(content.clusters) == len(content.examples)


def test_the_microworld_gives_the_same_items_in_every_language() -> None:
    source = open_source({"source": "microworld"})
    chosen = {tuple(ids(DataRef("mw-nli", code, "test", limit=9).load(source))) for code in TASKS["mw-nli"].languages}
    assert len(chosen) == 1
    assert [name.split("/")[0] for name in chosen.pop()] == ["mw-nli"] * 9


def test_xquad_is_spread_over_its_articles_alike_in_every_language(official_data: Callable[..., Path]) -> None:
    root = official_data("xquad")
    source = FilesSource(root)
    sets = {code: load(TASKS["xquad"], code, "test", source, limit=200) for code in ("de", "en", "th", "zh")}
    assert len({tuple(ids(data)) for data in sets.values()}) == 1
    files = sorted((root / "xquad").glob("xquad.en.json*"))
    articles = json.loads(files[0].read_text())["data"]
    article = {q["id"]: n for n, a in enumerate(articles) for p in a["paragraphs"] for q in p["qas"]}
    counts = Counter(article[name.removeprefix("squad/dev/")] for name in ids(sets["en"]))
    # The first 200 questions are those of seven of the 48 articles.
    assert (len(sets["en"]), len(counts)) == (190, 26)
    whole = Counter(example.cluster for example in load(TASKS["xquad"], "en", "test", source))
    assert all(n == whole[name] for name, n in Counter(e.cluster for e in sets["en"]).items())


def test_a_pool_is_cut_to_the_chosen_clusters(official_data: Callable[..., Path]) -> None:
    source = FilesSource(official_data("lareqa"))
    data = load(TASKS["lareqa"], "de", "test", source, limit=20, pool_languages=("de", "en"))
    assert data.pool is not None
    assert {c.cluster for c in data.pool.candidates} == {e.cluster for e in data}


def test_a_sample_takes_what_a_limit_takes_and_leaves_the_pool() -> None:
    library = Library({"source": "microworld"})
    whole = DataRef("mw-answers", "qla-Latn", "test")
    cut, sampled = (library.dataset(replace(whole, **{name: 12})) for name in ("limit", "sample"))
    assert ids(sampled) == ids(cut)
    assert 0 < len(sampled) <= 12 < len(library.dataset(whole))
    assert sampled.pool is library.dataset(whole).pool  # one in memory
    assert len(cut.pool or ()) < len(sampled.pool or ())
    # Before the pool of what is evaluated, be it of a part of the split.
    part = replace(whole, limit=40)
    both = replace(part, sample=12).load(library.source)
    assert ids(both) == ids(sampled)
    assert both.pool == library.dataset(part).pool
    assert DataRef.from_json(replace(part, sample=12).to_json()) == replace(part, sample=12)
    assert "sample" not in part.to_json()  # the keys of steps without one stay what they were
    assert (whole.size or 0) > (replace(part, sample=12).size or 0) == 12
    assert replace(part, sample=12).undrawn == whole


def test_the_results_say_that_clusters_were_taken() -> None:
    assert DataRef("xnli", "de", "test", limit=200).selection == "200 by clusters"
    assert DataRef("xnli", "de", "test", "0-499", 200).selection == "0-499 200 by clusters"
    assert DataRef("xnli", "de", "test").selection == "all"
    assert DataRef("lareqa", "de", "test", sample=50).selection == "50 by clusters before the whole pool"
