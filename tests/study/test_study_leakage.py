"""A study that trains or selects on what it evaluates is refused, with the overlap named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from crosswind.data.leakage import normalized_hash
from crosswind.errors import UserError
from crosswind.registry import declare
from crosswind.study.leakage import check_leakage
from crosswind.study.plan import make_plan
from crosswind.study.spec import parse_study
from crosswind.tasks.refs import library

STUDY = """
name: small
encoder: {encoder}
data: {{source: files, root: {data}}}
routes: {{none: []}}
targets:
  tasks:
    udpos: {{languages: [en, es], rows: 0-9, train: {{tasks: [udpos], budget: {{steps: 1}}}}}}
"""
XNLI = "targets.tasks={xnli: {languages: [es], rows: 30-59, train: {tasks: [{name: snli, split: dev}]}}}"
TATOEBA = "targets.tasks={tatoeba: {languages: [jv], train: []}}"


def check(encoder: Path, data: Path, *overrides: str) -> list[str]:
    study = parse_study(STUDY.format(encoder=encoder, data=data), list(overrides))
    plan = make_plan(study)
    return check_leakage(plan, library(plan.graph.context["data"]))


def refused(encoder: Path, data: Path, *overrides: str) -> str:
    with pytest.raises(UserError) as caught:
        check(encoder, data, *overrides)
    assert caught.value.hint
    return caught.value.what


def test_disjoint_data_pass(tiny_encoder: Path, small_data: Path) -> None:
    assert check(tiny_encoder, small_data) == []


@pytest.mark.parametrize("split", ["dev", "test"])
def test_data_without_labels_are_refused_before_anything_is_trained(
    tiny_encoder: Path, small_data: Path, tmp_path: Path, split: str
) -> None:
    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    path = data / f"xnli/{split}-es.tsv"
    stripped = ["\t".join(line.split("\t")[:2]) for line in path.read_text("utf-8").splitlines()]
    path.write_text("\n".join(stripped) + "\n", encoding="utf-8")
    train = "{name: snli, split: dev}" if split == "test" else "{name: xnli, split: dev, languages: [es], rows: 0-9}"
    target = f"targets.tasks={{xnli: {{languages: [es], rows: 30-59, train: {{tasks: [{train}]}}}}}}"
    count = {"dev": "10 of 10", "test": "30 of 30"}[split]
    assert refused(tiny_encoder, data, target).startswith(f"{count} examples carry no gold label, xnli/{split}/")


@pytest.mark.parametrize("split", ["dev", "test"])
def test_placeholders_for_hidden_labels_are_recognised_before_anything_is_trained(
    tiny_encoder: Path, small_data: Path, tmp_path: Path, split: str
) -> None:
    """Some copies write one label everywhere in the place of those that are hidden (COPA's test set: all 0)."""
    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    path = data / f"xnli/{split}-es.tsv"
    same = [line.rpartition("\t")[0] + "\tentailment" for line in path.read_text("utf-8").splitlines()]
    path.write_text("\n".join(same) + "\n", encoding="utf-8")
    train = "{name: snli, split: dev}" if split == "test" else "{name: xnli, split: dev, languages: [es]}"
    target = f"targets.tasks={{xnli: {{languages: [es], train: {{tasks: [{train}]}}}}}}"
    count = {"dev": "2,490", "test": "5,010"}[split]
    what = f"every one of its {count} examples has the label 0: these are placeholders for hidden labels"
    assert refused(tiny_encoder, data, target) == what
    tagged = data / "ud/UD_English-Mini/en_mini-ud-train.conllu"
    text = tagged.read_text(encoding="utf-8")
    for tag in ("DET", "ADJ", "NOUN", "VERB", "PUNCT"):
        text = text.replace(f"\t_\t{tag}\t", "\t_\tX\t")
    tagged.write_text(text + text.replace("train-", "more-"), encoding="utf-8")
    assert "every one of its 96 examples has the label X" in refused(tiny_encoder, data)


def test_training_on_what_is_evaluated_is_refused(tiny_encoder: Path, small_data: Path) -> None:
    overlapping = "targets.tasks.udpos.train.tasks=[{name: udpos, split: test, languages: en, rows: 8-19}]"
    assert refused(tiny_encoder, small_data, overlapping) == (
        "training on udpos/en/test[8-19] has 2 of the same items that udpos/en/test[0-9] evaluates "
        "(udpos/test/en_mini-test-8, udpos/test/en_mini-test-9)"
    )
    beside = "targets.tasks.udpos.train.tasks=[{name: udpos, split: test, languages: en, rows: 10-19}]"
    assert check(tiny_encoder, small_data, beside) == []


def test_selecting_on_what_is_evaluated_is_refused(tiny_encoder: Path, small_data: Path) -> None:
    select = "targets.tasks.udpos.train.select={name: udpos, split: test, languages: es, rows: 9}"
    assert "selection on udpos/es/test[9] has 1 of the same items" in refused(tiny_encoder, small_data, select)


def test_a_route_that_saw_the_item_in_another_language_is_refused(tiny_encoder: Path, small_data: Path) -> None:
    route = "routes={r: [{tasks: [{name: xnli, split: test, languages: [en], rows: 59-70}]}]}"
    assert "has 1 of the same items that xnli/es/test[30-59] evaluates (xnli/test/59)" in refused(
        tiny_encoder, small_data, XNLI, route
    )


def test_xnli_dev_in_a_route_leaves_its_test_set_clean(tiny_encoder: Path, small_data: Path) -> None:
    route = "routes={r: [{tasks: [{name: xnli, split: dev, languages: [en, es]}]}]}"
    assert check(tiny_encoder, small_data, XNLI, route) == []


def test_the_same_text_under_another_name_is_refused(tiny_encoder: Path, small_data: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    first, second, label = (data / "xnli/test-es.tsv").read_text(encoding="utf-8").splitlines()[31].split("\t")
    with (data / "nli_en/snli/dev.csv").open("a", encoding="utf-8") as file:
        file.write(f"{first.upper()},{second} ,{label}\n")  # case and white space do not hide it
    what = refused(tiny_encoder, data, XNLI)
    assert what == "training on snli/en/dev has 1 of the same texts that xnli/es/test[30-59] evaluates (xnli/test/31)"


def test_texts_that_official_splits_of_a_task_share_are_noted(
    tiny_encoder: Path, small_data: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    treebank = data / "ud/UD_English-Mini"
    first = (treebank / "en_mini-ud-test.conllu").read_text(encoding="utf-8").split("\n\n")[0]
    with (treebank / "en_mini-ud-train.conllu").open("a", encoding="utf-8") as file:
        file.write(first.replace("test-0", "train-48") + "\n\n")
    (note,) = check(tiny_encoder, data)
    assert note.startswith("training on udpos/en/train: 1 of its texts are in udpos/en/test[0-9] too")


def test_masked_lm_on_a_sentence_of_the_test_set_is_refused(
    tiny_encoder: Path, small_data: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    sentence = (data / "tatoeba/v1/tatoeba.jav-eng.jav").read_text(encoding="utf-8").splitlines()[7]
    folder = data / "flores200_dataset/dev"
    folder.mkdir(parents=True)
    for code in ("eng_Latn", "jav_Latn"):
        lines = [f"line {i} in {code}" for i in range(997)]
        lines[5] = sentence if code == "jav_Latn" else lines[5]
        (folder / f"{code}.dev").write_text("\n".join(lines) + "\n", encoding="utf-8")
    route = "routes={r: [{mlm: {languages: [en, jv], corpora: [flores]}, budget: {steps: 1}}]}"
    assert refused(tiny_encoder, data, TATOEBA, route) == (
        "masked LM on flores has 1 of the same texts that tatoeba/jv/test evaluates (tatoeba/test/jv-7/jv)"
    )


def test_what_an_encoder_was_pretrained_on_counts(tiny_encoder: Path, small_data: Path, tmp_path: Path) -> None:
    encoder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, encoder)
    sentence = (small_data / "tatoeba/v1/tatoeba.jav-eng.eng").read_text(encoding="utf-8").splitlines()[3]
    (encoder / "manifest.txt").write_text(normalized_hash("something else") + "\n")
    assert check(encoder, small_data, TATOEBA) == []
    (encoder / "manifest.txt").write_text(normalized_hash(sentence) + "\n")
    assert refused(encoder, small_data, TATOEBA) == (
        "the encoder's pretraining has 1 of the same texts that tatoeba/jv/test evaluates (tatoeba/test/jv-3)"
    )


OWN = """
name: own
encoder: {encoder}
data: {{source: files, root: {data}}}
routes: {{none: []}}
tasks:
  mine: {{like: panx, files: "{{split}}-{{language}}.txt", languages: [de]}}
targets: {{tasks: {{mine: {{train: {{tasks: [{{name: mine, languages: [de]}}], budget: {{steps: 1}}}}}}}}}}
"""


@pytest.mark.parametrize(("train", "count"), [(("Rom", "Paris", "Bern"), 2), (("Bern",), 0)])
def test_texts_that_splits_of_the_users_own_share_are_refused(
    tiny_encoder: Path, tmp_path: Path, train: tuple[str, ...], count: int
) -> None:
    for split, words in (("train", train), ("test", ("Rom", "Paris", "Genf"))):
        text = "".join(f"{word} B-LOC\n\n" for word in words)
        (tmp_path / f"{split}-de.txt").write_text(text, encoding="utf-8")
    plan = make_plan(parse_study(OWN.format(encoder=tiny_encoder, data=tmp_path)))
    try:
        if not count:
            assert check_leakage(plan, library(plan.graph.context["data"])) == []
            return
        with pytest.raises(UserError) as caught:
            check_leakage(plan, library(plan.graph.context["data"]))
        assert caught.value.what.startswith(
            f"training on mine/de/train has {count} of the same texts that mine/de/test"
        )
    finally:
        declare({})
