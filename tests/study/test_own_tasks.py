"""`tasks:` of a study and `--task-file`: own data through a whole run, in this process and in others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from crosswind.cli import app
from crosswind.data.examples import Kind
from crosswind.errors import UserError
from crosswind.model.checkpoint import save_head
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from crosswind.registry import declare
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.evaluate import evaluation
from crosswind.study.plan import make_plan
from crosswind.study.run import Finished, forecast, run_study
from crosswind.study.spec import parse_study
from crosswind.tasks.base import TASKS

FineTuned = Callable[[Kind, str], Path]


@pytest.fixture(scope="session")
def fine_tuned(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> FineTuned:
    """`fine_tuned("tagging", "panx")`: a checkpoint with a random head for a task."""
    root = tmp_path_factory.mktemp("fine-tuned")

    def made(kind: Kind, task: str) -> Path:
        folder = root / task
        if not folder.exists():
            encoder = load_encoder(str(tiny_encoder))
            labels = TASKS[task].labels if kind in ("pair", "tagging") else ()
            save_head(folder, encoder, attach(encoder, kind, labels, seed=3))
        return folder

    return made


SENTENCES = ["Bello B-PER", "ya O", "Litinin B-DATE", "", "Abuja B-LOC", "gari O", "", "Lahadi B-DATE", "da O", ""]


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test declares or includes does not outlive it."""
    TASKS.names()
    monkeypatch.setattr(TASKS, "_entries", dict(TASKS._entries or {}))
    yield
    declare({})


@pytest.fixture
def mner(tmp_path: Path) -> Path:
    for language in ("hau", "yor"):
        (tmp_path / "mner" / language).mkdir(parents=True)
        (tmp_path / "mner" / language / "test.txt").write_text("\n".join(SENTENCES) + "\n", encoding="utf-8")
    return tmp_path


