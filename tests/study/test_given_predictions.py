"""Predictions of a model that was never loaded: scores, drops, official folders, and what is refused."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Dataset,
    Example,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.evaluate.given import GivenRow, Taken, read_given, take_predictions
from crosswind.evaluate.score import score_folder
from crosswind.perturb.replay import replay_dataset
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.evaluate import evaluation
from crosswind.study.items import export_items
from crosswind.study.run import Finished, run_study
from crosswind.study.submitted import export_submission
from crosswind.tasks.base import TASKS, Task
from crosswind.tasks.load import load
from official_formulas import accuracy, reading, reciprocal, tagging

# Task, language, split: a pair, a choice, a tagging, a span and two retrieval tasks in official files
SETS = [
    ("xnli", "sw", "test"), ("pawsx", "fr", "dev"), ("xcopa", "et", "test"), ("panx", "yo", "dev"),
    ("xquad", "hi", "test"), ("tatoeba", "jv", "test"), ("lareqa", "th", "test"),
]  # fmt: skip
LIMIT = 20
SPEC = "keyboard:0.4"


@pytest.fixture(scope="module")
def data(official_data: Callable[..., Path]) -> Path:
    return official_data(*(task for task, _, _ in SETS))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("given") / "store")


def gold(example: Example, task: Task) -> Any:
    match example:
        case PairExample() | ChoiceExample():
            assert example.label is not None
            return task.labels[example.label]
        case TaggingExample():
            return list(example.tags or ())
        case SpanExample():
            return example.answer_texts[0]
        case QueryExample():
            return list(example.gold)


def wrong(example: Example, other: Example, task: Task) -> Any:
    match example:
        case PairExample() | ChoiceExample():
            return next(label for label in task.labels if label != gold(example, task))
        case TaggingExample():
            return ["O"] * len(example.words)
        case SpanExample():
            return "nichts"
        case QueryExample():
            return gold(other, task)


@pytest.fixture(scope="module")
def run(data: Path, store: Store, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """A run of predictions that were given: all right when clean; perturbed, those of every fourth item wrong."""
    folder = tmp_path_factory.mktemp("run")
    finished = {}
    for split in ("test", "dev"):
        chosen = {task: language for task, language, s in SETS if s == split}
        study = evaluation("items", [*chosen], split=split, limit=LIMIT, data=data, perturb=[SPEC], predictions=())
        tasks = study.targets.tasks or {}
        languages = {
            task: target.model_copy(update={"languages": [chosen[task]]}) for task, target in tasks.items() if target
        }
        study = study.model_copy(update={"targets": study.targets.model_copy(update={"tasks": languages})})
        items = export_items(study, "hf", folder / f"items-{split}", store, Silent())
        assert len(items.conditions) == 2 * len(chosen)
        rows = []
        for task, language in chosen.items():
            pool = [language] if task == "lareqa" else None
            clean = load(TASKS[task], language, split, FilesSource(data), limit=LIMIT, pool_languages=pool)
            noisy = folder / f"items-{split}" / "keyboard-0.4-none-draw1" / "rewrites" / f"{task}-{language}.parquet"
            for dataset, condition in ((clean, "clean"), (replay_dataset(clean, pl.read_parquet(noisy)).dataset, SPEC)):
                for i, example in enumerate(dataset.examples):
                    answer = gold(example, TASKS[task])
                    if condition != "clean" and i % 4 == 0:
                        answer = wrong(example, dataset.examples[i - 1], TASKS[task])
                    name = example.id if i % 2 else example.id.split("/", 2)[-1]  # either name will do
                    row = {"id": name, "task": task, "language": language, "condition": condition}
                    rows.append({**row, "prediction": answer})
        path = folder / f"{split}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        study = evaluation("somebody's model", [], data=data, split=split, limit=LIMIT, predictions=[path])
        finished[split] = run_study(study, out=folder / split, store=store, reporter=Silent())
        assert finished[split].outcome.complete, finished[split].outcome.failed
    return folder, finished["test"]


@pytest.mark.slow
def test_given_predictions_have_scores_drops_and_a_report(run: tuple[Path, Finished]) -> None:
    folder, finished = run
    rows = [*pl.read_parquet(folder / "test" / "results.parquet").to_dicts()]
    rows += pl.read_parquet(folder / "dev" / "results.parquet").to_dicts()
    headline = {
        "xnli": "accuracy",
        "xcopa": "accuracy",
        "pawsx": "accuracy",
        "xquad": "exact_match",
        "panx": "f1",
        "lareqa": "map@20",
    }
    for row in rows:
        if row["key"] == headline.get(row["target"], "accuracy"):
            wrong_ones = -(-row["n"] // 4)
            expected = 100.0 if row["perturbation"] == "clean" else 100 * (row["n"] - wrong_ones) / row["n"]
            if row["target"] != "panx" or row["perturbation"] == "clean":
                assert row["score"] == pytest.approx(expected), row
            else:
                assert 0 < row["score"] < 100
            assert row["encoder"] == "somebody's model"
            assert "predictions=given" in row["signature"]
            if row["perturbation"] != "clean":
                assert row["changed_items"] > 0.5
                assert row["changed_tokens"] > 0.05
    assert {row["target"] for row in rows} == {task for task, _, _ in SETS}
    assert finished.summary is not None
    drops = {x.target: x.drop.score for x in finished.summary.lines if x.drop and x.scope == "others"}
    assert drops["xcopa"] == pytest.approx(25.0)
    page = (folder / "test" / "report.html").read_text(encoding="utf-8")
    assert "whose predictions were given" in page.replace("&#39;", "'")


@pytest.mark.slow
@pytest.mark.parametrize("condition", ["clean", SPEC])
def test_submissions_are_scored_as_the_run_was(run: tuple[Path, Finished], tmp_path: Path, condition: str) -> None:
    """By `score`, and by the official scripts' formulas as tests/evaluate/test_official_scores.py writes them."""
    folder, _ = run
    for split, benchmark, tasks in (
        ("test", "xtreme-r", {"xnli", "xcopa", "xquad", "tatoeba", "lareqa"}),
        ("test", "xtreme", {"xnli", "xquad", "tatoeba"}),
        ("dev", "xtreme", {"panx", "pawsx"}),
    ):
        out, labels = tmp_path / f"{split}-{benchmark}", tmp_path / f"{split}-{benchmark}-labels"
        done = export_submission(folder / split, out, benchmark, condition=condition, labels=labels)
        assert {task for _, task, _ in done.files} == tasks
        scores = score_folder(out, labels, benchmark, allow_missing=True)
        results = pl.read_parquet(folder / split / "results.parquet")
        chosen = results.filter((pl.col("perturbation") == "clean") == (condition == "clean"))
        for task in tasks:
            (language,) = scores.tasks[task].languages
            of_run = {
                row["key"]: row["score"]
                for row in chosen.filter(
                    (pl.col("target") == task) & (pl.col("metric") == scores.tasks[task].metric)
                ).to_dicts()
            }
            for key, value in scores.tasks[task].languages[language].items():
                assert value == pytest.approx(of_run[key], abs=1e-9)
            (given,), (right,) = ([*(root / task).iterdir()] for root in (out, labels))
            if task == "xquad":
                figures = reading(given, right, task, language)
            elif task == "panx":
                figures = tagging(given, right)
            elif task == "lareqa":  # with one right sentence a query, average precision is a reciprocal rank
                figures = reciprocal(given, right)
            else:
                read = (lambda x: json.loads(x)["label"]) if task == "xcopa" else str.strip
                figures = accuracy(
                    *([read(x) for x in p.read_text(encoding="utf-8").splitlines()] for p in (given, right))
                )
            for key, value in figures.items():
                assert of_run[key] == pytest.approx(value, abs=1e-9)
        if (split, benchmark) == ("test", "xtreme"):
            assert "not of xtreme, left out: lareqa, xcopa" in done.notes
            assert any("xnli: rows 20 by clusters" in note for note in done.notes)


