"""Natural twins in a study: four lines of YAML, a perturbed cell with its drop, damage and notes."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import polars as pl
import pytest

from crosswind.errors import UserError
from crosswind.perturb.edit_types import EDIT_TYPES
from crosswind.run.progress import Silent
from crosswind.run.step import Step
from crosswind.run.store import Store
from crosswind.steps.twin import TWIN
from crosswind.study.plan import make_plan
from crosswind.study.run import run_study
from crosswind.study.spec import parse_study
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import open_data
from crosswind.tasks.refs import DataRef

STUDY = """
name: twins
encoder: {encoder}
data: {{source: files, root: {data}}}
training: {{batch_size: 8, learning_rate: 1.0e-3, max_length: 64}}
routes: {{none: []}}
targets: {{limit: 30, tasks: {{xnli: {{languages: [en, es], train: {{tasks: [{{name: snli, split: dev}}], budget: {{steps: 2}}}}}}}}}}
tasks: {{noisy: {{like: xnli, files: "noisy/{{language}}.tsv", languages: [en], columns: [first, second, label], parallel: true}}}}
twins:
- {{target: xnli, variant: noisy}}
"""  # noqa: E501


@pytest.fixture
def data(small_data: Path, tmp_path: Path) -> Path:
    shutil.copytree(small_data / "xnli", tmp_path / "data" / "xnli")
    shutil.copytree(small_data / "nli_en", tmp_path / "data" / "nli_en")
    lines = (small_data / "xnli" / "test-en.tsv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "data" / "noisy").mkdir()
    noisy = "".join(f"{line.replace('river', 'rivr').replace('house', 'huose')}\n" for line in lines[:4000])
    (tmp_path / "data" / "noisy" / "en.tsv").write_text(noisy, encoding="utf-8")
    return tmp_path / "data"


@pytest.mark.slow
def test_a_variant_is_a_recorded_perturbation(tmp_path: Path, tiny_encoder: Path, data: Path) -> None:
    study = parse_study(STUDY.format(encoder=tiny_encoder, data=data))
    finished = run_study(study, out=tmp_path / "run", store=Store(tmp_path / "store"), reporter=Silent())
    assert finished.outcome.complete, finished.outcome.failed
    rows = pl.read_parquet(tmp_path / "run" / "results.parquet").to_dicts()
    (noisy,) = (r for r in rows if r["perturbation"] == "noisy")
    assert (noisy["language"], noisy["severity"], noisy["draw"], noisy["n"]) == ("en", 1.0, 1, 30)
    assert noisy["changed_items"] > 0.1
    assert 0 < noisy["words_hit"] < 0.5
    assert noisy["chrf"] < 100
    assert any("items have a variant" in note for note in noisy["notes"])
    (left,) = pl.read_parquet(tmp_path / "run" / "left_out.parquet").to_dicts()
    assert left["reason"] == "noisy has no es"
    (path,) = (tmp_path / "run" / "rewrites").rglob("*.parquet")
    assert "rivr" not in path.name
    assert len(pl.read_parquet(path)) > 3


@pytest.mark.slow
def test_the_distance_between_drawn_and_natural_noise_is_shown(tmp_path: Path, tiny_encoder: Path, data: Path) -> None:
    study = parse_study(STUDY.format(encoder=tiny_encoder, data=data) + 'perturb: ["swap:0.3", "delete:0.1"]\n')
    finished = run_study(study, out=tmp_path / "run", store=Store(tmp_path / "store"), reporter=Silent())
    assert finished.outcome.complete, finished.outcome.failed
    frame = pl.read_parquet(tmp_path / "run" / "natural.parquet")
    people, swap, delete = frame.to_dicts()
    assert (people["condition"], people["drawn"], people["distance"]) == ("noisy:1", False, None)
    assert [(r["condition"], r["language"], r["items"]) for r in (swap, delete)] == [
        ("swap:0.3", "en", people["items"]),
        ("delete:0.1", "en", people["items"]),
    ]
    # The variant has "rivr" (a letter less) and "huose" (two exchanged); some short sentences are taken for others.
    assert people["deletion"] + people["exchange"] > 0.6
    assert swap["exchange"] > 0.8
    assert delete["deletion"] > 0.8
    assert swap["distance"] == pytest.approx(sum(abs(people[t] - swap[t]) for t in EDIT_TYPES) / 2)
    (line,) = (n for n in finished.summary.notes if n.startswith("xnli en: noisy is"))  # type: ignore[union-attr]
    assert f"swap:0.3 {swap['distance']:.2f} ({swap['edits']:.2f})" in line
    assert "Natural noise beside drawn noise" in (tmp_path / "run" / "report.html").read_text()
    # Asked for again, the rows are taken over as they are.
    again = run_study(study, out=tmp_path / "run", store=Store(tmp_path / "store"), reporter=Silent())
    assert again.outcome.complete
    assert pl.read_parquet(tmp_path / "run" / "natural.parquet").equals(frame)


def test_only_what_is_paired_by_row_has_another_key(real_encoder: Path, data: Path) -> None:
    def twin(more: str) -> Step:
        text = STUDY.format(encoder=real_encoder, data=data).replace("variant: noisy}", f"variant: noisy{more}}}")
        (step,) = (s for s in make_plan(parse_study(text)).graph.values() if s.kind == TWIN.name)
        return step

    assert twin(", rows: false").key == twin("").key != twin(", rows: true").key
    assert "rows" not in twin("").params
    assert twin(", rows: true").params["rows"] is True


@pytest.mark.slow
def test_a_romanised_test_set_is_a_twin_and_a_limit_takes_the_same_rows(
    tmp_path: Path, tiny_encoder: Path, data: Path
) -> None:
    lines = (data / "xnli" / "test-en.tsv").read_text(encoding="utf-8").splitlines()
    latin = str.maketrans("abcdefghijklmnoprstuvwyz", "абцдефгхийклмнопрстувшыз")
    shifted = ["\t".join((*(t.translate(latin) for t in line.split("\t")[:2]), line.split("\t")[2])) for line in lines]
    (data / "noisy" / "en.tsv").write_text("".join(f"{line}\n" for line in shifted), encoding="utf-8")
    text = STUDY.format(encoder=tiny_encoder, data=data).replace("variant: noisy}", "variant: noisy, rows: true}")
    finished = run_study(parse_study(text), out=tmp_path / "run", store=Store(tmp_path / "store"), reporter=Silent())
    assert finished.outcome.complete, finished.outcome.failed
    rows = pl.read_parquet(tmp_path / "run" / "results.parquet").to_dicts()
    (noisy,) = (r for r in rows if r["perturbation"] == "noisy")
    assert (noisy["n"], noisy["changed_items"]) == (30, 1.0)
    assert any("30 of 30 items have a variant" in note for note in noisy["notes"])


def test_a_limit_whose_items_have_no_variant_is_found_before_anything_runs(real_encoder: Path, data: Path) -> None:
    """`limit` draws clusters from all items; a variant may hold some others alone."""

    def words(text: str) -> str:
        """Words that no other text has, so that none is taken for another."""
        return " ".join(hashlib.sha256(f"{text}{i}".encode()).hexdigest()[:8] for i in range(6))

    text = STUDY.format(encoder=real_encoder, data=data)
    noisy, standard = data / "noisy" / "en.tsv", data / "xnli" / "test-en.tsv"
    rows = [line.split("\t") for line in standard.read_text(encoding="utf-8").splitlines()]
    rows = [[words(first), words(second), *rest] for first, second, *rest in rows]
    standard.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    drawn = DataRef("xnli", "en", "test", limit=30).load(open_data({"source": "files", "root": str(data)}))
    chosen = {e.first for e in drawn.examples}
    others = [row for row in rows if row[0] not in chosen][:40]
    noisy.write_text("".join("\t".join(row).replace("e", "é", 1) + "\n" for row in others), encoding="utf-8")
    plan = make_plan(parse_study(text), dry=True)
    assert not [s for s in plan.graph.values() if s.kind == TWIN.name]
    reasons = {part.reason for part in plan.left_out if part.language == "en"}
    assert reasons == {"none of the items that limit: 30 takes is among the 40 of noisy"}
    whole = make_plan(parse_study(text.replace("limit: 30, ", "")))  # nothing is drawn: nothing is read for the plan
    assert [s for s in whole.graph.values() if s.kind == TWIN.name]
    noisy.write_text("eins\tzwei\tneutral\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"no item of noisy is like one of the [\d,]+ of xnli \(en\)") as error:
        make_plan(parse_study(text), dry=True)
    assert "that the target's `limit` or `rows` take" in str(error.value)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{target: xnly, variant: noisy}", "unknown target 'xnly'"),
        ("{target: xnli, variant: udpos}", "is of kind tagging"),
    ],
)
def test_mistakes_are_named(entry: str, message: str, real_encoder: Path, data: Path) -> None:
    text = STUDY.format(encoder=real_encoder, data=data).partition("twins:")[0] + f"twins: [{entry}]\n"
    with pytest.raises(UserError, match=message):
        make_plan(parse_study(text))


def test_an_edited_python_task_is_another_twin(
    tmp_path: Path, real_encoder: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own data are as they were: what it reads of them is what changed."""

    def key(more: str) -> str:
        monkeypatch.setattr(TASKS, "_entries", None)
        monkeypatch.setattr(TASKS, "_joined", None)
        monkeypatch.setattr(TASKS, "included", [])
        folder = tmp_path / f"edited{len(more)}"
        folder.mkdir()
        code = (
            "from dataclasses import replace\nfrom crosswind.tasks.declared.xnli import XNLI\n"
            "EDITED = replace(XNLI, name='edited', languages=('en',))\n"
        )
        (folder / "task.py").write_text(code + more)
        TASKS.include(folder)
        text = STUDY.format(encoder=real_encoder, data=data).replace("variant: noisy", "variant: edited")
        steps = make_plan(parse_study(text)).graph.values()
        (twin,) = (step for step in steps if step.kind == TWIN.name)
        return twin.key

    assert key("") != key("# edited\n")
