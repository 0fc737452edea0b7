"""The command line: mistakes get one message with exit code 2; filters filter; nothing is half-written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.core

from crosswind.cli import app, main

STUDY = """
name: small
encoder: {encoder}
data: {{source: files, root: {data}}}
routes: {{none: []}}
targets:
  tasks:
    udpos:
      languages: [en]
      limit: 5
      train: {{tasks: [{{name: udpos, rows: 0-15}}], budget: {{steps: 1}}, training: {{batch_size: 4}}}}
"""

MAIN = "from crosswind.cli import main; main()"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def crosswind(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`crosswind("list", "tasks")`: exit code, standard output, standard error."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["crosswind", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def folder(tmp_path: Path, small_data: Path, tiny_encoder: Path) -> Path:
    """A folder with `study.yaml` and writable copies of the data and the encoder."""
    shutil.copytree(small_data, tmp_path / "data")
    shutil.copytree(tiny_encoder, tmp_path / "encoder")
    (tmp_path / "study.yaml").write_text(STUDY.format(encoder=tmp_path / "encoder", data=tmp_path / "data"))
    return tmp_path


def refused(crosswind: Run, folder: Path, *overrides: str) -> str:
    """The one message of a run that is refused; nothing was computed and no run folder was made."""
    sets = [part for override in overrides for part in ("--set", override)]
    places = ("--out", folder / "run", "--store", folder / "store")
    code, out, err = crosswind("run", folder / "study.yaml", *sets, *places)
    assert code == 2, err
    assert out == ""
    assert err.startswith("crosswind: ")
    assert "Traceback" not in err
    assert not (folder / "run").exists()
    assert not [*(folder / "store").glob("objects/*/*")]
    return err.removeprefix("crosswind: ")


def test_a_small_study_runs_and_is_found_again(crosswind: Run, folder: Path) -> None:
    arguments = ("run", folder / "study.yaml", "--out", folder / "run", "--store", folder / "store", "--quiet")
    code, out, err = crosswind(*arguments)
    assert code == 0, err
    assert "udpos" in out
    assert "computed 5 steps, found 0, among them 0 cells" in err
    code, again, err = crosswind(*arguments)
    assert (code, again) == (0, out)
    assert "computed 0 steps, found 5, among them 1 cells" in err
    code, out, _ = crosswind(*arguments, "--dry-run")
    assert code == 0
    assert "to run: nothing" in out


def test_a_dry_run_writes_nothing(crosswind: Run, folder: Path) -> None:
    places = ("--out", folder / "run", "--store", folder / "store")
    code, out, _ = crosswind("run", folder / "study.yaml", *places, "--dry-run")
    assert code == 0
    assert "to run: 1 train, 1 predict" in out
    assert ["train", "1", "1"] in [line.split()[:3] for line in out.splitlines()]
    long = crosswind("run", folder / "study.yaml", *places, "--dry-run", "--verbose", "--set", "seeds=[1, 2]")[1]
    assert "udpos for route none, seed 2" in long
    assert not (folder / "run").exists()
    assert not [*(folder / "store").glob("objects/*")]


def test_no_study_file(crosswind: Run, folder: Path) -> None:
    (folder / "study.yaml").unlink()
    assert refused(crosswind, folder) == (
        f"{folder}/study.yaml: cannot read the study (No such file or directory)\n  name a YAML file\n"
    )


def test_no_data_file(crosswind: Run, folder: Path) -> None:
    shutil.rmtree(folder / "data" / "ud" / "UD_English-Mini")
    err = refused(crosswind, folder)
    assert err.startswith(f"{folder}/data: no file of udpos ")
    assert "looked for udpos/train-en.tsv, ud/UD_*/en_*-ud-train.conllu" in err


def test_a_wrong_number_of_columns(crosswind: Run, folder: Path) -> None:
    path = folder / "data" / "xnli" / "test-en.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:6], "premise only", *lines[7:]]) + "\n", encoding="utf-8")
    xnli = "{languages: en, train: {tasks: [{name: snli, split: dev}]}}"
    err = refused(crosswind, folder, f"targets.tasks={{xnli: {xnli}}}")
    assert err.startswith(f"{path}:7: 1 column")


def test_an_unknown_label(crosswind: Run, folder: Path) -> None:
    path = folder / "data" / "ud" / "UD_English-Mini" / "en_mini-ud-test.conllu"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\tNOUN\t", "\tNOUM\t", 1), encoding="utf-8")
    line = next(i for i, x in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if "\tNOUM\t" in x)
    assert refused(crosswind, folder) == f"{path}:{line}: unknown tag 'NOUM'\n  did you mean 'NUM' or 'NOUN'?\n"


def test_an_answer_outside_its_context(crosswind: Run, folder: Path) -> None:
    path = folder / "data" / "tydiqa" / "tydiqa-goldp-v1.1-dev" / "tydiqa.goldp.en.dev.json"
    path.parent.mkdir(parents=True)
    answers = [{"text": "lake", "answer_start": 900}]
    question = {"id": "english-1", "question": "What does the dog see?", "answers": answers}
    paragraph = {"context": "The dog sees a river.", "qas": [question]}
    path.write_text(json.dumps({"data": [{"title": "t", "paragraphs": [paragraph]}]}), encoding="utf-8")
    train = folder / "data" / "tydiqa" / "tydiqa-goldp-v1.1-train" / "tydiqa.goldp.en.train.json"
    train.parent.mkdir()
    train.write_text("{}")
    err = refused(crosswind, folder, "targets.tasks={tydiqa: {languages: en}}")
    assert str(path) in err
    assert "english-1" in err
    assert "900" in err


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("targets.tasks.udpos.languages=[enn]", "udpos.languages: unknown language 'enn'\n  did you mean 'en'"),
        ("targets.tasks={udpso: {}}", "targets.tasks.udpso: unknown task 'udpso'\n  did you mean 'udpos'"),
        ('perturb=["keybord:0.1"]', "perturb[0]: unknown perturbation 'keybord'\n  did you mean 'keyboard'"),
        ("targets.preset=xtrem-r", "targets.preset: unknown preset 'xtrem-r'\n  did you mean 'xtreme-r'"),
        ("targets.tasks.udpos.limt=5", "targets.tasks.udpos.limt: unknown key 'limt'\n  did you mean 'limit'"),
        ("draw=2", "draw: unknown key 'draw'\n  did you mean 'draws'"),
        ('perturb=["keyboard:1.5"]', "perturb[0]: perturbation 'keyboard:1.5': severity 1.5 is outside (0, 1]"),
        ('perturb=["keyboard:0"]', "perturb[0]: perturbation 'keyboard:0': severity 0 is outside (0, 1]"),
        ("targets.tasks.udpos.rows=0-99", "udpos test, en: rows 0-99 were asked for, there are 20 (0-19)"),
        ("targets.tasks.udpos.train.tasks.0.rows=40-60", "udpos train, en: rows 40-60 were asked for, there are 48"),
        ("targets.tasks.udpos.rows=x", "'x' is not a range of rows"),
        ("data.root=nowhere", "data.root: no folder"),
    ],
)
def test_names_and_numbers_that_do_not_exist(crosswind: Run, folder: Path, override: str, message: str) -> None:
    assert message in refused(crosswind, folder, override)


def test_an_empty_split(crosswind: Run, folder: Path) -> None:
    path = folder / "data" / "ud" / "UD_English-Mini" / "en_mini-ud-test.conllu"
    path.write_text("# nothing\n\n")
    assert refused(crosswind, folder).startswith("udpos test, en: the split is empty\n")


def test_an_encoder_without_a_tokenizer(crosswind: Run, folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / "encoder" / name).unlink()
    assert refused(crosswind, folder).startswith(f"encoder: no tokenizer in '{folder}/encoder'\n  put tokenizer.json")


def test_a_run_folder_that_is_something_else(crosswind: Run, folder: Path) -> None:
    arguments = ("run", folder / "study.yaml", "--store", folder / "store", "--out")
    code, out, err = crosswind(*arguments, folder / "data")
    assert (code, out) == (2, "")
    assert err == f"crosswind: {folder}/data: is a folder of something else\n  name a new folder with --out\n"
    before = (folder / "study.yaml").read_text()
    code, _, err = crosswind(*arguments, folder / "study.yaml")
    assert (code, err) == (2, f"crosswind: {folder}/study.yaml: is a file\n  name a folder with --out\n")
    assert (folder / "study.yaml").read_text() == before
    code, _, err = crosswind("run", folder / "study.yaml", "--store", folder / "study.yaml", "--out", folder / "run")
    assert code == 2
    assert "cannot keep a store there" in err


def test_unknown_executors_commands_and_listings(crosswind: Run, folder: Path) -> None:
    code, _, err = crosswind("run", folder / "study.yaml", "--executor", "lokal", "--out", folder / "run")
    assert code == 2
    assert "--executor: unknown executor 'lokal'" in err
    assert not (folder / "run").exists()
    code, _, err = crosswind("list", "task")
    assert (code, err) == (2, "crosswind: list: unknown list 'task'\n  did you mean 'tasks' or 'stages'?\n")
    assert crosswind("runn")[0] == 2
    assert crosswind("run")[0] == 2


def test_a_study_that_fails_by_a_mistake_ends_with_two_and_says_where(crosswind: Run, folder: Path) -> None:
    arguments = ("run", folder / "study.yaml", "--out", folder / "run", "--store", folder / "store", "--quiet")
    code, _, err = crosswind(*arguments, "--set", "targets.tasks.udpos.train.budget.items=99")
    assert code == 2
    assert "failed: udpos for route none: udpos: a budget of 99 items, there are 16" in err
    assert "not run: 4 steps that need these" in err
    assert "results.parquet" not in err  # there are none
    assert "Traceback" not in err


# perturb


def test_perturb_is_a_filter(crosswind: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"the old house number {i} stands by the river" for i in range(20)]
    source, target = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, out, err = crosswind("perturb", "keyboard:0.3", source, "--language", "en")
    assert (code, err) == (0, "crosswind: 20 of 20 lines changed\n")
    written = out.splitlines()
    assert len(written) == 20
    assert all(len(a) == len(b) for a, b in zip(written, lines, strict=True))
    assert written != lines
    assert crosswind("perturb", "keyboard", source, "--severity", "0.3", "-o", target) == (0, "", err)
    assert target.read_text(encoding="utf-8") == out
    with source.open(encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert crosswind("perturb", "keyboard:0.3") == (0, out, err)
    assert crosswind("perturb", "keyboard:0.3", source, "--seed", "2")[1] != out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("keybord:0.1",), "SPEC: unknown perturbation 'keybord'"),
        (("keyboard:2",), "SPEC: perturbation 'keyboard:2': severity 2 is outside (0, 1]"),
        (("keyboard",), "severity"),
        (("keyboard:0.1", "--severity", "0.3"), "--severity: 'keyboard:0.1' has a severity of its own"),
        (("keyboard:0.1,0.2",), "several severities"),
        (("swap:0.1", "--language", "zh"), "zh"),
        (("keyboard:0.1", "--language", "not a language"), "not a language"),
        (("codemix(embed=de):0.1",), "lexicons"),
        (("codemix(embed=de):0.1", "--lexicons", "nowhere"), "nowhere"),
        (("keyboard:0.1", "--lexicons", "nowhere"), "--lexicons: no folder of lexicons 'nowhere'"),
        (("delete:0.1", "--language", ""), "--language: '' is no registered language code"),
        (("hard-negatives",), "a number in (0, 1], below which u changes a query"),
        (("hard-negatives:0.1",), "only retrieval has candidates to add to"),
    ],
)
def test_perturb_refuses_what_it_cannot_do(
    crosswind: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("a line\n")
    code, out, err = crosswind("perturb", arguments[0], source, *arguments[1:], "-o", target)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("suite crosswind-c-1 --data nowhere", "--data: what a suite is depends on no data"),
        ("store list --store nowhere", "--store: no store 'nowhere'"),
        ("store verify --store nowhere", "--store: no store 'nowhere'"),
        ("store prune --all --store nowhere", "--store: no store 'nowhere'"),
        ("lexicon measure nowhere --against nowhere", "FILES: no folder of lexicons 'nowhere'"),
        ("lexicon measure . --against nowhere", "--against: no folder of lexicons 'nowhere'"),
        ("lexicon measure . --against . --data nowhere", "--data: measure compares two folders"),
        ("lexicon alphabet x.txt --languages en --out o --data nowhere", "--data: official files are those of --from"),
        ("lexicon alphabet x.txt --languages en --out o --against nowhere", "--against: alphabet"),
        ("export --submission run --lexicons nowhere --out o", "--lexicons: not read of --submission"),
        ("export --adversarial run --task-file nowhere --out o", "--task-file: not read of --adversarial"),
        ("export --submission run --format hf --out o", "--format: not read of --submission"),
        ("export --submission run --draws 1 --out o", "--draws: not read of --submission"),
        ("export --adversarial run --route none --out o", "--route: not read of --adversarial"),
        ("export --adversarial run --benchmark xtreme --out o", "--benchmark: not read of --adversarial"),
        ("export --adversarial run --condition clean --out o", "--condition: not read of --adversarial"),
        ("export --adversarial run --draws 2 --out o", "--draws: not read of --adversarial"),
        ("export --task xnli --benchmark xtreme --out o", "--benchmark: no run is named"),
        ("export --task xnli --route none --out o", "--route: no run is named"),
        ("plan study.yaml --effect 1 --pilot nowhere", "nowhere: is no run folder"),
    ],
)
def test_folders_that_are_not_there_or_not_read_are_refused(
    crosswind: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(Path(__file__).parents[1] / "studies" / "real-quick.yaml", tmp_path / "study.yaml")
    code, out, err = crosswind(*arguments.split())
    assert (code, out) == (2, "")
    assert message in err
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


def filtered(text: bytes, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """`crosswind perturb ARGUMENTS` as a process of its own, with `text` on its standard input."""
    command = [sys.executable, "-c", MAIN, "perturb", *arguments]
    return subprocess.run(command, input=text, capture_output=True, env={**os.environ, **environment}, timeout=60)


def test_line_ends_are_kept_to_the_byte_and_change_no_draw(tmp_path: Path) -> None:
    texts = [b"the old house by the river", b"", b"a lone\rreturn stays", b"and the last line has no end"]
    source, target = tmp_path / "in.txt", tmp_path / "out.txt"
    by_end = {}
    for end in (b"\n", b"\r\n"):
        source.write_bytes(end.join(texts))
        by_stream = filtered(source.read_bytes(), "swap:0.5")
        assert by_stream.stderr == b"crosswind: 3 of 4 lines changed\n"
        assert filtered(b"", "swap:0.5", str(source), "-o", str(target)).returncode == 0
        assert target.read_bytes() == by_stream.stdout
        by_end[end] = by_stream.stdout.split(end)
        assert [len(line) for line in by_end[end]] == [len(line) for line in texts]
        assert b"\r" in by_end[end][2]
    assert by_end[b"\n"] == by_end[b"\r\n"]


def test_a_pipe_that_waits_gets_the_answer_to_a_line_before_it_writes_the_next() -> None:
    command = [sys.executable, "-c", MAIN, "perturb", "swap:1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line, answer in ((b"ab\n", b"ba\n"), (b"cd ef\n", b"dc fe\n"), (b"gh\nij\n", b"hg\nji\n")):
            process.stdin.write(line)
            process.stdin.flush()
            assert b"".join(process.stdout.readline() for _ in range(line.count(b"\n"))) == answer
        rest, err = process.communicate(b"kl", timeout=60)
    assert (rest, err) == (b"lk", b"crosswind: 5 of 5 lines changed\n")


def test_the_filter_finds_the_severity_of_a_damage() -> None:
    text = b"the old house by the river is full of light\n" * 40
    ended = filtered(text, "keyboard", "--damage", "edits=3")
    said, changed = ended.stderr.decode().splitlines()
    severity = said.split()[2].rstrip(":")
    assert said.startswith("crosswind: severity 0.")
    assert said.endswith("on the first 40 lines")
    assert changed.endswith("of 40 lines changed")
    assert filtered(text, "keyboard", "--severity", severity).stdout == ended.stdout
    assert filtered(text, "keyboard", "--damage", "edits=3", "--severity", "0.1").returncode == 2


def test_text_is_utf8_whatever_the_locale_says() -> None:
    text = "Ünïcödé für größere Häuser\n".encode() * 3
    expected = filtered(text, "swap:0.5", PYTHONUTF8="1", LC_ALL="C.UTF-8").stdout
    assert len(expected.decode("utf-8")) == len(text.decode("utf-8"))
    assert filtered(text, "swap:0.5", PYTHONIOENCODING="latin-1").stdout == expected
    assert filtered(text, "swap:0.5", PYTHONIOENCODING="ascii:replace", LC_ALL="C").stdout == expected
    assert filtered(text, "swap:0.5", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", LC_ALL="POSIX").stdout == expected


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    bad = b"one\ntwo\ncaf\xe9\nfour\n"
    source = tmp_path / "in.txt"
    source.write_bytes(bad)
    for name, ended in (
        ("standard input", filtered(bad, "swap:0.5", LC_ALL="C")),
        (str(source), filtered(b"", "swap:0.5", str(source))),
    ):
        assert ended.returncode == 2
        assert ended.stderr.decode().startswith(f"crosswind: {name}:3: not UTF-8 (byte 4 of the line)\n")
        assert ended.stdout.count(b"\n") == 2  # the lines before it are not lost


def test_lines_that_are_not_utf8_may_stay_as_they_are(tmp_path: Path) -> None:
    lines = [b"one two three", b"caf\xe9 two three", b"four five six"]
    bad = b"\n".join([*lines, *[b"\xff"] * 6])
    ended = filtered(bad, "swap:1", "--on-error", "skip")
    out = ended.stdout.split(b"\n")
    assert ended.returncode == 0
    assert out[1] == lines[1]
    assert out[3:] == [b"\xff"] * 6
    good = filtered(b"\n".join([lines[0], lines[2]]), "swap:1").stdout.split(b"\n")
    assert [out[0], out[2]] == good
    said = ended.stderr.decode().splitlines()
    assert said[0] == "crosswind: standard input:2: not UTF-8 (byte 4 of the line); left as it is"
    assert said[5:] == [
        "crosswind: 7 lines that are not UTF-8 were left as they are",
        "crosswind: 2 of 9 lines changed",
    ]
    assert filtered(bad, "swap:1", "--on-error", "ignore").returncode == 2


def test_perturb_says_what_cannot_be_read_or_written(crosswind: Run, tmp_path: Path) -> None:
    code, _, err = crosswind("perturb", "keyboard:0.1", tmp_path / "none.txt")
    hint = "  is it a file, and may you read it?\n"
    assert (code, err) == (2, f"crosswind: {tmp_path}/none.txt: can't be read: No such file or directory\n{hint}")
    source = tmp_path / "in.txt"
    source.write_bytes(b"caf\xe9\n")
    code, _, err = crosswind("perturb", "keyboard:0.1", source, "-o", tmp_path / "out.txt")
    assert code == 2
    assert err.startswith(f"crosswind: {source}:1: ")
    assert "UTF-8" in err
    assert not (tmp_path / "out.txt").exists()
    source.write_text("a line\n")
    code, _, err = crosswind("perturb", "keyboard:0.1", source, "-o", source / "out.txt")
    assert code == 2
    assert "cannot be written" in err


def test_a_closed_pipe_ends_the_filter_quietly(tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("the old house by the river\n" * 50_000)
    command = [sys.executable, "-c", MAIN, "perturb", "keyboard:0.2", str(source)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    assert len(process.stdout.readline()) == len("the old house by the river\n")
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 1
    process.stderr.close()


# score, list, help


def test_score_gives_the_official_averages(crosswind: Run, official_data: Callable[..., Path]) -> None:
    mock = official_data("xtreme-mock") / "xtreme-mock"
    arguments = ("score", mock / "predictions", mock / "labels", "--benchmark", "xtreme")
    code, out, _ = crosswind(*arguments, "--json")
    assert code == 0
    scores = json.loads(out)
    # xtreme/evaluate.py on its own mock data (udpos: seqeval 0.0.12)
    expected = {"pawsx": 51.42857142857143, "panx": 57.50793650793652, "udpos": 70.21746048354693}
    assert {t: scores["tasks"][t]["score"] for t in expected} == pytest.approx(expected)
    code, out, _ = crosswind(*arguments)
    assert code == 0
    assert "51.43" in out
    assert "classification: 41.05\n" in out  # (51.42857 + 30.66667) / 2
    assert "unanswered" not in out
    assert re.search(r"^pawsx by language: .*\bde [0-9.]+, ", out, re.MULTILINE)
    code, out, err = crosswind("score", mock / "nowhere", mock / "labels")
    assert (code, out) == (2, "")
    assert err.startswith(f"crosswind: {mock}/nowhere: no such folder")


@pytest.mark.parametrize("what", ["tasks", "perturbations", "metrics", "presets", "corpora", "executors"])
def test_listings_are_json_on_request(crosswind: Run, what: str) -> None:
    code, out, _ = crosswind("list", what, "--json")
    assert code == 0
    rows = json.loads(out)
    code, out, _ = crosswind("list", what)
    assert code == 0
    assert len(out.splitlines()) == len(rows) + 1
    assert all(row["name"] in out for row in rows)


def commands() -> list[str]:
    return sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", commands())
def test_every_commands_help_has_an_example(crosswind: Run, command: str) -> None:
    code, out, _ = crosswind(command, "--help")
    assert code == 0
    assert f"crosswind {command}" in out.split("Example", 1)[-1]
    assert "Example" in out


def options() -> list[tuple[tuple[str, ...], typer.core.TyperOption]]:
    """Every option of every command that takes a value, with the words that name the command."""
    found = []
    waiting: list[tuple[tuple[str, ...], Any]] = [((), typer.main.get_command(app))]
    while waiting:
        words, command = waiting.pop()
        waiting += [((*words, name), inner) for name, inner in getattr(command, "commands", {}).items()]
        if words and not hasattr(command, "commands"):
            found += [(words, p) for p in command.params if isinstance(p, typer.core.TyperOption) and not p.is_eager]
    return found


def test_an_option_that_takes_one_value_is_refused_when_it_is_given_twice(crosswind: Run) -> None:
    refused = set()
    for words, option in options():
        name = option.opts[0]
        if option.is_flag and not option.secondary_opts:
            continue
        given = [name, option.secondary_opts[0]] if option.is_flag else [name, "1", f"{name}=2"]
        code, out, err = crosswind(*words, *given)
        told = f"crosswind: {name}: given 2 times, and it takes one value"
        assert err.startswith(told) == (not option.multiple), (words, name, err)
        if not option.multiple:
            assert (code, out) == (2, "")
            refused.add((*words, name))
    assert {("attack", "--recipe"), ("attack", "--control"), ("store", "prune", "--store")} < refused
    assert len(refused) > 100
    assert crosswind("attack", "--recipe", "a", "--recipe", "b", "--help")[0] == 0


def test_help_answers_without_the_heavy_libraries() -> None:
    code = (
        "import sys, crosswind.cli\n"
        "sys.argv = ['crosswind', *sys.argv[1:]]\n"
        "try:\n    crosswind.cli.main()\nexcept SystemExit as e:\n    assert not e.code\n"
        "heavy = {'torch', 'transformers', 'polars', 'numpy', 'datasets', 'altair', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    for arguments in (["--help"], ["run", "--help"]):
        ran = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
        assert "Usage" in ran.stdout
        assert ran.stderr.strip() == "[]"


def test_evaluate_scores_a_checkpoint_and_refuses_one_without_a_head(crosswind: Run, folder: Path) -> None:
    shared = ("--data", folder / "data", "--store", folder / "store", "--quiet")
    code, out, err = crosswind(
        "evaluate", folder / "encoder", "--task", "tatoeba", "--languages", "jv", "--limit", "9", *shared, "--json"
    )
    assert code == 0, err
    (row,) = json.loads(out)
    assert (row["target"], row["language"], row["n"], row["route"]) == ("tatoeba", "jv", 9, "none")
    arguments = ("evaluate", folder / "encoder", "--task", "tatoeba", "--languages", "jv", "--limit", "9", *shared)
    code, out, err = crosswind(*arguments, "--json", "--benchmarks")
    scores = json.loads(out)
    assert {(s["benchmark"], s["name"], s["key"]) for s in scores} >= {("xtreme", "tatoeba", "metric")}
    assert all(s["score"] is None for s in scores if s["name"] in ("retrieval", "all_task"))
    code, out, err = crosswind(*arguments, "--benchmarks")
    assert (code, out) == (2, "")
    code, out, err = crosswind("evaluate", folder / "encoder", "--task", "xnli", "--languages", "es", *shared)
    assert code == 2
    assert "no head for pair tasks" in err
    assert "Traceback" not in err
    for arguments, message in (
        (("--task", "xnIi"), "unknown task 'xnIi'"),
        (("--task", "xnli", "--languages", "ess"), "unknown language 'ess'"),
        (("--task", "xnli", "--precision", "fp16"), "--precision: unknown precision 'fp16'"),
    ):
        code, out, err = crosswind("evaluate", folder / "encoder", *arguments, *shared)
        assert (code, out) == (2, "")
        assert message in err


def test_pretrain_writes_a_checkpoint_or_nothing(crosswind: Run, tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_text("".join(f"the dog number {i} sees a river\n" for i in range(30)))
    config = tmp_path / "tiny.yaml"
    config.write_text(
        "name: tiny\ntokenizer: {vocab_size: 150}\nbudget: {steps: 2}\n"
        "model: {hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 1, intermediate_size: 8}\n"
        f"text: {{path: {tmp_path}/en.txt, language: en}}\n"
    )
    code, out, err = crosswind("pretrain", config, "--out", tmp_path / "tiny", "--quiet")
    assert code == 0, err
    assert out.startswith(f"{tmp_path}/tiny: 2 steps")
    code, _, err = crosswind("pretrain", config, "--out", tmp_path / "tiny", "--quiet")
    assert code == 2
    assert "holds a checkpoint already" in err
    code, _, err = crosswind("pretrain", config, "--out", tmp_path / "other", "--set", "modl=1")
    assert code == 2
    assert "did you mean 'model'" in err
    assert not (tmp_path / "other").exists()


def test_one_thread_a_step_whatever_the_machine_has(crosswind: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    crosswind("list", "presets")
    assert os.environ["OMP_NUM_THREADS"] == "1"


def test_items_go_out_and_their_predictions_come_in(
    crosswind: Run, official_data: Callable[..., Path], tmp_path: Path
) -> None:
    shared = ("--data", official_data("xcopa"), "--store", tmp_path / "store", "--quiet")
    arguments = ("--task", "xcopa", "--language", "et", "--limit", "8", "--perturb", "swap:0.5", *shared)
    code, out, err = crosswind("export", *arguments, "--format", "lm-eval", "--out", tmp_path / "items")
    assert code == 0, err
    assert [line.split()[0] for line in out.splitlines()] == ["folder", "clean", "swap-0.5-none-draw1"]
    logged = []
    for path in sorted((tmp_path / "items").glob("*/xcopa-et.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            doc = json.loads(line)
            logged.append(
                json.dumps({"doc": doc, "filtered_resps": [[-1.0 - (i != doc["label"]), True] for i in (0, 1)]})
            )
    (tmp_path / "samples.jsonl").write_text("\n".join(logged), encoding="utf-8")
    code, out, err = crosswind(
        "evaluate", "a-model", "--predictions", tmp_path / "samples.jsonl", "--limit", "8", "--json", *shared,
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert code == 0, err
    rows = {r["perturbation"]: (r["encoder"], r["score"], r["n"]) for r in json.loads(out)}
    assert rows == {"clean": ("a-model", 100.0, 8), "swap": ("a-model", 100.0, 8)}
    code, out, err = crosswind("export", "--submission", tmp_path / "run", "--out", tmp_path / "out")
    assert code == 0, err
    assert len((tmp_path / "out" / "xcopa" / "test-et.jsonl").read_text(encoding="utf-8").splitlines()) == 8
    assert "rows 8 by clusters" in err
    code, out, err = crosswind("compare", tmp_path / "run", "published", "--json")
    assert code == 0, err
    assert json.loads(out)["compared"] == []
    for arguments in (("evaluate", *shared), ("export", "--out", tmp_path / "x", "--route", "none", *shared)):
        assert crosswind(*arguments)[0] == 2
    assert crosswind("compare", tmp_path / "items", "published")[0] == 2


def test_translate_writes_data_that_its_task_file_reads(crosswind: Run, small_data: Path, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.mkdir()
    (words / "en-es.txt").write_text("house\tcasa\nthe\tel\n", encoding="utf-8")
    fixed = ("--task", "snli", "--split", "dev", "--rows", "0-9", "--data", small_data, "--store", tmp_path / "store")
    code, out, err = crosswind(
        "translate", *fixed, "--to", "es", "--lexicons", words, "--out", tmp_path / "mt", "--quiet"
    )
    assert (code, out.splitlines()) == (
        0,
        [
            f"{tmp_path}/mt/snli/dev-es.jsonl: 10 of 10 examples",
            f"{tmp_path}/mt/tasks.yaml: reads them as data of your own",
        ],
    )
    assert "word by word from a lexicon" in err
    assert "are not in the lexicon and stay as they are" in err
    rows = [json.loads(line) for line in (tmp_path / "mt/snli/dev-es.jsonl").read_text("utf-8").splitlines()]
    assert rows[0].keys() == {"id", "cluster", "first", "second", "label"}
    assert {row["label"] for row in rows} == {"entailment", "neutral", "contradiction"}
    for arguments, message in (
        (("--to", "es", "--out", small_data, "--lexicons", words), "is a folder of something else"),
        (("--to", "en", "--out", tmp_path / "x", "--lexicons", words), "snli is in en"),
        (("--to", "esp", "--out", tmp_path / "x", "--lexicons", words), "'esp' is no registered language code"),
        (("--to", "de", "--out", tmp_path / "x", "--lexicons", words), "no lexicon from en to de"),
        (("--to", "de", "--out", tmp_path / "x"), "translate by a model (model: NAME) or by a lexicon"),
        (("--to", "de", "--out", tmp_path / "x", "--model", "M", "--code", "de"), "'de' is not OURS=THEIRS"),
    ):
        code, _, err = crosswind("translate", *fixed, *arguments, "--quiet")
        assert code == 2
        assert message in err