@pytest.mark.slow
def test_what_official_files_cannot_say_is_no_submission(
    run: tuple[Path, Finished], data: Path, tmp_path: Path
) -> None:
    """A prediction that is empty, or a class that the task does not have, is wrong in a run; no file can say it."""
    path = tmp_path / "p.jsonl"
    for task, answer in (("xcopa", "choice1"), ("tatoeba", None)):
        language = {t: x for t, x, _ in SETS}[task]
        clean = load(TASKS[task], language, "test", FilesSource(data), limit=LIMIT)
        rows = [{"id": e.id, "condition": "clean", "prediction": answer if i else None} for i, e in enumerate(clean)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        study = evaluation("m", [task], languages=[language], data=data, limit=LIMIT, predictions=[path])
        finished = run_study(study, out=tmp_path / task, store=Store(tmp_path / "store"), reporter=Silent())
        assert any("an empty prediction, which is not right" in note for note in finished.notes)
        with pytest.raises(UserError, match=r"cannot stand in these files|none of the task's classes"):
            export_submission(tmp_path / task, tmp_path / "out", "xtreme-r")


@pytest.mark.slow
def test_what_a_run_does_not_have_cannot_be_submitted(run: tuple[Path, Finished], data: Path, tmp_path: Path) -> None:
    folder, _ = run
    for arguments, message in (
        ({"condition": "keyboard:0.5"}, "unknown condition 'keyboard:0.5'"),
        ({"route": "english"}, "unknown route 'english'"),
        ({"seed": 7}, "unknown pipeline seed '7'"),
        ({"data": data / "xnli"}, "no file of"),
    ):
        with pytest.raises(UserError, match=message):
            export_submission(folder / "test", tmp_path / "out", "xtreme", **arguments)  # type: ignore[arg-type]
        assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match="is no run folder"):
        export_submission(folder / "items-test", tmp_path / "out", "xtreme")


