"""Intermediate tasks: CCGbank's files, the sets that no benchmark tests, and which source each task has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crosswind.data.examples import ChoiceExample, PairExample, SpanExample, TaggingExample
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.run.store import Store
from crosswind.study.resolve import routes
from crosswind.study.run import forecast
from crosswind.study.spec import parse_study, read_study
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load

STUDIES = Path(__file__).resolve().parents[2] / "studies"

# The first sentence of the manual of CCGbank (Hockenmaier and Steedman 2005, section 3.2), cut, and an invented one
AUTO = r"""ID=wsj_0001.1 PARSER=GOLD NUMPARSE=1
(<T S[dcl] 0 2> (<T S[dcl] 1 2> (<L N NNP NNP Vinken N>) (<T S 0 2> VP (<L NP NN NN chairman NP>))) (<L . . . . .>))
ID=wsj_0001.2 PARSER=GOLD NUMPARSE=1
(<T NP 0 2> (<L LRB LRB LRB -LRB- LRB>) (<L N CD CD 1\/2 N>) )
""".replace("VP", r"(<L (S[dcl]\NP)/NP VBZ VBZ is (S[dcl]\NP_1)/NP_2>)")


def ccgbank(root: Path, *sections: str, text: str = AUTO) -> FilesSource:
    for section in sections:
        path = root / f"ccgbank_1_1/data/AUTO/{section}/wsj_{section}01.auto"
        path.parent.mkdir(parents=True)
        path.write_text(text.replace("wsj_00", f"wsj_{section}"), encoding="utf-8")
    return FilesSource(root)


def test_ccgbank_gives_a_category_for_each_word(tmp_path: Path) -> None:
    data = load(TASKS["ccg"], "en", "dev", ccgbank(tmp_path, "00"))
    first, second = data.examples
    assert first == TaggingExample(
        "ccg/dev/wsj_0001.1",
        "ccg/dev/wsj_0001.1",
        "en",
        ("Vinken", "is", "chairman", "."),
        ("N", r"(S[dcl]\NP)/NP", "NP", "."),
    )
    assert isinstance(second, TaggingExample)
    assert second.words == ("(", "1/2")
    assert "2 sentences were read; sections 00 to 00 of CCGbank have 1,913" in data.notes[0]


def test_ccgbanks_training_sections_are_2_to_21(tmp_path: Path) -> None:
    files = ccgbank(tmp_path, *(f"{n:02d}" for n in range(24)))
    assert len(load(TASKS["ccg"], "en", "train", files)) == 40
    assert {e.id.split("_")[1][:2] for e in load(TASKS["ccg"], "en", "test", files)} == {"23"}


def test_ccgbank_that_is_not_there_is_named_with_where_to_get_it_and_its_licence(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load(TASKS["ccg"], "en", "train", FilesSource(tmp_path))
    assert "no file of ccg train" in caught.value.what
    for part in ("LDC2005T13", "https://catalog.ldc.upenn.edu/LDC2005T13", "user agreement", "ccgbank_1_1/data/AUTO"):
        assert part in str(caught.value.hint)
    with pytest.raises(UserError, match="needs section 03"):
        load(TASKS["ccg"], "en", "train", ccgbank(tmp_path, "02"))


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("ID=wsj_0001.1\n(<T S 0 1> (<L N NNP NNP Vinken>) )\n", "leaves that cannot be read", 2),
        ("(<T S 0 1> (<L N NNP NNP Vinken N>) )\n", "without an ID= line", 1),
        ("ID=wsj_0001.1\nVinken|NNP|N\n", "neither an ID= line nor a derivation", 2),
    ],
)
def test_a_damaged_auto_file_is_named_with_its_line(tmp_path: Path, text: str, what: str, line: int) -> None:
    with pytest.raises(UserError) as caught:
        load(TASKS["ccg"], "en", "dev", ccgbank(tmp_path, "00", text=text))
    assert what in caught.value.what
    assert str(caught.value.where).endswith(f"wsj_0001.auto:{line}")


def test_creak_codah_and_expmrc_are_read_as_distributed(official_data: Callable[..., Path]) -> None:
    files = FilesSource(official_data("creak", "codah", "expmrc"))
    claims = load(TASKS["creak"], "en", "dev", files)
    assert claims.examples[0].id.startswith("creak/dev/")
    assert len(load(TASKS["creak"], "en", "contrast", files)) == 500
    train = load(TASKS["creak"], "en", "train", files).examples
    assert len(train) == 10176
    assert train[0] == PairExample(
        "creak/train/train_0",
        "creak/train/e-Pink Floyd",
        "en",
        "Only people named Floyd wearing pink are allowed to attend Pink Floyd concerts.",
        "",
        0,
    )
    first = load(TASKS["codah"], "en", "train", files).examples[0]
    assert isinstance(first, ChoiceExample)
    assert (first.label, first.choices[3]) == (3, "tempted to snack when I feel this way.")
    question = load(TASKS["expmrc"], "en", "dev", files).examples[0]
    assert isinstance(question, SpanExample)
    assert (question.id, question.answer_texts[0]) == ("squad/dev/570d2417fed7b91900d45c40", "Melbourne")


def test_all_nine_intermediate_tasks_plan_under_one_preset_with_their_caps(tmp_path: Path) -> None:
    study = read_study(STUDIES / "phang2020-xlmr-large.yaml", ["seeds=1", "data={source: files, root: .}"])
    plans = routes(study)
    # Phang et al. 2020, section 2.1
    nine = ["anli+", "mnli", "qqp", "squad2", "squad", "hellaswag", "ccg", "cosmosqa", "commonsenseqa"]
    assert list(plans) == ["none", *nine, "all"]
    assert [head.name for head in plans["all"][0].heads] == nine
    assert plans["all"][0].sampling.cap == 2**17
    assert {plans[name][0].budget.examples for name in nine} == {2**17}
    assert plans["squad2"][0].heads[0].data[0].declaration.unanswerable


@pytest.mark.slow
def test_a_dry_run_plans_the_nine_without_any_data(tmp_path: Path) -> None:
    study = parse_study(
        "name: nine\nencoder: microworld\ndata: {source: hub}\nroutes: {none: [], preset: phang2020}\n"
        "targets: {preset: phang2020, limit: 5, languages: [de], tasks: {xnli: {}}}\n"
    )
    plan = forecast(study, Store(tmp_path / "store")).plan
    assert {c.route for c in plan.cells} >= {"none", "ccg", "all"}
    assert any(note.startswith("ccg is not resolved") for note in plan.notes)


# Which of the three sources each task has beside own files: official files, the hub at a pinned commit or at what
# `main` is (said in a note), or the microworld, which has a task of every kind.
FILES_AND_PINNED = {
    "anli", "commonsenseqa", "copa", "cosmosqa", "hellaswag", "mnli", "openbookqa", "pawsx", "piqa", "qqp", "siqa",
    "snli", "squad", "squad-retrieval", "squad2", "tatoeba", "winogrande", "xnli", "xquad",
    "mlqa", "mlqa-gxlt", "tydiqa", "udpos", "xcopa",
}  # fmt: skip
FILES_AND_MAIN = {
    "panx", "squadshifts", "squadshifts-retrieval",
}  # fmt: skip
FILES = {
    "bucc2018", "ccg", "codah", "creak", "e-care", "expmrc", "lareqa", "mewslix", "mewslix-pairs", "multichecklist",
}  # fmt: skip
MICROWORLD = {
    "mw-nli", "mw-paraphrase", "mw-causes", "mw-completion", "mw-reading", "mw-pos", "mw-ner", "mw-qa", "mw-sentences",
    "mw-answers",
}  # fmt: skip


def test_every_task_has_its_sources() -> None:
    official = [t for t in TASKS if not t.declaration and TASKS.origin(t.name) is None]
    hub = {t.name: t.hub.revision for t in official if t.hub is not None}
    assert {name for name, revision in hub.items() if revision != "main"} == FILES_AND_PINNED
    assert {name for name, revision in hub.items() if revision == "main"} == FILES_AND_MAIN
    assert {t.name for t in official if t.generated is not None} == MICROWORLD
    assert {TASKS[name].kind for name in MICROWORLD} == {t.kind for t in official}
    assert {t.name for t in official if t.hub is None and t.generated is None} == FILES
    assert [t.name for t in official if not t.licence or not t.citation] == []


@pytest.mark.slow
def test_a_head_of_open_tags_has_those_of_its_training_files(tiny_encoder: Path, tmp_path: Path) -> None:
    """CCG as a target and, under another head, as an intermediate task; its dev has a category that train lacks."""
    import json

    import polars as pl

    from crosswind.run.progress import Silent
    from crosswind.study.run import run_study

    ccgbank(tmp_path / "data", *(f"{n:02d}" for n in range(2, 22)))
    # Sentences that the training sections have not, and one category more
    ccgbank(
        tmp_path / "data",
        "00",
        text=AUTO.replace("NNP NNP Vinken", "NNP NNP Elsevier").replace("N CD CD 1", "S/S CD CD 2"),
    )
    study = parse_study(
        f"name: ccg\nencoder: {tiny_encoder}\ndata: {{source: files, root: {tmp_path / 'data'}}}\n"
        "training: {max_length: 64, batch_size: 8}\n"
        "routes: {r: [{tasks: [ccg], budget: {steps: 2}, select: {name: ccg, split: dev, rows: 0}}]}\n"
        "targets: {tasks: {ccg: {languages: [en], split: dev, rows: 1, train: {tasks: [ccg], budget: {steps: 2}}}}}\n"
    )
    finished = run_study(study, out=tmp_path / "run", store=Store(tmp_path / "store"), reporter=Silent())
    assert finished.outcome.complete
    row = pl.read_parquet(tmp_path / "run/results.parquet").row(0, named=True)
    assert (row["key"], row["n"], row["exposure"]) == ("token_accuracy", 1, "same-data/labelled")
    heads = [json.loads(p.read_text()) for p in (tmp_path / "store").rglob("crosswind.json")]
    labels = [head["labels"] for head in heads if head["kind"] == "tagging"]
    assert labels == [sorted({"N", r"(S[dcl]\NP)/NP", "NP", ".", "LRB"})]
