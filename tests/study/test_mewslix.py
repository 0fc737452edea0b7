"""Mewsli-X from files in the released format, against XTREME-R's own steps written out anew."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from crosswind.data.examples import Candidate, QueryExample, Span
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.model.rows import query_text
from crosswind.perturb.example import passages, rebuild
from crosswind.perturb.passage import Written
from crosswind.perturb.rewrite import Rewrite
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.plan import make_plan
from crosswind.study.run import Finished, run_study
from crosswind.study.spec import parse_study
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load

FOLDER = "mewslix"
DEV, TEST, ARABIC = 72, 458, 1501  # the official numbers of Persian and (test) Arabic mentions: sizes are checked
ENTITIES = 600


def spans(text: str) -> list[dict[str, int]]:
    return [{"start": m.start(), "end": m.end()} for m in re.finditer(r"[^.]+\.", text)]


def entity(i: int) -> dict[str, Any]:
    text = f"The river number {i} is a river.\nIt flows past house {i * 7 % 13} {{old}}."
    return {
        "entity_id": f"Q{i}", "title": f"River {i}", "description": text, "description_url": "u",
        "description_language": ("de", "en", "fa", "sw")[i % 4], "sentence_spans": spans(text),
    }  # fmt: skip


def article(split: str, i: int, language: str = "fa") -> dict[str, Any]:
    """An article of three sentences with two mentions, one of which stands in its sentence twice."""
    first, second = i * 2 % ENTITIES, (i * 2 + 1) % ENTITIES
    text = f"House and stone.\nA friend sees river {first} and  {{a}} river {first} again. Bread of river {second}."
    at, other = text.rindex(f"river {first}"), text.rindex("river")
    marks = [(at, f"river {first}", f"Q{first}"), (other, f"river {second}", f"Q{second}")]
    mentions = [
        {"example_id": f"{split}{language}{i}-{n}", "entity_id": qid,
         "mention_span": {"start": start, "end": start + len(name), "text": name}}
        for n, (start, name, qid) in enumerate(marks)
    ]  # fmt: skip
    context = {
        "document_id": f"{language}-{i}", "document_title": "t", "document_url": "u", "language": language,
        "text": text, "sentence_spans": [{"start": a, "end": b} for a, b in ((0, 16), (17, text.index("again.") + 6),
                                                                            (text.index("Bread"), len(text)))],
    }  # fmt: skip
    return {"context": context, "mentions": mentions}


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mewslix")
    write(root / FOLDER / "candidate_set_entities.jsonl", [entity(i) for i in range(ENTITIES)])
    for split, count in (("dev", DEV), ("test", TEST)):
        rows = [article(split, i) for i in range(count // 2)]
        if split == "test":  # the pool is embedded with the first of the task's languages
            arabic = [article(split, i, "ar") for i in range((ARABIC + 1) // 2)]
            rows += [*arabic[:-1], arabic[-1] | {"mentions": arabic[-1]["mentions"][:1]}]
        write(root / FOLDER / f"wikinews_mentions-{split}.jsonl", rows)
    for split in ("train", "dev"):
        pairs = []
        for i in range(6):
            row = article(split, i, "en")
            pair = {"context": row["context"], "mention": row["mentions"][0]}
            pairs.append({"contextual_mention": pair, "entity": entity(i * 2)})
        write(root / FOLDER / f"wikipedia_pairs-{split}.jsonl", pairs)
    return root


# XTREME-R, third_party/utils_mewslix.py: what a model reads of a mention and of an entity, and the score.


def official_mention(row: dict[str, Any], mention: dict[str, Any]) -> str:
    text, span = row["context"]["text"], mention["mention_span"]
    start, end = span["start"], span["end"]
    (sentence,) = [s for s in row["context"]["sentence_spans"] if s["start"] <= start and end <= s["end"]]
    left, right = text[sentence["start"] : start], text[end : sentence["end"]]
    left, right = (re.sub(r"\{(.*?)\}", r"(\1)", part) for part in (left, right))
    query = f"{span['text']}: {left} {{ {span['text']} }} {right}"
    return " ".join(query.splitlines()).replace("  ", " ").strip()


def official_entity(value: dict[str, Any]) -> str:
    text = " ".join(value["description"][s["start"] : s["end"]] for s in value["sentence_spans"])
    return " ".join(text.splitlines()).replace("  ", " ").strip()


def official_score(gold: list[str], ranked: list[list[str]]) -> float:
    reciprocal = [1 / (r[:20].index(g) + 1) if g in r[:20] else 0.0 for g, r in zip(gold, ranked, strict=True)]
    return 100 * sum(reciprocal) / len(reciprocal)


def embedded(folder: Path, texts: list[str]) -> np.ndarray[Any, Any]:
    """Mean over all tokens of the last layer, at most 64 of them, as unit vectors: plain transformers."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    vectors = []
    for text in texts:
        batch = tokenizer(text, truncation=True, max_length=64, return_tensors="pt")
        with torch.inference_mode():
            vectors.append(model(**batch).last_hidden_state[0].mean(0).numpy())
    made = np.stack(vectors)
    return made / np.linalg.norm(made, axis=1, keepdims=True)  # type: ignore[no-any-return]