@pytest.mark.slow
def test_damaged_predictions_of_a_run_are_no_submission(run: tuple[Path, Finished], tmp_path: Path) -> None:
    shutil.copytree(run[0] / "test", tmp_path / "run")
    (path,) = (tmp_path / "run" / "predictions").rglob("xnli/*/clean.parquet")
    whole = path.read_bytes()
    other = pl.read_parquet(path).drop("predicted")
    for damage in (whole[: len(whole) // 2], b"", b"\0" * 99, other, None):
        path.unlink()
        if isinstance(damage, bytes):
            path.write_bytes(damage)
        elif damage is not None:
            damage.write_parquet(path)
        with pytest.raises(UserError, match=r"clean\.parquet: (cannot be read|has no column predicted)"):
            export_submission(tmp_path / "run", tmp_path / "out", "xtreme")
        assert not (tmp_path / "out").exists()


def test_tables_of_any_format_hold_the_same_predictions(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "condition": "clean", "prediction": "x", "probabilities": [0.25, 0.75]},
        {"id": "a", "condition": "keyboard:.10", "prediction": "y", "probabilities": [0.5, 0.5]},
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "p.parquet")
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (tmp_path / "p.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]])
        writer.writeheader()
        writer.writerows({**row, "probabilities": json.dumps(row["probabilities"])} for row in rows)
    read = [read_given([tmp_path / f"p.{end}"]) for end in ("parquet", "jsonl", "csv")]
    for given in read:
        assert sorted((k.condition, k.draw) for k in given.rows) == [("clean", 0), ("keyboard:0.1", 1)]
        values = [(r.prediction, r.probabilities) for rows in given.rows.values() for r in rows.values()]
        assert values == [("x", (0.25, 0.75)), ("y", (0.5, 0.5))]


def test_the_harness_log_of_exported_items_is_a_file_of_predictions(tmp_path: Path) -> None:
    doc = {"id": "copa/test/1", "task": "xcopa", "language": "et", "condition": "swap:0.3", "draw": 2}
    choices = {**doc, "protection": "none", "choices": ["a", "b"], "label": 0}
    logged = [
        {"doc_id": 0, "doc": choices, "filtered_resps": [["-7.5", "False"], ["-2.25", "True"]]},
        {"doc_id": 1, "doc": {**choices, "id": "copa/test/2"}, "resps": [[["-1.5", "False"]], [["-2.25", "True"]]]},
        {"doc_id": 2, "doc": {**doc, "id": "q", "task": "xquad", "answers": ["x"]}, "filtered_resps": [" Kaks \n"]},
    ]
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in logged))
    given = read_given([path])
    assert {
        (k.task, k.condition, k.draw): {n: r.prediction for n, r in rows.items()} for k, rows in given.rows.items()
    } == {
        ("xcopa", "swap:0.3", 2): {"copa/test/1": 1, "copa/test/2": 0},
        ("xquad", "swap:0.3", 2): {"q": "Kaks"},
    }
    path.write_text(json.dumps({"doc": choices, "filtered_resps": [["-7.5", "False"]]}) + "\n")
    with pytest.raises(UserError, match="1 log-likelihoods for 2 choices"):
        read_given([path])


