"""Data of the user's own, declared without Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crosswind.data.examples import ChoiceExample, Dataset, PairExample, QueryExample, SpanExample, TaggingExample
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.tasks.base import TASKS, Task
from crosswind.tasks.load import fingerprint, load
from crosswind.tasks.own import own_task
from crosswind.tasks.own_files import codes_of


def declared(**keys: Any) -> Task:
    return own_task(
        "mine",
        keys,
        {
            name: TASKS[name]
            for name in ("xnli", "pawsx", "copa", "xcopa", "panx", "tatoeba", "squad", "udpos", "lareqa")
        },
    )


def write(root: Path, name: str, *lines: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read(root: Path, language: str, split: str = "test", **keys: Any) -> Dataset:
    return load(declared(**keys), language, split, FilesSource(root))


def refused(root: Path, language: str = "de", split: str = "test", **keys: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        read(root, language, split, **keys)
    return caught.value


def test_masakhaner_is_read_with_blanks_and_its_dates_become_o(tmp_path: Path) -> None:
    write(tmp_path, "mner/hau/test.txt", "Abuja B-LOC", "a O", "Litinin B-DATE", "", "Bello B-PER", "")
    masakhaner = {"like": "panx", "files": "mner/{language}/{split}.txt", "languages": ["hau", "yor"]}
    first, second = read(tmp_path, "hau", **masakhaner, separator=" ", map={"B-DATE": "O", "I-DATE": "O"}).examples
    assert first == TaggingExample("mine/test/0", "mine/test/0", "hau", ("Abuja", "a", "Litinin"), ("B-LOC", "O", "O"))
    assert second == TaggingExample("mine/test/1", "mine/test/1", "hau", ("Bello",), ("B-PER",))
    error = refused(tmp_path, "hau", **masakhaner)
    assert error.where == f"{tmp_path / 'mner/hau/test.txt'}:3"
    assert error.what == "unknown tag 'B-DATE'"
    assert "map: {B-DATE: O}" in str(error.hint)


def test_like_gives_group_metric_labels_and_head_but_no_counts_and_no_hub() -> None:
    task, panx = declared(like="panx", files="{language}.tsv", languages=["hau"]), TASKS["panx"]
    same = ("kind", "group", "related", "metrics", "perturbed", "labels", "trains_on")
    assert {n: getattr(task, n) for n in same} == {n: getattr(panx, n) for n in same}
    assert (task.counts, task.hub, task.languages, task.splits) == ({}, None, ("hau",), ("test",))


def test_file_codes_are_mapped_to_bcp_47(tmp_path: Path) -> None:
    row = {
        "premise": "Padala je kiša.",
        "choice1": "Suvo.",
        "choice2": "Mokro.",
        "question": "effect",
        "label": 1,
        "idx": 7,
    }
    write(tmp_path, "copa_hbs/test-sr-lat.jsonl", json.dumps(row, ensure_ascii=False))
    languages = {"hr": "hr", "sr-lat": "sr-Latn"}
    (example,) = read(tmp_path, "sr-Latn", like="xcopa", files="copa_hbs/test-{language}.jsonl", languages=languages)
    question = "What was the effect?"
    assert example == ChoiceExample(
        "mine/test/7", "mine/test/7", "sr-Latn", "Padala je kiša.", question, ("Suvo.", "Mokro."), 1
    )


def test_kobest_is_read_by_its_own_columns_labels_and_questions(tmp_path: Path) -> None:
    write(tmp_path, "COPA/test.tsv", "sentence\tquestion\t1\t2\tAnswer", "비가 왔다.\t결과\t마르다.\t젖다.\t2")
    kobest: dict[str, Any] = {
        "like": "copa",
        "files": "COPA/{split}.tsv",
        "languages": ["ko"],
        "columns": {"premise": "sentence", "choice1": "1", "choice2": "2", "label": "Answer"},
        "questions": {"원인": "cause", "결과": "effect"},
    }
    (example,) = read(tmp_path, "ko", labels={"1": 0, "2": 1}, **kobest)
    question = "What was the effect?"
    assert example == ChoiceExample("mine/test/0", "mine/test/0", "ko", "비가 왔다.", question, ("마르다.", "젖다."), 1)
    error = refused(tmp_path, "ko", **kobest)  # 2 is no label of two that count from 0
    assert (error.what, error.where) == ("unknown label '2'", f"{tmp_path / 'COPA/test.tsv'}:2")


def test_pairs_of_an_own_kind_are_read_from_csv(tmp_path: Path) -> None:
    write(tmp_path, "mine/test-de.csv", "text_a,text_b,gold", 'eins,"zwei, drei",yes', "eins,vier,no", "fünf,sechs,")
    columns = {"first": "text_a", "second": "text_b", "label": "gold"}
    pair: dict[str, Any] = {"kind": "pair", "files": "mine/{split}-{language}.csv", "languages": ["de"]}
    data = read(tmp_path, "de", columns=columns, labels=["no", "yes"], **pair)
    assert data.examples == (
        PairExample("mine/test/0", "mine/test/0", "de", "eins", "zwei, drei", 1),
        PairExample("mine/test/1", "mine/test/0", "de", "eins", "vier", 0),  # one premise, one cluster
        PairExample("mine/test/2", "mine/test/2", "de", "fünf", "sechs", None),
    )
    assert declared(columns=columns, labels=["no", "yes"], **pair).group == "mine"
    error = refused(tmp_path, columns={**columns, "secnd": "x"}, labels=["no", "yes"], **pair)
    assert (error.what, error.where) == ("unknown column 'secnd'", "tasks.mine.columns")
    assert "did you mean 'second'" in str(error.hint)


def test_a_file_without_header_has_the_official_columns_or_those_of_a_list(tmp_path: Path) -> None:
    write(tmp_path, "nli/test-de.tsv", "Es regnet.\tEs ist nass.\tentailment")
    (example,) = read(tmp_path, "de", like="xnli", files="nli/test-{language}.tsv", languages=["de"])
    assert example == PairExample("mine/test/0", "mine/test/0", "de", "Es regnet.", "Es ist nass.", 0)
    listed: dict[str, Any] = {"kind": "pair", "files": "nli/test-{language}.tsv", "languages": ["de"]}
    columns, labels = ["first", "second", "label"], ["entailment", "neutral"]
    assert read(tmp_path, "de", columns=columns, labels=labels, **listed).examples == (example,)
    error = refused(tmp_path, labels=labels, **listed)
    assert error.what == "the first line names none of the columns cluster, first, id, label, second"


def test_parquet_conllu_squad_and_aligned_lines_are_read(tmp_path: Path) -> None:
    import polars as pl

    pl.DataFrame({"premise": ["a"], "hypothesis": ["b"], "label": [2]}).write_parquet(tmp_path / "de.parquet")
    labels = ["entailment", "neutral", "contradiction"]
    (pair,) = read(tmp_path, "de", like="xnli", files="{language}.parquet", languages=["de"], labels=labels)
    assert isinstance(pair, PairExample)
    assert (pair.first, pair.second, pair.label) == ("a", "b", 2)

    write(tmp_path, "de.conllu", "# sent_id = s1", "1\tHaus\t_\tNOUN\t_\t_\t_\t_\t_\t_", "")
    (sentence,) = read(tmp_path, "de", like="udpos", files="{language}.conllu", languages=["de"])
    assert sentence == TaggingExample("mine/test/s1", "mine/test/s1", "de", ("Haus",), ("NOUN",))

    qa = {"id": "q1", "question": "Wo?", "answers": [{"text": "Rom", "answer_start": 3}]}
    squad = {"data": [{"paragraphs": [{"context": "In Rom.", "qas": [qa]}]}]}
    write(tmp_path, "de.json", json.dumps(squad))
    (span,) = read(tmp_path, "de", kind="span", files="{language}.json", languages=["de"])
    assert isinstance(span, SpanExample)
    assert (span.id, span.cluster, span.answer_texts) == ("mine/test/q1", "mine/test/p-q1", ("Rom",))
    assert declared(kind="span", files="a.json", languages=["de"]).metrics == ("mlqa",)

    write(tmp_path, "flat.jsonl", json.dumps({"q": "Wo?", "context": "In Rom.", "answer": "Rom", "start": 3}))
    (flat,) = read(tmp_path, "de", kind="span", files="flat.jsonl", languages=["de"], columns={"question": "q"})
    assert isinstance(flat, SpanExample)
    assert (flat.question, flat.answer_texts) == ("Wo?", ("Rom",))

    write(tmp_path, "deu.eng", "a house")
    write(tmp_path, "deu.deu", "ein Haus")
    files = ["deu.eng", "deu.deu"]
    data = read(tmp_path, "de", like="tatoeba", files=files, languages=["de"])
    assert data.examples == (QueryExample("mine/test/0", "mine/test/0", "en", "a house", ("mine/test/0/de",)),)
    assert data.pool is not None
    assert data.pool.candidates[0].text == "ein Haus"


def test_answers_that_stand_elsewhere_are_moved_dropped_or_refused_as_the_declaration_says(tmp_path: Path) -> None:
    asked = [("q0", "Bern", 3), ("q1", "Bern", 4), ("q2", "Genf", 0)]  # right, one too far, nowhere
    qas = [{"id": q, "question": "Wo?", "answers": [{"text": t, "answer_start": s}]} for q, t, s in asked]
    write(tmp_path, "de.json", json.dumps({"data": [{"paragraphs": [{"context": "In Bern.", "qas": qas}]}]}))
    squad: dict[str, Any] = {"like": "squad", "files": "de.json", "languages": ["de"]}
    data = read(tmp_path, "de", **squad, bad_answers="drop")
    spans = [example for example in data.examples if isinstance(example, SpanExample)]
    assert [(e.id, e.answer_texts) for e in spans] == [("mine/test/q0", ("Bern",)), ("mine/test/q1", ("Bern",))]
    assert any("q2" in note for note in data.notes)
    assert "q1" in str(refused(tmp_path, **squad, bad_answers="refuse"))
    assert "bad_answers: drop" in str(refused(tmp_path, **squad))  # one of three cannot be placed: too many


def test_dev_files_may_be_called_val_or_validation_and_splits_may_be_named(tmp_path: Path) -> None:
    write(tmp_path, "val-de.tsv", "a\tb\tneutral")
    write(tmp_path, "other-de.tsv", "c\td\tneutral")
    assert len(read(tmp_path, "de", "dev", like="xnli", files="{split}-{language}.tsv", languages=["de"])) == 1
    files: Mapping[str, str] = {"dev": "val-{language}.tsv", "test": "other-{language}.tsv"}
    (example,) = read(tmp_path, "de", "test", like="xnli", files=files, languages=["de"])
    assert isinstance(example, PairExample)
    assert example.first == "c"


def test_one_file_holds_several_languages_where_a_column_says_which(tmp_path: Path) -> None:
    write(tmp_path, "all.tsv", "language\tpremise\thypothesis\tlabel", "de\ta\tb\tneutral", "sw\tc\td\tneutral")
    keys = {"like": "xnli", "files": "all.tsv", "languages": ["de", "sw"], "columns": {"language": "language"}}
    (example,) = read(tmp_path, "sw", **keys)
    assert isinstance(example, PairExample)
    assert (example.first, example.language) == ("c", "sw")
    error = refused(tmp_path, like="xnli", files="all.tsv", languages=["de", "sw"])
    assert (error.what, error.where) == ("every language would be the same file", "tasks.mine.files")


@pytest.mark.parametrize(
    ("keys", "what", "where"),
    [
        ({"like": "xnIi"}, "unknown task 'xnIi'", "tasks.mine.like"),
        ({"like": "lareqa"}, "the pool of 'lareqa' is made of more than files of its own", "tasks.mine.like"),
        ({"kind": "pairs"}, "unknown kind 'pairs'", "tasks.mine.kind"),
        ({"kind": "pair"}, "a pair task needs its labels", "tasks.mine.labels"),
        ({"like": "xnli", "map": {"a": "O"}}, "a pair task has no tags", "tasks.mine.map"),
        ({"like": "panx", "map": {"B-DATE": "OO"}}, "unknown tag 'OO'", "tasks.mine.map.B-DATE"),
        (
            {"like": "xnli", "labels": {"x": 3}},
            "there is no label 3: entailment, neutral, contradiction are 0 to 2",
            "tasks.mine.labels",
        ),
        (
            {"like": "xnli", "labels": ["a", "b"]},
            "xnli has 3 labels: entailment, neutral, contradiction",
            "tasks.mine.labels",
        ),
        ({"like": "copa", "questions": {"x": "reason"}}, "unknown question 'reason'", "tasks.mine.questions.x"),
        ({"like": "xnli", "files": "{lang}.tsv"}, "unknown placeholder 'lang'", "tasks.mine.files"),
        (
            {"like": "xnli", "files": "{language:>9999999999}.tsv"},
            "'{language:>9999999999}.tsv' says how a placeholder is written",
            "tasks.mine.files",
        ),
        (
            {"like": "xnli", "files": "{language!z}.tsv"},
            "'{language!z}.tsv' says how a placeholder is written",
            "tasks.mine.files",
        ),
        (
            {"like": "xnli", "files": "{language:{split}}.tsv"},
            "'{language:{split}}.tsv' says how a placeholder is written",
            "tasks.mine.files",
        ),
        ({"like": "xnli", "bad_answers": "drop"}, "a pair task has no answers", "tasks.mine.bad_answers"),
        ({"like": "xnli", "files": None}, "neither files nor a hub repository", "tasks.mine"),
    ],
)
def test_what_does_not_fit_together_is_refused_at_its_key(keys: dict[str, Any], what: str, where: str) -> None:
    with pytest.raises(UserError) as caught:
        declared(**{"files": "{language}.tsv", "languages": ["de"], **keys})
    assert (caught.value.what, caught.value.where) == (what, where)
    assert caught.value.hint


def test_the_declaration_is_part_of_the_fingerprint_but_other_languages_are_not(tmp_path: Path) -> None:
    write(tmp_path, "de.txt", "Rom B-LOC", "")

    def of(**keys: Any) -> str:
        task = declared(like="panx", files="{language}.txt", **keys)
        return fingerprint(task, "de", "test", FilesSource(tmp_path))

    alone = of(languages=["de"], map={"B-DATE": "O"})
    assert of(languages=["de", "sw"], map={"B-DATE": "O"}) == alone
    assert len({alone, of(languages=["de"], map={"B-DATE": "B-LOC"}), of(languages=["de"])}) == 3


def test_where_files_lie_is_no_part_of_the_fingerprint_but_how_they_are_read_is(tmp_path: Path) -> None:
    for name in ("a/de.txt", "b/de.txt", "b/de.iob", "b/de.conllu"):
        write(tmp_path, name, "Rom B-LOC", "")

    def of(files: Any, origin: str | None = None, panx: Task = TASKS["panx"]) -> str:
        task = own_task("m", {"like": "panx", "files": files, "languages": ["de"]}, {"panx": panx}, {"panx": origin})
        return fingerprint(task, "de", "test", FilesSource(tmp_path))

    first = of("a/{language}.txt")
    assert of("b/{language}.txt") == of(f"{tmp_path}/b/de.txt") == of({"test": "a/de.txt", "dev": "x.txt"}) == first
    assert of("b/{language}.conllu") != first
    assert of("a/{language}.txt", "another package 1.0") != first  # a base of another origin has other labels
    files = TASKS["panx"].files
    newer = replace(TASKS["panx"], files=replace(files, version=files.version + 1))
    assert of("a/{language}.txt", panx=newer) != first


def test_the_languages_of_files_are_read_off_their_names(tmp_path: Path) -> None:
    for name in ("mine/test-de.csv", "mine/train-de.csv.gz", "mine/test-sw.csv", "mine/test-fr.txt"):
        write(tmp_path, name, "")
    assert codes_of("mine/{split}-{language}.csv", tmp_path) == {"de", "sw"}
    assert codes_of(f"{tmp_path}/mine/test-{{language}}.txt", tmp_path) == {"fr"}
    write(tmp_path, "a/hau/hau.txt", "")
    write(tmp_path, "a/yor/hau.txt", "")
    assert codes_of("a/{language}/{language}.txt", tmp_path) == {"hau"}


def test_a_repository_of_the_hub_is_read_by_the_same_columns() -> None:
    columns = {"premise": "sentence", "choice1": "alternative_1", "choice2": "alternative_2"}
    task = declared(like="copa", hub="owner/kobest", languages=["ko"], columns=columns, questions={"원인": "cause"})
    assert task.hub is not None
    assert (task.hub.repo, task.hub.config, task.splits) == ("owner/kobest", None, ("train", "dev", "test"))
    row = {"sentence": "비.", "question": "원인", "alternative_1": "a", "alternative_2": "b", "label": 1}
    (example,) = task.hub.convert([row], "ko", "test").examples
    question = "What was the cause?"
    assert example == ChoiceExample("mine/test/0", "mine/test/0", "ko", "비.", question, ("a", "b"), 1)
    several = declared(like="xnli", hub="owner/nli", languages={"deu": "de", "swa": "sw"})
    assert several.hub is not None
    assert (several.hub.config, several.hub.names) == ("{language}", {"de": "deu", "sw": "swa"})
