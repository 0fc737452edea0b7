"""The microworld as a source: what depends on what, and what is refused."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from crosswind.data.microworld.generated import fingerprint_of
from crosswind.data.microworld.languages import CODES
from crosswind.data.source import open_source
from crosswind.data.sources.microworld import MicroworldSource
from crosswind.errors import UserError
from crosswind.tasks.base import CORPORA, TASKS
from crosswind.tasks.load import fingerprint, load, load_text, text_fingerprint

NLI = TASKS["mw-nli"]
TEXT, PARALLEL = CORPORA["mw-text"], CORPORA["mw-parallel"]


def test_the_same_seed_gives_the_same_examples_and_another_seed_others() -> None:
    one, again, other = (MicroworldSource(seed) for seed in (1, 1, 2))
    first = load(NLI, "qcy-Cyrl", "dev", one)
    assert first == load(NLI, "qcy-Cyrl", "dev", again)
    assert not {e.first for e in first} & {e.first for e in load(NLI, "qcy-Cyrl", "dev", other)}  # type: ignore[union-attr]


def test_a_fingerprint_depends_on_seed_language_split_and_pool() -> None:
    source = MicroworldSource()
    answers = TASKS["mw-answers"]
    prints = [
        fingerprint(NLI, "en", "dev", source),
        fingerprint(NLI, "en", "test", source),
        fingerprint(NLI, "qcy-Cyrl", "dev", source),
        fingerprint(NLI, "en", "dev", MicroworldSource(seed=2)),
        fingerprint(answers, "en", "test", source),
        fingerprint(answers, "en", "test", source, pool_languages=["en", "qcy-Cyrl"]),
        text_fingerprint(TEXT, ["en"], source),
        text_fingerprint(TEXT, ["en"], MicroworldSource(lines=7)),
        text_fingerprint(PARALLEL, ["en"], source),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint(NLI, "en", "dev", MicroworldSource()) == prints[0]


def test_a_change_of_the_generator_changes_the_fingerprint(tmp_path: Path) -> None:
    with_code = files("crosswind.data.microworld")
    shutil.copytree(str(with_code), tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    assert fingerprint_of(tmp_path / "copy") == fingerprint_of(with_code)
    world = tmp_path / "copy" / "world.py"
    world.write_text(world.read_text(encoding="utf-8").replace('"dog"', '"wolf"'), encoding="utf-8")
    assert fingerprint_of(tmp_path / "copy") != fingerprint_of(with_code)


def test_a_line_depends_on_its_number_alone() -> None:
    whole = load_text(TEXT, ["en", "qth-Thai"], MicroworldSource(lines=30))
    assert len(whole) == 60
    few = load_text(TEXT, ["qth-Thai"], open_source({"source": "microworld", "lines": 1000}), rows=None)
    assert few[17] == whole[47]
    assert few[0].language == "qth-Thai"  # type: ignore[union-attr]


def test_parallel_lines_say_one_thing_in_every_language() -> None:
    rows = load_text(PARALLEL, CODES, MicroworldSource(lines=50))
    assert len({row.id for row in rows}) == 50
    for row in rows:
        assert [code for code, _ in row.texts] == list(CODES)  # type: ignore[union-attr]
        assert len({text for _, text in row.texts}) == len(CODES)  # type: ignore[union-attr]


def test_thirty_million_tokens_are_there_by_default() -> None:
    """A piece of a 1,500-piece vocabulary is at most four characters on average, so tokens ≥ characters / 4."""
    source = MicroworldSource()
    lines = source.lines(TEXT, CODES)
    sample = [lines[i].text for i in range(0, len(lines), len(lines) // 400)]  # type: ignore[union-attr]
    assert len(lines) * sum(map(len, sample)) / len(sample) / 4 > 15e6
    rows = source.lines(PARALLEL, CODES)
    passages = [sum(len(t) for _, t in rows[i].texts) for i in range(0, len(rows), len(rows) // 100)]  # type: ignore[union-attr]
    assert len(rows) * sum(passages) / len(passages) / 4 + 15e6 > 20e6


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lines": 0}, "data.lines: 0 is no lines"),
        ({"lines": "many"}, "data.lines: 'many'"),
        ({"seed": 1.5}, "data.seed: 1.5 is no seed"),
        ({"seed": -1}, "data.seed: -1"),
    ],
)
def test_seeds_and_sizes_are_whole_numbers(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        open_source({"source": "microworld", **settings})


def test_a_task_of_another_source_is_refused_and_so_is_the_other_way_round(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the microworld has no task 'xnli'"):
        load(TASKS["xnli"], "en", "dev", MicroworldSource())
    with pytest.raises(UserError, match="the microworld has no corpus 'ntrex'"):
        load_text(CORPORA["ntrex"], ["en"], MicroworldSource())
    with pytest.raises(UserError, match="source: microworld"):
        load(NLI, "en", "dev", open_source({"source": "files", "root": tmp_path}))
    with pytest.raises(UserError, match="source: microworld"):
        load_text(TEXT, ["en"], open_source({"source": "files", "root": tmp_path}))


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UserError, match="unknown language 'qcy'"):
        load(NLI, "qcy", "dev", MicroworldSource())