PAIR = PairExample("xnli/test/0", "c", "de", "a", "b", 0)
CHOICE = ChoiceExample("copa/test/0", "c", "et", "a", "b", ("x", "y"), 0)
WORDS = TaggingExample("panx/test/de-0", "c", "de", ("a", "b"), ("O", "O"))
QUESTION = SpanExample("squad/dev/0", "c", "de", "a", "b", (Span(0, 1),))
QUERY = QueryExample("tatoeba/test/de-0", "c", "en", "a", ("g",))
POOL = Pool((Candidate("g", "de", "x"), Candidate("h", "de", "y")))


def taken(example: Example, prediction: Any, probabilities: Any = None, task: str = "xnli") -> Taken:
    pool = POOL if isinstance(example, QueryExample) else None
    rows = {example.id: GivenRow(prediction, probabilities, "f.csv:2")}
    return take_predictions(rows, Dataset(task, "de", "test", (example,), pool), TASKS[task])


def test_predictions_are_read_by_kind() -> None:
    assert taken(PAIR, "contradictory").predictions == ({"predicted": 2},)  # an alias of XNLI-MT
    assert taken(PAIR, "neutral", (0.1, 0.8, 0.1)).predictions[0]["scores"] == [0.1, 0.8, 0.1]
    assert taken(CHOICE, "choice2", task="xcopa").predictions == ({"predicted": 1},)
    assert taken(CHOICE, 1, task="xcopa").predictions == ({"predicted": 1},)
    assert taken(WORDS, "B-PER O", task="panx").predictions == ({"tags": ["B-PER", "O"]},)
    assert taken(WORDS, '["B-PER", "O"]', task="panx").predictions == ({"tags": ["B-PER", "O"]},)
    assert taken(QUESTION, "b", task="xquad").predictions == ({"text": "b"},)
    assert taken(QUERY, "h", task="tatoeba").predictions == ({"top": ["h"], "ranks": [], "pool": 2},)
    assert taken(QUERY, ["h", "g"], task="tatoeba").predictions[0]["ranks"] == [2]
    for example, task in ((PAIR, "xnli"), (CHOICE, "xcopa"), (WORDS, "panx"), (QUESTION, "xquad"), (QUERY, "tatoeba")):
        empty = taken(example, None, task=task)
        assert empty.unanswered == 1
        assert empty.notes == (f"{task} test, de: 1 of 1 items have an empty prediction, which is not right",)


