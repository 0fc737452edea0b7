"""How far a run is, which steps of a store stay, the study file to begin with, and what works on a machine."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import polars as pl
import pytest
from filelock import FileLock
from typer.testing import CliRunner

from crosswind.cli import app
from crosswind.errors import UserError
from crosswind.run.store import Store
from crosswind.study import doctor
from crosswind.study.demo import demo_study
from crosswind.study.doctor import examine
from crosswind.study.folder import open_folder
from crosswind.study.plan import make_plan
from crosswind.study.spec import read_study
from crosswind.study.status import status_of, steps_of_runs
from crosswind.study.template import write_template


@pytest.fixture
def begun(tmp_path: Path) -> tuple[Path, Store]:
    """A run of the demo that was killed before its first step was published."""
    with open_folder(tmp_path / "run", demo_study(), "microworld"):
        pass
    return tmp_path / "run", Store(tmp_path / "store")


def published(store: Store, run: Path, kind: str, count: int) -> list[str]:
    """Publish some steps of a kind of the run's plan, as if they had been computed."""
    plan = make_plan(read_study(run / "study.yaml"), dry=True)
    steps = [step for step in plan.graph.values() if step.kind == kind][:count]
    for step in steps:
        with store.write(step) as draft:
            (draft.path / "any.txt").write_text("x")
    return [step.key for step in steps]


def test_the_status_counts_what_is_there_by_kind(begun: tuple[Path, Store]) -> None:
    run, store = begun
    before = status_of(run, store)
    assert before.name == "demo"
    assert before.cells_there == 0
    assert before.share == 0
    assert {there for there, _ in before.kinds.values()} == {0}
    published(store, run, "rewrite", 5)
    after = status_of(run, store)
    assert after.kinds["rewrite"] == (5, before.kinds["rewrite"][1])
    assert 0 < after.share < 1
    assert after.command == f"crosswind run {run / 'study.yaml'} --out {run}"


def test_the_status_of_a_run_folder_that_cannot_be_written_is_read(
    begun: tuple[Path, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, store = begun
    usual = os.open

    def read_only(path: str, flags: int, *more: int, **given: int) -> int:
        # As a mount that is read-only answers, to the superuser too.
        if Path(path).is_relative_to(run) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return usual(path, flags, *more, **given)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", read_only)
        assert not status_of(run, store).running
    with FileLock(run / "logs" / "lock"), monkeypatch.context() as patched:
        patched.setattr(os, "open", read_only)
        assert status_of(run, store).running


def test_files_of_claims_that_lie_elsewhere_by_now_do_not_hide_how_far_a_run_is(begun: tuple[Path, Store]) -> None:
    run, store = begun
    with (run / "study.yaml").open("a", encoding="utf-8") as file:
        file.write("claims: [gone.yaml]\n")
    assert status_of(run, store).name == "demo"


def test_a_run_that_another_process_holds_is_running(begun: tuple[Path, Store]) -> None:
    run, store = begun
    assert not status_of(run, store).running
    with FileLock(run / "logs" / "lock"):
        assert status_of(run, store).running


def test_another_folder_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no run folder"):
        status_of(tmp_path, Store(tmp_path / "store"))


def test_pruning_keeps_the_steps_of_the_runs_that_are_named(begun: tuple[Path, Store]) -> None:
    run, store = begun
    keys = published(store, run, "rewrite", 4)
    with pytest.raises(UserError, match="the run has no results yet"):
        steps_of_runs([run])
    pl.DataFrame({"step": keys[:3]}).write_parquet(run / "provenance.parquet")
    arguments = ["store", "prune", "--keep", str(run), "--store", str(store.root)]
    dry = CliRunner().invoke(app, [*arguments, "--dry-run"])
    assert "1 steps would go" in dry.stdout
    assert store.has(keys[3])
    assert "1 steps removed" in CliRunner().invoke(app, arguments).stdout
    assert [store.has(key) for key in keys] == [True, True, True, False]


def test_pruning_without_a_run_needs_a_word(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run to keep"):
        steps_of_runs([])
    assert steps_of_runs([], everything=True) == set()


def test_a_damaged_step_is_named_by_verify(begun: tuple[Path, Store]) -> None:
    run, store = begun
    (key,) = published(store, run, "rewrite", 1)
    arguments = ["store", "verify", "--store", str(store.root)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    (store.path(key) / "any.txt").write_text("y")
    spoilt = CliRunner().invoke(app, arguments)
    assert spoilt.exit_code == 1
    assert f"damaged: {key}" in spoilt.stdout


def test_the_store_is_listed_with_sizes(begun: tuple[Path, Store]) -> None:
    run, store = begun
    (key,) = published(store, run, "rewrite", 1)
    listing = CliRunner().invoke(app, ["store", "list", "--store", str(store.root)]).stdout
    assert key[:12] in listing
    assert "1 steps" in listing


def test_the_study_file_to_begin_with_can_be_planned_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    write_template(file)
    plan = make_plan(read_study(file), dry=True)
    assert {cell.route for cell in plan.cells} == {"none", "english", "multilingual"}
    assert len({cell.seed for cell in plan.cells}) == 3


def test_the_study_file_to_begin_with_overwrites_nothing(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text("mine")
    with pytest.raises(UserError, match="is there already"):
        write_template(file)
    assert file.read_text() == "mine"


def test_the_doctor_names_what_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSWIND_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setattr(doctor, "NEEDED", ("torch", "no-such-library"))
    (tmp_path / "file").write_text("")
    broken = {check.what for check in examine(tmp_path / "file") if check.state == "broken"}
    assert broken == {"no-such-library", "CROSSWIND_DATA", "store"}


def test_the_doctor_finds_this_machine_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSWIND_DATA", str(tmp_path))
    checks = examine(tmp_path / "store")
    assert [check for check in checks if check.state == "broken"] == []
    assert {"torch", "processor", "graphics card", "hub", "store"} <= {check.what for check in checks}


@pytest.mark.parametrize("damage", [b"", b"PAR1" * 9, None])
def test_a_run_whose_provenance_is_damaged_keeps_everything(begun: tuple[Path, Store], damage: bytes | None) -> None:
    run, store = begun
    published(store, run, "pretrain", 1)
    table = run / "provenance.parquet"
    if damage is None:
        pl.DataFrame({"other": ["a"]}).write_parquet(table)
    else:
        table.write_bytes(damage)
    with pytest.raises(UserError, match=r"provenance\.parquet: (cannot be read|has no column step)"):
        steps_of_runs([run], everything=False)
