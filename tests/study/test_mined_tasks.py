"""BUCC from official files to F1: mined, cut at the threshold of the development set, perturbed, by two layers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.evaluate.predictions import read_predictions
from crosswind.evaluate.score import score_folder
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.evaluate import evaluation
from crosswind.study.plan import make_plan
from crosswind.study.run import Finished, run_study
from crosswind.study.spec import parse_study
from crosswind.study.submitted import export_submission
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load

WORDS = {
    "de": ("das", "haus", "fluss", "alt", "neu", "rot", "hund", "katze", "sieht", "brot", "stein", "weg", "baum"),
    "en": ("the", "house", "river", "old", "new", "red", "dog", "cat", "sees", "bread", "stone", "road", "tree"),
}


def sentence(language: str, name: str) -> str:
    digits = hashlib.sha256(f"{language} {name}".encode()).digest()
    words = [WORDS[language][b % 13] for b in digits[:9]]
    return " ".join([*words, str(int.from_bytes(digits[-3:]))])


def corpora(folder: Path, part: str, pairs: int, others: int, *, gold: bool = True) -> None:
    """Official files: a translation reads like its source, so that any encoder finds it; the rest is other text."""
    folder.mkdir(parents=True, exist_ok=True)
    english = [(f"en-{i:09}", sentence("de", f"{part} {i}") if i < pairs else sentence("en", f"{part} {i}"))
               for i in range(pairs + others)]  # fmt: skip
    german = [(f"de-{i:09}", sentence("de", f"{part} {i}")) for i in range(pairs + others)]
    for side, rows in (("en", reversed(english)), ("de", german)):
        (folder / f"de-en.{part}.{side}").write_text("".join(f"{n}\t{t}\n" for n, t in rows), encoding="utf-8")
    if gold:
        lines = "".join(f"de-{i:09}\ten-{i:09}\n" for i in range(pairs))
        (folder / f"de-en.{part}.gold").write_text(lines, encoding="utf-8")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bucc")
    corpora(root / "bucc2018", "sample", 12, 18)
    corpora(root / "bucc2018", "training", 20, 30)
    return root


STUDY = """
name: mining
encoder: {encoder}
data: {{source: files, root: {data}}}
training: {{max_length: 32}}
routes: {{none: []}}
targets:
  tasks:
    bucc2018:
      languages: [de]
      pooling: {{mode: mean, layer: 1}}
      choose_layer: {{layers: [0, 2]}}