def test_what_was_read_otherwise_than_written_is_noted() -> None:
    order = "classes are given as numbers, read in the task's order: 0 entailment, 1 neutral, 2 contradiction"
    assert taken(PAIR, "2").notes == (f"xnli test, de: {order}",)
    assert "not the most probable class" in taken(PAIR, "neutral", (0.8, 0.1, 0.1)).notes[0]
    assert "name one candidate" in taken(QUERY, "h", task="lareqa").notes[0]


@pytest.mark.parametrize(
    ("example", "task", "prediction", "message"),
    [
        (PAIR, "xnli", "neutrl", "unknown class 'neutrl'"),
        (PAIR, "xnli", "3", "unknown class '3'"),
        (PAIR, "xnli", ["neutral"], "no class"),
        (PAIR, "xnli", True, "no class"),
        (CHOICE, "xcopa", "2", "unknown option '2'"),
        (WORDS, "panx", "O", "1 tags for 2 words"),
        (WORDS, "panx", "O B-PRE", "unknown tag 'B-PRE'"),
        (WORDS, "panx", 3, "no tags"),
        (QUESTION, "xquad", ["b"], "no answer"),
        (QUERY, "tatoeba", ["k"], "unknown candidate 'k'"),
        (QUERY, "tatoeba", ["g", "g"], "ranked twice"),
    ],
)
def test_a_prediction_that_the_task_cannot_have_is_refused_with_its_line(
    example: Example, task: str, prediction: Any, message: str
) -> None:
    with pytest.raises(UserError, match=message) as refused:
        taken(example, prediction, task=task)
    assert refused.value.where == "f.csv:2"


def test_a_margin_beside_a_mined_pair_is_refused_since_every_pair_of_a_file_counts() -> None:
    examples = [QueryExample(f"bucc2018/dev/de-{n}", f"{n}", "de", "?", ()) for n in (1, 2)]
    pool = Pool((Candidate("en-1", "en", "one", cluster="a"), Candidate("en-2", "en", "two", cluster="b")))
    data = Dataset("bucc2018", "de", "dev", tuple(examples), pool=pool, fingerprint="f")

    def taken(margin: tuple[float, ...] | None) -> Taken:
        rows = {"de-1": GivenRow("en-2", margin, "mine.csv:2"), "de-2": GivenRow("", None, "mine.csv:3")}
        return take_predictions(rows, data, TASKS["bucc2018"])

    assert [p["chosen"] for p in taken(None).predictions] == [["en-2"], []]
    with pytest.raises(UserError) as caught:
        taken((1.2,))
    assert caught.value.where == "mine.csv:2"
    assert caught.value.what == "a margin beside a pair of bucc2018: every pair of a file of predictions counts"
    assert "leave out the pairs below the threshold of your development set" in str(caught.value.hint)


def test_generated_tags_that_cannot_be_read_are_the_models_mistake() -> None:
    for text, tags in (("O B-PER", ["O", "B-PER"]), ("O", ["O", "O"]), ("the first is a place", ["O", "O"])):
        rows = {WORDS.id: GivenRow(text, None, "f.jsonl:1", generated=True)}
        read = take_predictions(rows, Dataset("panx", "de", "test", (WORDS,)), TASKS["panx"])
        assert read.predictions == ({"tags": tags},)
        unread = "1 generated texts are not a tag of the task for each word: none is right"
        assert [note.partition(": ")[2] for note in read.notes] == ([] if tags[-1] == "B-PER" else [unread])


@pytest.mark.parametrize("probabilities", [(0.5, 0.5), (0.9, 0.9, 0.9), (1.2, -0.1, -0.1)])
def test_probabilities_are_of_the_tasks_classes(probabilities: tuple[float, ...]) -> None:
    with pytest.raises(UserError, match="no probabilities of 3 classes"):
        taken(PAIR, "neutral", probabilities)


