"""Where nothing can be written: every command says so in a sentence, with exit code 2, before it computes anything."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import crosswind.study
from crosswind.cli import main

COMMANDS = {
    "export": ["export", "--task", "mw-nli", "--language", "qlo-Latn", "--limit", "3", "--format", "hf", "--out"],
    "translate": ["translate", "--task", "mw-nli", "--to", "qlo-Latn", "--lexicons", "microworld", "--out"],
    "lexicon": ["lexicon", "frequencies", "{here}/lines.txt", "--languages", "en", "--out"],
    "pretrain": ["pretrain", "{here}/pretrain.yaml", "--out"],
    "demo": ["demo", "--out"],
    "run": ["run", "{here}/study.yaml", "--out"],
    "init": ["init"],
    "perturb": ["perturb", "keyboard:0.1", "{here}/lines.txt", "--language", "en", "-o"],
}
UNWRITABLE = {
    "a folder of the system's": "/proc/x",
    "below a device": "/dev/null/x",
    "below a file": "{here}/lines.txt/x",
    "too long a name": "n" * 300,
    "a link that leads nowhere": "{here}/dangling",
    "a link to itself": "{here}/loop/x",
}


@pytest.mark.parametrize("where", UNWRITABLE)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_place_that_cannot_be_written_is_refused(
    command: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lines.txt").write_text("one line\n")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    config = Path(crosswind.study.__file__).parent / "configs" / "microworld-small.yaml"
    (tmp_path / "pretrain.yaml").write_text(config.read_text())
    study = (
        "name: s\nencoder: microworld\ndata: {source: microworld}\nroutes: {none: []}\ntargets: {tasks: {mw-nli: {}}}\n"
    )
    (tmp_path / "study.yaml").write_text(study)
    arguments = [part.format(here=tmp_path) for part in (*COMMANDS[command], UNWRITABLE[where])]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROSSWIND_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("CROSSWIND_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["crosswind", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2, said
    assert said.startswith("crosswind: ")
    assert any(name in said for name in (Path(arguments[-1]).name[:5], "lines.txt", "loop", "/dev/null"))
    assert not (tmp_path / "store" / "objects").exists() or not any((tmp_path / "store" / "objects").iterdir())