STUDY = """
name: entities
encoder: {encoder}
data: {{source: files, root: {data}}}
routes: {{none: []}}
targets: {{tasks: {{mewslix: {{languages: [fa], train: []}}}}}}
perturb: ["swap:0.5"]
"""


@pytest.fixture(scope="module")
def finished(data: Path, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("run")
    study = parse_study(STUDY.format(encoder=tiny_encoder, data=data))
    finished = run_study(study, out=folder / "run", store=Store(folder / "store"), reporter=Silent())
    assert finished.outcome.complete, [failure.message for failure in finished.outcome.failed.values()]
    return finished


def test_the_score_is_that_of_the_official_steps(data: Path, tiny_encoder: Path, finished: Finished) -> None:
    rows = [article("test", i) for i in range(TEST // 2)]
    queries = embedded(tiny_encoder, [official_mention(r, m) for r in rows for m in r["mentions"]])
    pool = embedded(tiny_encoder, [official_entity(entity(i)) for i in range(ENTITIES)])
    ranked = [[f"Q{i}" for i in np.argsort(-scores, kind="stable")[:20]] for scores in queries @ pool.T]
    expected = official_score([m["entity_id"] for r in rows for m in r["mentions"]], ranked)
    results = pl.read_parquet(finished.out / "results.parquet")
    ours = results.filter((pl.col("key") == "map@20") & (pl.col("perturbation") == "clean"))["score"].to_list()
    assert ours == [pytest.approx(expected, rel=0.01)]  # float32 against the grid: ties of near-equal candidates
    assert expected > 2
    signature = dict(part.partition("=")[::2] for part in results["signature"][0].split("|"))
    assert (signature["max_length"], signature["query_length"]) == ("64", "64")


def test_noise_moves_the_mention_with_its_sentence(finished: Finished) -> None:
    results = pl.read_parquet(finished.out / "results.parquet").filter(pl.col("perturbation") == "swap")
    assert results["changed_items"].min() > 0.9
    assert results["score"].null_count() == 0


def test_what_a_model_reads_is_the_official_text(data: Path) -> None:
    examples = load(TASKS["mewslix"], "fa", "test", FilesSource(data)).examples
    rows = [article("test", i) for i in range(TEST // 2)]
    assert [query_text(e) for e in examples if isinstance(e, QueryExample)] == [
        official_mention(r, m) for r in rows for m in r["mentions"]
    ]
    first = examples[0]
    assert first == QueryExample(
        "mewslix/test/testfa0-0", "mewslix/test/fa-0", "fa", "", ("Q0",),
        "A friend sees river 0 and  {a} river 0 again.", "river 0", Span(31, 38),
    )  # fmt: skip
    assert query_text(first) == "river 0: A friend sees river 0 and (a) { river 0 } again."


def test_the_pool_is_one_for_all_languages_and_splits_and_stays_whole(data: Path, tiny_encoder: Path) -> None:
    source = FilesSource(data)
    dev, test = (load(TASKS["mewslix"], "fa", split, source, limit=4) for split in ("dev", "test"))
    assert dev.pool is test.pool
    assert len(test) == 4
    assert test.pool is not None
    assert len(test.pool) == ENTITIES
    assert test.pool.candidates[0] == Candidate(
        "Q0", "de", "The river number 0 is a river. It flows past house 0 {old}."
    )
    assert "the pool has 600 entities, that of the release 1,003,893" in test.notes[0]
    text = STUDY.format(encoder=tiny_encoder, data=data).replace("[fa]", "[fa, ar], limit: 2")
    plan = make_plan(parse_study(text))
    assert [step.kind for step in plan.graph.values()].count("embed") == 1


def test_training_pairs_are_mentions_with_the_descriptions_of_their_entities(data: Path) -> None:
    task = replace(TASKS["mewslix-pairs"], counts={})
    train = load(task, "en", "train", FilesSource(data))
    assert train.pool is not None
    assert [e.gold for e in train if isinstance(e, QueryExample)] == [(c.id,) for c in train.pool.candidates]
    assert (task.max_length, task.query_length, TASKS["mewslix"].trains_on) == (64, 64, "mewslix-pairs")


def test_a_rewrite_carries_the_mention_along() -> None:
    example = QueryExample("a", "a", "en", "", ("Q1",), "Old Bonn and Bonn.", "Bonn", Span(13, 17))
    (passage,) = passages(example, ("context",))
    assert passage.labels == (Span(13, 17),)
    rewrite = Rewrite.from_changes(len(passage.text), [(0, 3, "The very old"), (13, 17, "Bomm")])
    text = rewrite.apply(passage.text)
    moved = replace(passage, text=text, labels=(Span(22, 26),))
    changed = rebuild(example, [Written(moved, rewrite)])
    assert changed == replace(example, context="The very old Bonn and Bomm.", mention="Bomm", span=Span(22, 26))
    assert passages(example, ("context",), protect="entities")[0].locked == (Span(13, 17),)


def test_files_as_released_without_texts_and_absent_files_are_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no file of mewslix test \\(candidates\\)") as caught:
        load(TASKS["mewslix"], "fa", "test", FilesSource(tmp_path))
    assert "mewsli-x_20220518_6.zip" in str(caught.value.hint)
    assert "Apache 2.0" in str(caught.value.hint)
    write(tmp_path / FOLDER / "candidate_set_entities.jsonl", [entity(0), entity(1)])
    path = tmp_path / FOLDER / "wikinews_mentions-test.jsonl"
    row = article("test", 0)
    write(path, [row | {"context": row["context"] | {"text": ""}}])
    task = replace(TASKS["mewslix"], counts={})
    with pytest.raises(UserError, match="the article has no text") as caught:
        load(task, "fa", "test", FilesSource(tmp_path))
    assert "get-mewsli-x.sh" in str(caught.value.hint)
    for change, message in (
        ({"mention_span": {"start": 3, "end": 8, "text": "river"}}, "where the mention 'river' is"),
        ({"mention_span": {"start": 10, "end": 30, "text": "river"}}, "no sentence holds the mention"),
        ({"mention_span": {"start": 9, "end": 3, "text": "river"}}, "is no part of its text"),
        ({"entity_id": "Q77"}, "its gold candidate 'Q77' is not in the pool"),
    ):
        write(path, [row | {"mentions": [row["mentions"][0] | change]}])
        with pytest.raises(UserError, match=message):
            load(task, "fa", "test", FilesSource(tmp_path))