def test_missing_unknown_and_repeated_items_are_refused(tmp_path: Path) -> None:
    other = PairExample("xnli/test/1", "c", "de", "a", "b", 0)
    dataset = Dataset("xnli", "de", "test", (PAIR, other))
    row = GivenRow("neutral", None, "f.csv:2")
    with pytest.raises(UserError, match="1 of 2 items have no prediction: xnli/test/1"):
        take_predictions({PAIR.id: row}, dataset, TASKS["xnli"])
    both = {PAIR.id: row, other.id: row}
    with pytest.raises(UserError, match="unknown item 'xnli/test/2'"):
        take_predictions({**both, "xnli/test/2": row}, dataset, TASKS["xnli"])
    third = PairExample("xnli/test/2", "c", "de", "a", "b", 0)
    more = take_predictions({**both, "xnli/test/2": row}, dataset, TASKS["xnli"], others=(PAIR, other, third))
    assert more.notes == ("xnli test, de: 1 predictions are of items that are not evaluated here",)
    with pytest.raises(UserError, match="two predictions for 'xnli/test/1'"):
        take_predictions({**both, "1": row}, dataset, TASKS["xnli"])
    mixed = {PAIR.id: row, other.id: GivenRow("1", None, "f.csv:3")}
    with pytest.raises(UserError, match="names and numbers of labels in one file"):
        take_predictions(mixed, dataset, TASKS["xnli"])
    path = tmp_path / "p.csv"
    for text, message in (
        ("id,condition,prediction\na,clean,x\na,clean,y\n", "two predictions for 'a'"),
        ("id,prediction\na,x\n", "no condition in this row"),
        ("id,condition\na,clean\n", "no field 'prediction'"),
        ("id,condition,prediction,draw\na,swap:0.1,x,one\n", "'one' is no number of a draw"),
        ("id,condition,prediction,probabilities\na,clean,x,half\n", "no probabilities"),
        ("id,condition,prediction\n", "no prediction in these files"),
    ):
        path.write_text(text)
        with pytest.raises(UserError, match=message):
            read_given([path])


def test_conditions_languages_and_options_that_do_not_fit_are_refused(data: Path, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,condition,prediction\n0,clean,choice1\n")
    with pytest.raises(UserError, match="do not say the language"):
        evaluation("m", ["xcopa"], data=data, predictions=[path])
    with pytest.raises(UserError, match="options of a model beside predictions"):
        evaluation("m", ["xcopa"], data=data, predictions=[path], max_length=64)
    path.write_text("id,condition,prediction\n0,keybord:0.1,choice1\n")
    with pytest.raises(UserError, match="unknown perturbation 'keybord'"):
        evaluation("m", ["xcopa"], languages=["et"], data=data, predictions=[path])
    path.write_text("id,condition,prediction\n0,keyboard:0.1,choice1\n")
    study = evaluation("m", ["xcopa"], languages=["et"], data=data, predictions=[path])
    finished = run_study(study, out=tmp_path / "run", store=store, reporter=Silent())
    assert finished.outcome.mistaken
    assert any("no prediction of xcopa et clean" in f.message for f in finished.outcome.failed.values())


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"prediction": 0, "probabilities": {"0.5": 1, "0.6": 2}}, "no probabilities"),
        ({"prediction": 0, "probabilities": [10**400, 0]}, "no probabilities"),
        ({"prediction": 0, "probabilities": "[" * 5000}, "no probabilities"),
        ({"doc": {"id": "a", "choices": 5}, "resps": [[-1.0]]}, "no log-likelihood for every choice"),
        ({"doc": {"id": "a"}, "resps": [[]]}, "no item with its answers"),
        ({"prediction": 0, "draw": -1}, "-1 is no number of a draw"),
        ({"prediction": 0, "draw": 10**30}, "is no number of a draw"),
        ({"prediction": 0, "language": []}, "is no text"),
        ({"prediction": 0, "task": 5}, "is no text"),
    ],
)
def test_odd_numbers_and_logs_are_refused_with_their_line(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text(json.dumps({"id": "a", "condition": "clean"} | row) + "\n")
    with pytest.raises(UserError, match=said) as error:
        read_given([path])
    assert str(error.value).startswith(f"{path}:1: ")
