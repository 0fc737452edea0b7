"""`crosswind perturb --task`: official files in, official files out, with what changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from crosswind.cli import app
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.perturb.rewrite import Rewrite
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.evaluate import evaluation
from crosswind.study.items import export_items
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load

SPEC = "keyboard:0.2"


def run(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        app(["perturb", SPEC, *arguments])
    assert ended.value.code == 0


@pytest.fixture
def data(official_data: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    root = official_data("xnli", "tatoeba", "xcopa")
    monkeypatch.delenv("CROSSWIND_DATA", raising=False)
    return root


def test_what_comes_out_is_the_official_file_that_export_writes(
    data: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    study = evaluation("items", ["xcopa"], languages=["et"], data=data, perturb=[SPEC], predictions=())
    export_items(study, "official", tmp_path / "out", Store(tmp_path / "store"), Silent())
    (expected,) = (tmp_path / "out" / "keyboard-0.2-none-draw1").glob("xcopa/**/*.jsonl")
    run("--task", "xcopa", "--language", "et", "--data", str(data))
    printed = capfdbinary.readouterr()
    assert printed.out == expected.read_bytes()
    assert b"of 500 texts changed" in printed.err
    # The file itself may be named, where it lies as in the official layout.
    (original,) = TASKS["xcopa"].files.locate(FilesSource(data).files, "et", "test")
    run(str(original), "--task", "xcopa", "--language", "et", "-o", str(tmp_path / "one.jsonl"))
    assert (tmp_path / "one.jsonl").read_bytes() == expected.read_bytes() != original.read_bytes()


def test_what_a_perturbation_needs_besides_is_read_where_the_task_lies(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "panx").mkdir()
    text = "Ada\tB-PER\nsingt\tO\n\nKurt\tB-PER\nliest\tO\n\n"
    (tmp_path / "panx" / "test-de.tsv").write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        app(["perturb", "entity-swap:1", "--task", "panx", "--language", "de", "--data", str(tmp_path)])
    assert ended.value.code == 0
    other = "Kurt\tB-PER\nsingt\tO\n\nAda\tB-PER\nliest\tO\n\n"  # each has the other's person
    assert capfd.readouterr().out.strip() == other.strip()


def test_so_it_is_for_reviews(data: Path, official_data: Callable[..., Path], tmp_path: Path) -> None:
    root = official_data("xquad")
    call = ("--task", "xquad", "--language", "de", "--data", str(root), "--fields", "context")
    with pytest.raises(SystemExit) as ended:
        app(["perturb", "distract-qa:1", *call, "--review", "3", "-o", str(tmp_path / "review")])
    assert ended.value.code == 0
    items = json.loads((tmp_path / "review" / "key.json").read_text(encoding="utf-8"))["items"]
    assert sum(item["kind"] == "perturbed" for item in items.values()) == 3


def test_a_task_of_several_files_becomes_a_folder(data: Path, tmp_path: Path) -> None:
    call = ("--task", "tatoeba", "--language", "jv", "--data", str(data))
    with pytest.raises(UserError, match="-o: tatoeba has 2 files"):
        app(["perturb", SPEC, *call])
    run(*call, "--fields", "pool", "-o", str(tmp_path / "out"))
    clean, noisy = (load(TASKS["tatoeba"], "jv", "test", FilesSource(root)) for root in (data, tmp_path / "out"))
    assert [e.id for e in noisy.examples] == [e.id for e in clean.examples]
    assert noisy.examples == clean.examples
    assert noisy.pool != clean.pool


def test_json_says_what_was_kept_and_what_is_new(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run("--task", "xnli", "--language", "sw", "--split", "dev", "--data", str(data), "--fields", "hypothesis", "--json")
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    clean = load(TASKS["xnli"], "sw", "dev", FilesSource(data)).examples
    assert len(lines) == len(clean) == 2490
    for example, line in zip(clean, lines, strict=True):
        assert set(line["rewrites"]) <= {"second"}
        assert line["first"] == example.first  # type: ignore[union-attr]
        rewrite = line["rewrites"].get("second")
        before: str = example.second  # type: ignore[union-attr]
        assert line["second"] == (Rewrite.from_json(rewrite).apply(before) if rewrite else before)
    assert sum(bool(line["rewrites"]) for line in lines) > 2000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["--task", "xnli", "--language", "de"], "--data: no folder of official files is named"),
        (["--task", "xnli", "--data", "DIR"], "--language: xnli has 15 languages"),
        (["--task", "xnly", "--language", "de", "--data", "DIR"], "--task: unknown task 'xnly'"),
        (["IN", "--task", "xnli", "--language", "de"], "is no official file of xnli test, de, where it lies"),
        (["--task", "xnli", "--language", "de", "--data", "DIR", "--fields", "words"], "--fields: examples of kind"),
        (["--task", "xnli", "--data", "DIR", "--on-error", "skip"], "--on-error: only lines are skipped"),
        (["--json"], "--json: lines stay lines"),
        (["--fields", "premise"], "--fields: there are no fields"),
        (["--data", "DIR"], "--data: lines are read as they are"),
        (["--split", "dev"], "--split: lines are read as they are"),
        (["IN", "--language", "de", "-o", "IN"], "mine.tsv: would take the place of the clean text"),
        (
            ["IN", "--language", "de"],
            r"mine.tsv: is a table: lines would have(.|\n)*--task-file FILE; lines all the same: <",
        ),
    ],
)
def test_mistakes_are_named(data: Path, tmp_path: Path, call: list[str], message: str) -> None:
    shutil.copyfile(data / "xnli" / "test-de.tsv", tmp_path / "mine.tsv")
    named = {"DIR": str(data), "IN": str(tmp_path / "mine.tsv")}
    with pytest.raises(UserError, match=message):
        app(["perturb", SPEC, *(named.get(part, part) for part in call)])


def test_clean_data_are_not_written_over(data: Path, tmp_path: Path) -> None:
    (original,) = TASKS["xcopa"].files.locate(FilesSource(data).files, "et", "test")
    mine = tmp_path / original.relative_to(data)
    mine.parent.mkdir(parents=True)
    shutil.copyfile(original, mine)
    (tmp_path / "link.jsonl").symlink_to(mine)
    for target in (mine, tmp_path / "link.jsonl"):
        with pytest.raises(UserError, match="would take the place of the clean official file"):
            app(["perturb", SPEC, "--task", "xcopa", "--language", "et", "--data", str(tmp_path), "-o", str(target)])
    assert mine.read_bytes() == original.read_bytes()
