"""Opening the sources that a study names, and naming them by task."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crosswind.data.source import SourceByTask, open_source
from crosswind.data.sources.files import FilesSource
from crosswind.data.sources.hub import Hub
from crosswind.data.sources.microworld import MicroworldSource
from crosswind.errors import UserError
from crosswind.tasks.base import CORPORA, TASKS
from crosswind.tasks.load import fingerprint, load, load_text, open_data, text_fingerprint


def test_the_three_sources_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROSSWIND_DATA", raising=False)
    assert isinstance(open_source({"source": "files", "root": str(tmp_path)}), FilesSource)
    assert isinstance(open_source({"root": str(tmp_path)}), FilesSource)
    assert isinstance(open_source({"source": "hub"}), Hub)
    assert isinstance(open_source({"source": "microworld", "seed": 3, "tasks": None}), MicroworldSource)
    with pytest.raises(UserError, match=r"data\.source: unknown source 'hubb'\n  did you mean 'hub'\?"):
        open_source({"source": "hubb"})


def test_a_task_and_a_corpus_may_come_from_sources_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "NTREX-128").mkdir()
    (tmp_path / "NTREX-128" / "newstest2019-src.eng.txt").write_text("One line.\n")
    files = {"source": "files", "root": str(tmp_path)}
    source = open_source({"source": "microworld", "seed": 3, "tasks": {"xquad": files, "ntrex": files}})
    assert isinstance(source, SourceByTask)
    assert source.named["xquad"] is source.named["ntrex"]  # a file is hashed once
    plain = open_source({"source": "microworld", "seed": 3})
    assert fingerprint(TASKS["mw-nli"], "en", "dev", source) == fingerprint(TASKS["mw-nli"], "en", "dev", plain)
    assert load_text(CORPORA["ntrex"], ["en"], source)[0].texts == (("en", "One line."),)  # type: ignore[union-attr]
    from_files = open_source(files)
    assert text_fingerprint(CORPORA["ntrex"], ["en"], source) == text_fingerprint(CORPORA["ntrex"], ["en"], from_files)


def test_the_version_of_a_corpus_is_part_of_its_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "NTREX-128").mkdir()
    (tmp_path / "NTREX-128" / "newstest2019-src.eng.txt").write_text("One line.\n")
    corpus, source = CORPORA["ntrex"], FilesSource(tmp_path)
    before = text_fingerprint(corpus, ["en"], source)
    assert text_fingerprint(replace(corpus, version=2), ["en"], source) != before


def test_errors_name_the_key_of_the_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROSSWIND_DATA", raising=False)
    hub = {"source": "hub"}
    with pytest.raises(UserError, match=r"data\.tasks\.xquad\.root: no folder of official files is named"):
        open_source({**hub, "tasks": {"xquad": {"source": "files"}}})
    with pytest.raises(UserError, match=r"data\.tasks\.xquad\.source: unknown source 'file'"):
        open_source({**hub, "tasks": {"xquad": {"source": "file"}}})
    with pytest.raises(UserError, match=r"data\.tasks\.xquad: not the settings of a source"):
        open_source({**hub, "tasks": {"xquad": "files"}})
    with pytest.raises(UserError, match=r"data\.tasks: unknown task 'xquat'\n  did you mean 'xquad'"):
        open_data({**hub, "tasks": {"xquat": {"source": "hub"}}})
    source = open_data({**hub, "tasks": {"xquad": {"source": "files", "root": str(tmp_path)}}})
    with pytest.raises(UserError, match=r"set data\.tasks\.xquad\.root in the study"):
        load(TASKS["xquad"], "de", "test", source)
    with pytest.raises(UserError, match=r"data\.tasks\.mw-nli\.seed: 'x' is no seed of the microworld"):
        open_data({**hub, "tasks": {"mw-nli": {"source": "microworld", "seed": "x"}}})
