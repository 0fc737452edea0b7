"""The run folder and the store of a small study: where it may lie, and that no damage stays."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from crosswind.errors import UserError
from crosswind.model.encoder import load_encoder
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.claimed import claims_unlike_kept, named_claims
from crosswind.study.folder import check_out, open_folder
from crosswind.study.joined import read_run
from crosswind.study.run import Finished, run_study
from crosswind.study.spec import Study, parse_study, read_study

STUDY = """
name: small
encoder: {encoder}
data: {{source: files, root: {data}}}
routes: {{none: []}}
targets: {{limit: 5, tasks: {{tatoeba: {{languages: [jv], train: []}}}}}}
perturb: ["keyboard:0.3"]
"""
# What is written anew at every call, or says when and how fast a step was computed.
TIMED = ("report.html", "about.json", "provenance.parquet", "logs/")


@pytest.fixture
def study(tiny_encoder: Path, small_data: Path) -> Study:
    return parse_study(STUDY.format(encoder=tiny_encoder, data=small_data))


def go(study: Study, folder: Path) -> Finished:
    return run_study(study, out=folder / "run", store=Store(folder / "store"), reporter=Silent())


def contents(folder: Path) -> dict[str, str]:
    """What may not change: all of the run folder but times, all of the store but its manifests."""
    files = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        inside = name.removeprefix("run/")
        if name.startswith("store/locks/") or path.name == "manifest.json" or inside.startswith(TIMED):
            continue
        files[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return files


def test_the_study_file_of_a_run_is_read_back_as_the_same_study(study: Study, tmp_path: Path) -> None:
    asked = study.model_copy(update={"name": "1e3", "revision": "12e45678"})
    with open_folder(tmp_path / "run", asked, "e"):
        pass
    again = read_study(tmp_path / "run" / "study.yaml")
    assert (again.name, again.revision) == ("1e3", "12e45678")
    (tmp_path / "run" / "run.json").write_text("{")
    with pytest.raises(UserError, match="holds the run of another study, '1e3'"):
        check_out(tmp_path / "run", "small")


def test_the_files_of_claims_that_a_study_names_are_kept_with_it(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "at").mkdir()
    (tmp_path / "at" / "mine.yaml").write_text("name: mine\n")
    monkeypatch.chdir(tmp_path / "at")
    run = tmp_path / "run"
    with open_folder(run, study.model_copy(update={"claims": ["phang2020", "mine.yaml"]}), "e"):
        pass
    assert named_claims(run) == ["phang2020", "mine.yaml"]
    assert claims_unlike_kept([run]) == []
    (tmp_path / "at" / "mine.yaml").write_text("name: other\n")
    (note,) = claims_unlike_kept([run])
    assert note.startswith(f"The claims are those of mine.yaml as it is now; {run / 'claims' / '1-mine.yaml'} is what")
    assert claims_unlike_kept([run], ["phang2020"]) == []
    monkeypatch.chdir(tmp_path)  # where the path leads nowhere
    kept = run / "claims" / "1-mine.yaml"
    assert named_claims(run, run) == ["phang2020", str(kept)]
    with open_folder(run, study.model_copy(update={"claims": [str(kept)]}), "e"):
        pass
    assert named_claims(run) == [str(run / "claims" / "0-1-mine.yaml")]
    assert Path(named_claims(run)[0]).read_text() == "name: mine\n"


def test_copies_of_one_file_of_claims_that_several_runs_keep_are_judged_once(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine.yaml"
    monkeypatch.chdir(tmp_path)
    runs = [tmp_path / name for name in ("seed1", "seed2", "edited")]
    for run in runs:
        mine.write_text("name: other\n" if run.name == "edited" else "name: mine\n")
        with open_folder(run, study.model_copy(update={"claims": ["mine.yaml", "phang2020"]}), "e"):
            pass
    mine.unlink()
    kept = [str(run / "claims" / "0-mine.yaml") for run in runs]
    assert named_claims(*runs[:2]) == [kept[0], "phang2020"]
    assert named_claims(*runs) == [kept[0], "phang2020", kept[2]]


def test_a_run_notes_the_checksums_of_its_tables_and_mends_one_that_was_edited(study: Study, tmp_path: Path) -> None:
    go(study, tmp_path)
    run = tmp_path / "run"
    hashes = json.loads((run / "logs" / "tables.json").read_text())
    copied = {"predictions", "rewrites"}  # of the store, which has their checksums
    tables = {p.relative_to(run).as_posix() for p in run.rglob("*.parquet")}
    assert {name for name in tables if name.split("/")[0] not in copied} == set(hashes)
    results = run / "results.parquet"
    whole = results.read_bytes()
    pl.read_parquet(results).with_columns(pl.lit(99.0).alias("score")).write_parquet(results)
    with pytest.raises(UserError, match=r"results\.parquet: is not the table that the run wrote"):
        read_run(run)
    go(study, tmp_path)
    assert results.read_bytes() == whole
    read_run(run)


def test_queries_that_the_model_has_no_positions_for_are_signed_and_noted(study: Study, tmp_path: Path) -> None:
    positions = load_encoder(str(study.encoder)).max_positions
    asked = positions + 900
    text = STUDY.format(encoder=study.encoder, data=study.data.root)
    long = parse_study(text, [f"targets.tasks.tatoeba.training={{query_length: {asked}}}"])
    go(long, tmp_path)
    rows = pl.read_parquet(tmp_path / "run" / "results.parquet").rows(named=True)
    note = f"Queries have {positions} tokens, all that the model has positions for; {asked} were asked for."
    assert rows
    assert all(note in row["notes"] for row in rows)
    assert all(f"|query_length={positions}|" in row["signature"] for row in rows)


def flip(path: Path) -> None:
    """Flip one bit in the middle of a file, which looks as old as before."""
    data, stat = bytearray(path.read_bytes()), path.stat()
    data[len(data) // 2] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.slow
def test_a_flipped_bit_in_any_file_of_the_store_or_the_run_folder_is_gone_after_the_next_run(
    study: Study, tmp_path: Path
) -> None:
    assert go(study, tmp_path).outcome.complete
    before = contents(tmp_path)
    # Files that have one name in the store are damaged at once: each belongs to another step.
    files: dict[str, list[Path]] = {}
    for path in sorted(p for p in tmp_path.rglob("*") if p.is_file() and p.stat().st_size):
        stored = path.is_relative_to(tmp_path / "store")
        files.setdefault(path.name if stored else str(path.relative_to(tmp_path)), []).append(path)
    assert {*files} >= {
        *("predictions.parquet", "rewrites.parquet", "statistics.parquet", "manifest.json", "run/run.json"),
        *("run/study.yaml", "run/cells.parquet", "run/results.parquet", "run/sums/none/1/tatoeba.parquet"),
        *(f"run/logs/{name}.json" for name in ("tables", "copied", "checked", "checks")),
    }
    embedded = {"ids.json", "vectors.npy"}
    assert embedded < {*files}
    for name, paths in files.items():
        for path in paths:
            flip(path)
        if name in embedded:  # Nobody reads them while the predictions are there.
            for path in files["predictions.parquet"]:
                path.unlink()
        finished = go(study, tmp_path)
        assert finished.outcome.complete, (name, finished.outcome.failed)
        assert contents(tmp_path) == before, name
    assert Store(tmp_path / "store").verify() == []


@pytest.mark.slow
def test_a_file_that_is_missing_or_foreign_is_put_right_by_the_next_run(study: Study, tmp_path: Path) -> None:
    go(study, tmp_path)
    before = contents(tmp_path)
    (tmp_path / "run" / "predictions" / "none" / "1" / "tatoeba" / "xx").mkdir()
    (tmp_path / "run" / "predictions" / "none" / "1" / "tatoeba" / "xx" / "clean.parquet").write_text("another's")
    next((tmp_path / "run" / "sums").rglob("*.parquet")).unlink()
    next((tmp_path / "store" / "objects").rglob("rewrites.parquet")).unlink()
    next((tmp_path / "run").rglob("keyboard*.parquet")).unlink()
    (tmp_path / "run" / "cells.parquet").write_text("")
    assert go(study, tmp_path).outcome.complete
    assert contents(tmp_path) == before


@pytest.mark.slow
def test_what_only_the_writing_of_results_reads_is_computed_again_too(study: Study, tmp_path: Path) -> None:
    go(study, tmp_path)
    steps = set(pl.read_parquet(tmp_path / "run" / "provenance.parquet")["step"])
    shutil.rmtree(tmp_path / "run")
    vectors = next((tmp_path / "store" / "objects").rglob("vectors.npy"))  # no cell needs them any more
    flip(vectors.parent / "manifest.json")
    finished = go(study, tmp_path)
    assert finished.outcome.done == [vectors.parent.name]
    assert set(pl.read_parquet(tmp_path / "run" / "provenance.parquet")["step"]) == steps
    assert Store(tmp_path / "store").verify() == []


def as_nobody(function: Callable[[], str]) -> str:
    """What a function returns in a process that is no administrator's."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            os.write(writing, function().encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading, encoding="utf-8") as file:
        return file.read()