perturb: ["keyboard:0.5"]
"""


@pytest.fixture(scope="module")
def finished(data: Path, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("run")
    study = parse_study(STUDY.format(encoder=tiny_encoder, data=data))
    return run_study(study, out=folder / "run", store=Store(folder / "store"), reporter=Silent())


def test_the_hidden_translations_are_mined_and_noise_hides_them(finished: Finished) -> None:
    assert finished.outcome.complete
    results = pl.read_parquet(finished.out / "results.parquet").filter(pl.col("key") == "f1")
    scores = {(r["selection"], r["perturbation"]): r["score"] for r in results.iter_rows(named=True)}
    assert scores.keys() == {(s, p) for s in ("untuned", "dev layer") for p in ("clean", "keyboard")}
    assert scores["untuned", "clean"] == 100.0
    assert scores["untuned", "keyboard"] < 90
    assert set(results["metric"]) == {"bucc-f1"}


def test_the_layer_of_the_development_set_stands_beside_the_fixed_one(finished: Finished) -> None:
    results = pl.read_parquet(finished.out / "results.parquet").filter(pl.col("key") == "f1")
    layers = {}
    for row in results.iter_rows(named=True):
        signature = dict(part.partition("=")[::2] for part in row["signature"].split("|"))
        layers[row["selection"]] = signature["layer"], signature.get("layer chosen on"), signature["neighbours"]
        assert float(signature["fitted threshold"]) > 0
    assert layers["untuned"] == ("1", None, "4")
    assert layers["dev layer"][0] in ("0", "2")
    assert layers["dev layer"][1:] == ("bucc2018/de/dev", "4")
    assert any("was chosen on bucc2018/de/dev by f1" in note for note in finished.notes)
    assert any("12 gold pairs; the release has 1,038" in note for note in finished.notes)


def test_predictions_are_the_mined_pairs_with_their_margins(finished: Finished) -> None:
    """The same sentence in both corpora has a higher margin than any pair of different ones."""
    path = next((finished.out / "predictions").rglob("*bucc2018*/de/clean.parquet"), None) or next(
        p for p in (finished.out / "predictions").rglob("*.parquet") if "clean" in p.name and "dev" not in p.name
    )
    ids, predictions = read_predictions(path)
    assert len(ids) == 50
    assert [ids[0], predictions[0]["top"], predictions[0]["pool"]] == [
        "bucc2018/test/de-000000000", ["en-000000000"], 50,
    ]  # fmt: skip
    margins = [p["scores"][0] if p["scores"] else 0.0 for p in predictions]
    assert min(margins[:20]) > max(margins[20:])
    mined = [p["top"][0] for p in predictions if p["top"]]
    assert len(mined) == len(set(mined))


def test_the_benchmark_takes_mined_pairs_for_its_own_f1(finished: Finished) -> None:
    table = pl.read_parquet(finished.out / "benchmarks.parquet").filter(
        (pl.col("name") == "bucc2018") & (pl.col("key") == "metric") & (pl.col("condition") == "clean")
    )
    assert table["score"].to_list() == [100.0]
    assert table["lacking"].to_list() == [["without 3 of 4 languages: fr ru zh"]]


def test_a_submission_holds_the_pairs_that_reach_the_threshold(finished: Finished, data: Path, tmp_path: Path) -> None:
    export_submission(finished.out, tmp_path / "given", "xtreme", labels=tmp_path / "labels")
    pairs = (tmp_path / "given/bucc2018/test-de.tsv").read_text(encoding="utf-8").splitlines()
    assert sorted(pairs) == [f"de-{i:09}\ten-{i:09}" for i in range(20)]
    scores = score_folder(tmp_path / "given", tmp_path / "labels", "xtreme", allow_missing=True)
    assert scores.tasks["bucc2018"].average["f1"] == 100.0


def test_development_data_that_repeat_the_test_set_are_refused(data: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    for side in ("de", "en", "gold"):
        for split, part in (("dev", "sample"), ("test", "sample")):
            text = (data / f"bucc2018/de-en.{part}.{side}").read_text(encoding="utf-8")
            target = tmp_path / "data" / "bucc2018" / f"de-en.{split}.{side}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    study = parse_study(STUDY.format(encoder=tiny_encoder, data=tmp_path / "data"))
    finished = run_study(study, out=tmp_path / "run", store=Store(tmp_path / "store"), reporter=Silent())
    # Official splits may share texts: it is said, not refused.
    assert any("the official splits share them" in note for note in finished.plan.notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "    choose_layer: {layers: [0, 2], on: {name: bucc2018, split: test}}",
            "cannot be chosen on bucc2018's test",
        ),
        ("    choose_layer: {layers: [0, 2], on: {name: xnli}}", "a layer is chosen by retrieval"),
        ("    choose_layer: {layers: [1]}", "at least 2"),
    ],
)
def test_a_layer_is_chosen_on_development_data_of_retrieval(
    change: str, message: str, data: Path, tiny_encoder: Path
) -> None:
    text = STUDY.format(encoder=tiny_encoder, data=data)
    line = next(part for part in text.splitlines() if "choose_layer" in part)
    with pytest.raises(UserError, match=message):
        make_plan(parse_study(text.replace(line, "  " + change)))


def test_tatoeba_has_no_development_split_of_its_own(data: Path, tiny_encoder: Path) -> None:
    text = STUDY.format(encoder=tiny_encoder, data=data).replace("bucc2018:", "tatoeba:")
    with pytest.raises(UserError, match="tatoeba has no development split") as caught:
        make_plan(parse_study(text))
    assert "bucc2018" in str(caught.value.hint)


def test_absent_files_are_named_with_their_origin_and_licence(tmp_path: Path) -> None:
    source = FilesSource(tmp_path)
    with pytest.raises(UserError, match=r"no file of bucc2018 test, de \(gold pairs\)") as caught:
        load(TASKS["bucc2018"], "de", "test", source)
    assert "bucc2018-de-en.training-gold.tar.bz2 is to be had from https://comparable.limsi.fr" in str(
        caught.value.hint
    )
    assert "no licence is stated" in str(caught.value.hint)
    corpora(tmp_path / "bucc2018", "test", 2, 2, gold=False)
    with pytest.raises(UserError, match="the sentences are there and their gold pairs are not") as caught:
        load(TASKS["bucc2018"], "de", "test", source)
    assert "distributed without gold" in str(caught.value.hint)


def test_files_that_do_not_fit_each_other_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "bucc2018"
    corpora(folder, "sample", 3, 3)
    source = FilesSource(tmp_path)
    assert len(load(TASKS["bucc2018"], "de", "dev", source)) == 6
    gold = folder / "de-en.sample.gold"
    for text, message in (
        ("de-000000001\ten-999999999\n", "'en-999999999' is not in de-en.sample.en"),
        ("de-000000001 en-000000001\n", "no pair of ids"),
        ("\n", "there is no gold pair"),
    ):
        gold.write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match=message):
            load(TASKS["bucc2018"], "de", "dev", source)
    (folder / "de-en.sample.de").write_text("de-1\ta\nde-1\tb\n", encoding="utf-8")
    with pytest.raises(UserError, match="'de-1' stands here a second time"):
        load(TASKS["bucc2018"], "de", "dev", source)


def test_a_target_without_a_development_split_takes_the_layer_of_another_tasks(
    data: Path, small_data: Path, tiny_encoder: Path
) -> None:
    text = f"""
