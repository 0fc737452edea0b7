"""Nothing that a checkpoint brings is run, whoever is asked; what is no model is named as what it is."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import crosswind
from crosswind.errors import UserError
from crosswind.model.encoder import load_encoder
from crosswind.study.encoders import encoder_fingerprint
from tiny_models import write_encoder

SOURCE = Path(crosswind.__file__).parent
EVIL = """
from pathlib import Path
from transformers import PretrainedConfig
Path({mark!r}).write_text("ran")
class EvilConfig(PretrainedConfig):
    model_type = "evil"
"""


def calls() -> list[tuple[str, ast.Call]]:
    """Every call of the source by which transformers might run a checkpoint's code: file:line, and the call."""
    seen = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and called.attr in ("from_pretrained", "from_config"):
                seen.append((f"{path.relative_to(SOURCE)}:{node.lineno}", node))
    return seen


@pytest.mark.parametrize(("where", "call"), calls(), ids=[where for where, _ in calls()])
def test_every_call_that_loads_says_whether_foreign_code_may_run(where: str, call: ast.Call) -> None:
    said = {keyword.arg: keyword.value for keyword in call.keywords}
    assert "trust_remote_code" in said, where
    value = said["trust_remote_code"]
    no = isinstance(value, ast.Constant) and value.value is False
    assert no or (isinstance(value, ast.Name) and value.id == "trusted"), where


def test_the_walk_sees_the_calls() -> None:
    assert len(calls()) >= 6


def evil(folder: Path) -> tuple[Path, Path]:
    """A checkpoint of an unknown type whose configuration names a Python file, and what that file would write."""
    write_encoder(folder / "evil", "bert")
    mark = folder / "ran"
    path = folder / "evil" / "config.json"
    facts = json.loads(path.read_text())
    facts |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.EvilConfig"}}
    path.write_text(json.dumps(facts))
    (folder / "evil" / "evil.py").write_text(EVIL.format(mark=str(mark)))
    return folder / "evil", mark


def crosswind_cli(*arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from crosswind.cli import main; main()", *arguments]
    return subprocess.run(command, input=answer, capture_output=True, text=True, timeout=240, env={**os.environ})


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_checkpoints_code_does_not_run_whatever_standard_input_answers(
    workers: str, tmp_path: Path, small_data: Path
) -> None:
    encoder, mark = evil(tmp_path)
    done = crosswind_cli(
        *("evaluate", str(encoder), "--task", "tatoeba", "--languages", "jv,sw", "--data", str(small_data)),
        *("--limit", "5", "--workers", workers, "--store", str(tmp_path / "store")),
        answer="y\n" * 20,
    )
    assert not mark.exists()
    assert "brings Python code of its own, which is not run" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode != 0


@pytest.mark.slow
def test_trusted_code_runs_and_is_in_every_key_and_in_the_notes(tmp_path: Path, small_data: Path) -> None:
    from crosswind.study.plan import make_plan
    from crosswind.study.spec import parse_study

    encoder, mark = evil(tmp_path)
    text = (
        f"{{name: t, encoder: {encoder}, fine_tuned: true, data: {{source: files, root: {small_data}}},"
        " routes: {none: []}, targets: {tasks: {tatoeba: {languages: [jv]}}}}"
    )
    plain = make_plan(parse_study(text))
    trusted = make_plan(parse_study(text, ["trust_remote_code=true"]))
    assert trusted.graph.context["trusted"] is True
    assert "trusted" not in plain.graph.context
    assert {c.key for c in plain.cells}.isdisjoint({c.key for c in trusted.cells})
    assert any("trust_remote_code" in note for note in trusted.notes)
    (encoder / "evil.py").write_text((encoder / "evil.py").read_text() + "\n# another version\n")
    edited = make_plan(parse_study(text, ["trust_remote_code=true"]))
    assert {c.key for c in edited.cells}.isdisjoint({c.key for c in trusted.cells})
    assert not mark.exists()
    with pytest.raises(UserError):  # The class that it brings is no encoder, but it was run.
        load_encoder(str(encoder), trusted=True)
    assert mark.exists()


@pytest.mark.skipif(find_spec("sentencepiece") is not None, reason="sentencepiece is installed")
def test_a_sentencepiece_model_alone_names_the_extra_that_reads_it(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "model", "xlm-roberta")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    (folder / "sentencepiece.bpe.model").write_bytes(b"\x0a\x0e\x0a\x05<unk>")
    with pytest.raises(UserError, match=r"pip install 'crosswind\[sentencepiece\]'"):
        load_encoder(str(folder))


def test_an_adapter_is_named_as_one(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "ann/base"}))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    for load in (encoder_fingerprint, load_encoder):
        with pytest.raises(UserError, match=r"holds an adapter \(LoRA or the like\) for ann/base, not a model"):
            load(str(tmp_path))