def refusal(out: Path, study: Study) -> str:
    """The message with which a place for a run folder is refused, before anything is planned and after."""
    with pytest.raises(UserError) as early:
        check_out(out, study.name)
    with pytest.raises(UserError) as late, open_folder(out, study, "encoder"):
        pass
    assert str(late.value) == str(early.value)
    return str(early.value)


def test_a_file_a_dangling_link_and_a_loop_are_refused_in_a_sentence(study: Study, tmp_path: Path) -> None:
    file, dangling, loop = tmp_path / "file", tmp_path / "dangling", tmp_path / "loop"
    file.write_text("mine")
    dangling.symlink_to(tmp_path / "nowhere")
    loop.symlink_to(loop)
    assert refusal(file, study) == f"{file}: is a file\n  name a folder with --out"
    inside = refusal(file / "run", study)
    assert inside == f"{file}/run: cannot be made: {file} is no folder\n  name a folder with --out"
    assert refusal(dangling, study) == f"{dangling}: is a link that leads nowhere\n  name a folder with --out"
    assert refusal(loop, study) == f"{loop}: is a link that leads nowhere\n  name a folder with --out"
    assert refusal(tmp_path / ("x" * 300), study).endswith("(File name too long)\n  name another folder with --out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dangling", "file", "loop"]
    assert file.read_text() == "mine"