def task_file(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def masakhaner(date: str = "O") -> str:
    return (
        'masakhaner: {like: panx, files: "mner/{language}/{split}.txt", languages: [hau, yor], separator: " ", '
        f"map: {{B-DATE: {date}}}}}\n"
    )


def go(model: Path, path: Path, store: Path, workers: int = 1) -> Finished:
    study = evaluation(str(model), [], task_file=path, max_length=64)
    return run_study(study, out=store.parent / "run", store=Store(store), reporter=Silent(), workers=workers)


@pytest.mark.slow
def test_own_data_are_evaluated_in_two_processes_and_another_map_finds_no_old_results(
    fine_tuned: FineTuned, mner: Path
) -> None:
    model, store = fine_tuned("tagging", "panx"), mner / "store"
    first = go(model, task_file(mner, masakhaner()), store, workers=2)
    assert first.outcome.complete, first.outcome.failed
    results = pl.read_parquet(mner / "run" / "results.parquet")
    assert set(results["target"]) == {"masakhaner"}
    assert set(results["language"]) == {"hau", "yor"}
    assert results["n"].unique().to_list() == [3]
    assert go(model, task_file(mner, masakhaner()), store, workers=2).outcome.done == []
    again = go(model, task_file(mner, masakhaner("B-LOC")), store, workers=2)
    assert again.outcome.complete
    # two languages: predictions, and their statistics under four metrics
    assert len(again.outcome.done) == 2 + 2 * 4


def test_a_changed_declaration_counts_in_the_same_process(fine_tuned: FineTuned, mner: Path) -> None:
    model, store = fine_tuned("tagging", "panx"), mner / "store"
    go(model, task_file(mner, masakhaner()), store)
    go(model, task_file(mner, masakhaner("B-LOC")), store)
    assert TASKS["masakhaner"].files.read((mner / "mner/hau/test.txt",), "hau", "test").examples[0].tags == (  # type: ignore[union-attr]
        "B-PER",
        "O",
        "B-LOC",
    )


def test_files_of_a_task_file_lie_beside_it_whatever_the_variable_of_official_files_says(
    mner: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path, official = task_file(mner, masakhaner()), tmp_path_factory.mktemp("official")
    data = evaluation("model", ["masakhaner", "xnli"], task_file=path, official=official).data
    assert (data.source, data.root) == ("files", official)
    assert {name: source.root for name, source in data.tasks.items()} == {"masakhaner": mner}
    given = evaluation("model", ["masakhaner"], task_file=path, data=official, official=mner).data
    assert (given.root, dict(given.tasks)) == (official, {})


ORIGIN = """
from dataclasses import replace
from crosswind.tasks.declared.panx import PANX

MORE = replace(PANX, name="more")  # {}
"""


def test_an_edited_base_finds_no_old_results(mner: Path, tmp_path: Path) -> None:
    keys = set()
    for edit in ("one", "two"):
        folder = tmp_path / edit
        folder.mkdir()
        (folder / "more.py").write_text(ORIGIN.format(edit), encoding="utf-8")
        TASKS.names()
        TASKS._entries = {name: entry for name, entry in (TASKS._entries or {}).items() if name != "more"}
        TASKS.include(folder)
        declare({"task": {"mine": {"like": "more", "files": "{language}.txt", "languages": ["hau"]}}})
        keys.add(TASKS["mine"].declaration)
    assert len(keys) == 2


def test_perturb_writes_the_texts_of_own_data_as_json_lines(mner: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = task_file(mner, masakhaner())
    with pytest.raises(SystemExit) as ended:
        app(["perturb", "keyboard:0.9", "--task-file", str(path), "--language", "hau"])
    assert ended.value.code == 0
    printed = capfd.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [line["id"] for line in lines] == [f"masakhaner/test/{i}" for i in range(3)]
    assert lines[0]["words"][0] != "Bello"
    assert all(len(line["tags"]) == len(line["words"]) for line in lines)
    assert "3 of 3 texts changed" in printed.err
    with pytest.raises(UserError, match="--language: masakhaner has 2 languages\n  name one of hau, yor"):
        app(["perturb", "keyboard:0.9", "--task-file", str(path)])
    path.write_text(path.read_text().replace("[hau, yor]", "[hau]"))
    with pytest.raises(SystemExit):  # a task of one language needs no --language
        app(["perturb", "keyboard:0.9", "--task-file", str(path)])
    assert capfd.readouterr().out == printed.out
    with pytest.raises(UserError, match="--fields: examples of kind tagging have no premise"):
        app(["perturb", "keyboard:0.9", "--task-file", str(path), "--fields", "premise"])
    with pytest.raises(UserError, match="--fields: unknown field 'premis'"):
        app(["perturb", "keyboard:0.9", "--task-file", str(path), "--fields", "premis"])
    with pytest.raises(UserError, match="--fields: there are no fields to choose from"):
        app(["perturb", "keyboard:0.9", "--fields", "premise"])


WRONG = """
from crosswind.data.examples import ChoiceExample
from crosswind.data.source import Content, FileLayout
from crosswind.tasks.base import Task

def _locate(files, language, split):
    return (files.find("one.txt", what="one"),)

def _read(paths, language, split):
    return Content((ChoiceExample("one/0", "one/0", "de", "", "?", ("a", "b"), 2),))

ONE = Task("one", "choice", "labels from 1", "one", ("de",), ("test",), FileLayout(_locate, _read), ("accuracy",), ())
"""


def test_a_dry_run_checks_examples_whoever_wrote_the_reader(fine_tuned: FineTuned, mner: Path, tmp_path: Path) -> None:
    study = STUDY.format(encoder=fine_tuned("tagging", "panx"), data=mner)
    (mner / "mner/yor/test.txt").write_text("Bello B-PERS\n", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        forecast(parse_study(study), Store(tmp_path / "store"))
    assert (caught.value.what, caught.value.where) == ("unknown tag 'B-PERS'", f"{mner / 'mner/yor/test.txt'}:1")

    folder = tmp_path / "included"
    folder.mkdir()
    (folder / "one.py").write_text(WRONG)
    (mner / "one.txt").write_text("x")
    TASKS.include(folder)
    text = study.replace("{masakhaner: {}}", "{one: {}}").split("tasks:\n  masakhaner")[0]
    with pytest.raises(UserError) as caught:
        forecast(parse_study(text + "targets: {tasks: {one: {}}}\n"), Store(tmp_path / "store"))
    assert caught.value.what == "one/0: the label 2 is out of range: there are 2 choices, 0 to 1"
    assert caught.value.where == f"one test, de ({mner / 'one.txt'})"


STUDY = """
name: own
encoder: {encoder}
data: {{source: files, root: {data}}}
routes: {{none: []}}
fine_tuned: true
tasks:
  masakhaner: {{like: panx, files: "mner/{{language}}/{{split}}.txt", map: {{B-DATE: O}}}}
targets: {{tasks: {{masakhaner: {{}}}}}}
"""


def test_a_study_that_names_no_languages_has_those_of_its_files_and_says_so(fine_tuned: FineTuned, mner: Path) -> None:
    plan = make_plan(parse_study(STUDY.format(encoder=fine_tuned("tagging", "panx"), data=mner)))
    assert [cell.data.language for cell in plan.cells] == ["hau", "yor"]
    assert "the languages of masakhaner are not named: its texts are taken as hau, yor" in plan.notes
    parallel = "examples of masakhaner with one id or row (hau, yor) are taken as translations of each other"
    assert f"{parallel}; where they are not: parallel: false" in plan.notes
    said = STUDY.replace("like: panx", "like: panx, parallel: false")
    plan = make_plan(parse_study(said.format(encoder=fine_tuned("tagging", "panx"), data=mner)))
    assert not any("translations of each other" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("override", "where", "text"),
    [
        ("tasks.masakhaner.mapp={}", "study: tasks.masakhaner.mapp", "did you mean 'map'"),
        ("tasks.masakhaner.languages=[sr-lat]", "study: tasks.masakhaner.languages", "no registered language code"),
        (
            "tasks.masakhaner.languages=[tl, fil]",
            "study: tasks.masakhaner.languages",
            "a language is named twice: tl, fil",
        ),
        ("tasks.masakhaner.like=null", "study: tasks.masakhaner", "say what the data are like"),
    ],
)
def test_a_wrong_key_is_named_in_the_study(
    tiny_encoder: Path, mner: Path, override: str, where: str, text: str
) -> None:
    with pytest.raises(UserError) as caught:
        parse_study(STUDY.format(encoder=tiny_encoder, data=mner), [override])
    assert caught.value.where == where
    assert text in str(caught.value)


def test_an_own_task_takes_no_name_of_another(tiny_encoder: Path, mner: Path) -> None:
    study = STUDY.format(encoder=tiny_encoder, data=mner).replace("masakhaner", "xnli")
    with pytest.raises(UserError, match="there is a task 'xnli' already") as caught:
        make_plan(parse_study(study))
    assert caught.value.where == "tasks.xnli"


def test_how_answers_are_divided_is_signed_and_noted(fine_tuned: FineTuned, tmp_path: Path) -> None:
    qa = {"id": "q1", "question": "誰?", "answers": [{"text": "東京", "answer_start": 0}]}
    squad = {"data": [{"paragraphs": [{"context": "東京都です。", "qas": [qa]}]}]}
    (tmp_path / "qa.json").write_text(json.dumps(squad), encoding="utf-8")
    path = task_file(
        tmp_path,
        "like-squad: {like: squad, files: qa.json, languages: [ja]}\n"
        "own: {kind: span, files: qa.json, languages: [ja]}\n",
    )
    finished = go(fine_tuned("span", "squad"), path, tmp_path / "store")
    assert finished.outcome.complete, finished.outcome.failed
    rows = {row["target"]: row for row in pl.read_parquet(tmp_path / "run" / "results.parquet").to_dicts()}
    assert "|tokens=white space" in rows["like-squad"]["signature"]
    assert "|tokens=words (icu " in rows["own"]["signature"]
    assert "which Japanese (ja) does not write between words" in str(rows["like-squad"]["notes"])
    assert "does not write" not in str(rows["own"]["notes"])


def test_data_of_ones_own_are_like_a_task_and_not_like_each_other(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    first = 'first: {like: xnli, files: "a/{language}.tsv", languages: [de]}'
    path.write_text(
        f'{first}\nsecond: {{like: first, files: "b/{{language}}.tsv", languages: [de]}}\n', encoding="utf-8"
    )
    with pytest.raises(UserError, match=r"tasks.second.like: 'first' is data of your own.*\n.*like: xnli"):
        app(["perturb", "keyboard:0.9", "--task-file", str(path), "--task", "second"])


@pytest.mark.parametrize(
    ("option", "call"),
    [
        ("--languages", ["suite", "crosswind-c-1", "--task", "xnli", "--data", ".", "--languages"]),
        ("--languages", ["export", "--task", "xnli", "--data", ".", "--out", "items", "--languages"]),
        ("--languages", ["evaluate", "model", "--task", "xnli", "--languages"]),
        ("--fields", ["evaluate", "model", "--task", "xnli", "--perturb", "swap:0.1", "--fields"]),
        ("--labels", ["evaluate", "model", "--task", "xnli", "--labels"]),
        ("--language", ["attack", "model", "--task", "xnli", "--recipe", "hotflip", "--language"]),
        ("--to", ["translate", "--task", "xnli", "--out", "x", "--lexicons", ".", "--to"]),
    ],
)
@pytest.mark.parametrize("nothing", [",", "", " , "])
def test_a_list_that_names_nothing_is_refused_and_does_not_stand_for_all(
    option: str, call: list[str], nothing: str
) -> None:
    with pytest.raises(UserError, match=f"^{option}: {nothing!r} names nothing"):
        app([*call, nothing])