name: layers
encoder: {tiny_encoder}
data: {{source: files, root: {small_data}, tasks: {{bucc2018: {{source: files, root: {data}}}}}}}
routes: {{none: []}}
targets:
  tasks:
    tatoeba:
      languages: [jv, sw]
      train: []
      choose_layer: {{layers: [1, 0.5, 2], on: {{name: bucc2018, languages: de}}}}
"""
    plan = make_plan(parse_study(text))
    kinds = [step.kind for step in plan.graph.values()]
    # Three layers mine the development set; two languages are embedded and predicted by the fixed and the chosen one.
    assert {kind: kinds.count(kind) for kind in ("mine", "layer", "embed", "predict")} == {
        "mine": 3, "layer": 1, "embed": 3 + 4, "predict": 4,
    }  # fmt: skip
    assert [(cell.selection, cell.data.language) for cell in plan.cells] == [
        ("untuned", "jv"), ("untuned", "sw"), ("dev layer", "jv"), ("dev layer", "sw"),
    ]  # fmt: skip
    (choice,) = (step for step in plan.graph.values() if step.kind == "layer")
    assert {plan.graph[key].kind for key in choice.inputs.values()} == {"mine"}


def test_pairs_that_were_mined_elsewhere_are_judged_as_they_stand(data: Path, tmp_path: Path) -> None:
    """50 pairs of which 20 are gold, all that there are: F1 is 2 * 20 / (50 + 20). No threshold is fitted."""
    file = tmp_path / "pairs.jsonl"
    rows = [{"id": f"de-{i:09}", "condition": "clean", "prediction": f"en-{i:09}"} for i in range(50)]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    study = evaluation("elsewhere", ["bucc2018"], languages=["de"], data=data, predictions=[file])
    finished = run_study(study, out=tmp_path / "run", store=Store(tmp_path / "store"), reporter=Silent())
    scores = pl.read_parquet(tmp_path / "run" / "results.parquet").filter(pl.col("key") == "f1")
    assert scores["metric"].to_list() == ["set-f1"]
    assert scores["score"].to_list() == pytest.approx([100 * 40 / 70])
    assert not any("name one candidate" in note for note in finished.notes)