@pytest.mark.skipif(os.name == "nt", reason="needs the permissions of Unix")
def test_a_folder_that_cannot_be_written_is_refused_in_a_sentence(study: Study) -> None:
    with tempfile.TemporaryDirectory() as folder:  # not below pytest's, which only its owner may enter
        os.chmod(folder, 0o555)
        message = f": cannot be written: no permission in {folder}\n  name another folder with --out"
        for path in (Path(folder), Path(folder) / "a" / "b"):
            assert as_nobody(lambda path=path: refusal(path, study)) == f"{path}{message}"  # type: ignore[misc]
        assert os.listdir(folder) == []


def test_a_folder_where_the_report_goes_is_refused_before_anything_runs(study: Study, tmp_path: Path) -> None:
    (tmp_path / "run" / "report.html").mkdir(parents=True)
    with pytest.raises(UserError, match="is a folder where the run writes a file") as caught:
        check_out(tmp_path / "run", study.name)
    assert caught.value.where == str(tmp_path / "run" / "report.html")


def test_another_studys_folder_is_refused_also_by_its_study_file_alone(study: Study, tmp_path: Path) -> None:
    other, run = study.model_copy(update={"name": "other"}), tmp_path / "run"
    with open_folder(run, study, "encoder"):
        pass
    message = f"{run}: holds the run of another study, 'small'\n  name a folder for 'other' with --out"
    assert refusal(run, other) == message
    flip(run / "run.json")
    assert refusal(run, other) == message
    check_out(run, "small")
    with pytest.raises(UserError, match="holds the run of another encoder, 'encoder'"):  # noqa: SIM117
        with open_folder(run, study, "encoder"), open_folder(run, study, "another"):
            pass


def test_a_folder_in_which_somebody_keeps_studies_is_no_run_folder(study: Study, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("name: small\n")
    message = f"{tmp_path}: is a folder of something else\n  name a new folder with --out"
    assert refusal(tmp_path, study) == message
    assert (tmp_path / "study.yaml").read_text() == "name: small\n"


def test_a_run_that_was_killed_before_its_first_file_was_whole_can_be_repeated(study: Study, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "lock").touch()
    (tmp_path / ".run.json.12-34").write_text("{")
    with open_folder(tmp_path, study, "encoder"):
        assert (tmp_path / "run.json").exists()


def test_a_folder_in_the_place_of_a_file_of_a_cell_is_replaced_by_the_file(study: Study, tmp_path: Path) -> None:
    assert go(study, tmp_path).summary is not None
    whole = contents(tmp_path)
    run = tmp_path / "run"
    for part in ("predictions", "rewrites", "sums"):
        path = next((run / part).rglob("*.parquet"))
        path.unlink()
        (path / "inner").mkdir(parents=True)
        (path / "inner" / "file").touch()
    go(study, tmp_path)
    assert contents(tmp_path) == whole


COPIED = """
import resource, signal, sys
from pathlib import Path
from crosswind.study.folder import Copies

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
source, out = Path(sys.argv[1]), Path(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
try:
    Copies(out).add("predictions/cell.parquet", "key", lambda: source)
except OSError as error:
    print(error.filename, error.filename2, error.strerror)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs a limit on the size of files")
def test_a_copy_that_has_no_room_is_named_and_not_its_source(tmp_path: Path) -> None:
    source = tmp_path / "store.parquet"
    source.write_bytes(bytes(9000))
    command = [sys.executable, "-c", COPIED, str(source), str(tmp_path / "run")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == f"{tmp_path}/run/predictions/cell.parquet None File too large\n"


LIMITED = """
import resource, signal, sys
from pathlib import Path
from crosswind.run.folders import FULL
from crosswind.study.folder import Tables, open_folder
from crosswind.study.spec import parse_study
import polars as pl

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
study, out = parse_study(sys.stdin.read()), Path(sys.argv[1])
if sys.argv[2] == "new":
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    with open_folder(out, study, "encoder"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
        Tables(out).write(pl.DataFrame({"x": range(100_000)}), "cells.parquet")
except OSError as error:
    assert error.errno in FULL
    print(error.filename, "|", error.strerror)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs a limit on the size of files")
@pytest.mark.parametrize("when", ["new", "later"])
def test_a_disk_with_no_room_leaves_nothing_half_written(when: str, study: Study, tmp_path: Path) -> None:
    run = tmp_path / "run"
    text = STUDY.format(encoder="a/b", data="data")
    command = [sys.executable, "-c", LIMITED, str(run), when]
    ran = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    name = "run.json" if when == "new" else "cells.parquet"
    assert ran.stdout == f"{run}/{name} | File too large\n", ran.stderr
    left = sorted(p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file())
    assert left == ([] if when == "new" else ["logs/lock", "run.json", "study.yaml"])
    shutil.rmtree(run, ignore_errors=True)
