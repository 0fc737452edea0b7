"""Translated data in studies: phases on them, translate-train, translate-test, leakage, exposure, resuming."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.conftest import WORDS
from tests.tiny_translators import nllb

from crosswind.data.stored import read_examples
from crosswind.errors import UserError
from crosswind.prepare.project import aligned_words
from crosswind.run.executors import EXECUTORS
from crosswind.run.loop import run_graph
from crosswind.run.progress import Silent
from crosswind.run.step import Graph, Step
from crosswind.run.store import Store
from crosswind.study.leakage import check_leakage
from crosswind.study.plan import make_plan
from crosswind.study.planned import Plan
from crosswind.study.run import run_study
from crosswind.study.spec import Study, parse_study
from crosswind.tasks.refs import DataRef, library

STUDY = """
name: small
encoder: {encoder}
data: {{source: files, root: {data}}}
lexicons: {lexicons}
training: {{batch_size: 8, learning_rate: 1.0e-3, max_length: 64}}
routes:
  none: []
  spanish:
    - tasks: [{{name: snli, split: dev, languages: [en, es], rows: 0-19, translate: {{lexicon: true}}}}]
      budget: {{examples: 16}}
baselines:
  translate-train: {{mode: translate-train, translate: {{lexicon: true}}}}
  translate-test: {{mode: translate-test, translate: {{lexicon: true}}}}
targets:
  limit: 9
  tasks:
    xnli: {{languages: [en, es], train: {{tasks: [{{name: snli, split: dev}}], budget: {{examples: 16}}}}}}
perturb: ["keyboard:0.3"]
"""


@pytest.fixture(scope="module")
def lexicons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lexicons")
    pairs = zip(WORDS["en"].split(","), WORDS["es"].split(","), strict=False)
    (folder / "en-es.txt").write_text("".join(f"{a} {b}\n" for a, b in pairs), encoding="utf-8")
    return folder


@pytest.fixture
def study(tiny_encoder: Path, small_data: Path, lexicons: Path):  # type: ignore[no-untyped-def]
    def parsed(*overrides: str) -> Study:
        return parse_study(STUDY.format(encoder=tiny_encoder, data=small_data, lexicons=lexicons), list(overrides))

    return parsed


def of_kind(plan: Plan, kind: str) -> list[Step]:
    return [step for step in plan.graph.values() if step.kind == kind]


def test_translated_data_are_made_once_and_seen_as_machine_translated(study) -> None:  # type: ignore[no-untyped-def]
    plan = make_plan(study("perturb=[]"))
    assert sorted(step.label for step in of_kind(plan, "translate")) == [
        "snli/en/dev into es",  # all of it, for translate-train
        "snli/en/dev[0-19] into es",
        "xnli/es/test into en",
    ]
    exposures = {(c.route, c.data.language): c.exposure for c in plan.cells}
    assert exposures == {
        ("none", "en"): "none/unseen",
        ("none", "es"): "none/unseen",
        ("spanish", "en"): "same-task/labelled",
        ("spanish", "es"): "same-task/machine-translated",
        ("translate-train", "en"): "none/unseen",
        ("translate-train", "es"): "same-task/machine-translated",
        ("translate-test", "en"): "none/unseen",
        ("translate-test", "es"): "none/unseen",
    }
    # The English model of translate-test is that of no intermediate phase, and its English cell the same one.
    keys = {(c.route, c.data.language): c.key for c in plan.cells}
    assert keys["translate-test", "en"] == keys["none", "en"]
    assert keys["translate-test", "es"] != keys["none", "es"]


def test_the_larger_budget_of_translate_train_is_said(study) -> None:  # type: ignore[no-untyped-def]
    def notes(budget: str, rows: str = "rows: 0-19, ") -> list[str]:
        phase = f"{{tasks: [{{name: snli, split: dev, {rows}}}], budget: {budget}}}"
        plan = make_plan(study("perturb=[]", f"targets.tasks={{xnli: {{languages: [en, es], train: {phase}}}}}"))
        return [note for note in plan.notes if note.startswith("translate-train trains")]

    assert notes("{epochs: 3}") == [
        "translate-train trains xnli on up to 120 examples (15 steps of 8), 2 times the 60 examples (8 steps of 8) of "
        "the other routes: an epoch has the translations as well."
    ]
    assert notes("{examples: 16}") == []


def test_xnlis_and_pawsx_own_translations_are_seen_as_such() -> None:
    from crosswind.study.exposure import Seen, by_machine, exposure_of
    from crosswind.tasks.base import TASKS
    from crosswind.tasks.refs import DataRef

    assert by_machine(DataRef("xnli", "de", "train"))
    assert not by_machine(DataRef("xnli", "en", "train"))
    assert not by_machine(DataRef("xnli", "de", "dev"))
    assert by_machine(DataRef("pawsx", "ko", "train"))
    assert not by_machine(DataRef("tydiqa", "ko", "train"))
    xnli = TASKS["xnli"]
    both = [Seen(xnli, ("de",), translated=True), Seen(xnli, ("de",))]
    assert exposure_of(xnli, "de", both, []) == "same-data/labelled"
    assert exposure_of(xnli, "de", both[:1], []) == "same-data/machine-translated"


def test_the_key_of_a_translation_has_its_model_and_its_settings(study, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    def keys(spec: str) -> set[str]:
        task = f"{{name: snli, split: dev, languages: [de], translate: {spec}}}"
        plan = make_plan(study(f"routes={{r: [{{tasks: [{task}]}}]}}", "baselines={}", "perturb=[]"))
        return {step.key for step in of_kind(plan, "translate")}

    model = nllb(tmp_path / "one")
    first = keys(str(model))
    assert keys(f"{{model: {model}}}") == first
    assert keys(f"{{model: {model}, beams: 1}}") != first
    assert keys(f"{{model: {model}, codes: {{sw: swh_Latn}}}}") == first  # of another language
    assert keys(f"{{model: {model}, codes: {{de: deu_Latn}}}}") != first
    (model / "config.json").write_text((model / "config.json").read_text() + "\n")
    assert keys(str(model)) != first


@pytest.mark.parametrize(
    ("override", "what"),
    [
        ("routes.spanish.0.tasks.0.translate={}", "translate by a model (model: NAME) or by a lexicon"),
        ("routes.spanish.0.tasks.0.languages=[esp]", "'esp' is no registered language code"),
        ("routes.spanish.0.tasks.0.translate={lexicon: true, source: de}", "unknown language 'de'"),
        ("routes.spanish.0.tasks.0={name: snli, split: dev, translate: {lexicon: true}}", "no language to translate"),
        ("lexicons=null", "needs lexicons"),
        ("baselines.translate-test.after=spanisch", "there is no route 'spanisch'"),
        ("baselines={none: {mode: translate-test, translate: M}}", "there is a route of that name"),
        ("targets.tasks.xnli.oracle={name: xnli, split: dev, translate: {lexicon: true}}", "oracle data are not"),
        (
            "targets={tasks: {udpos: {languages: [en, es]}}} baselines={tt: {mode: translate-test, translate: M}}",
            "translate-test of udpos (tagging): a tag for every word cannot be carried back",
        ),
        ("targets={tasks: {tatoeba: {languages: [sw], train: []}}}", "translate-test of tatoeba (query): the pool"),
    ],
)
def test_what_cannot_be_translated_is_refused_by_name(study, override: str, what: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError) as caught:
        make_plan(
            study(*override.split(" baselines=")[:1], *(f"baselines={b}" for b in override.split(" baselines=")[1:]))
        )
    assert what in str(caught.value)


def test_leakage_is_checked_on_the_ids_and_texts_of_the_source(study) -> None:  # type: ignore[no-untyped-def]
    train = "{name: xnli, split: test, languages: [es], limit: 9, translate: {lexicon: true, source: en}}"
    plan = make_plan(study("baselines={}", f"routes={{r: [{{tasks: [{train}]}}]}}"))
    with pytest.raises(UserError, match=r"training on xnli/en/test \(translated\) has 9 of the same items"):
        check_leakage(plan, library(plan.graph.context["data"]))


def test_translated_texts_that_a_test_set_has_are_refused_before_anything_is_trained(  # type: ignore[no-untyped-def]
    study, small_data: Path, tmp_path: Path, lexicons: Path
) -> None:
    """The first Spanish test sentence translated back by hand: its own ids and English texts are new."""
    import shutil

    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    first, second, label = (data / "xnli/test-es.tsv").read_text(encoding="utf-8").splitlines()[0].split("\t")
    (data / "own").mkdir()
    (data / "own/train-en.tsv").write_text(f"first\tsecond\tlabel\nUNO\tDOS\t{label}\n", encoding="utf-8")
    words = tmp_path / "words"
    words.mkdir()
    (words / "en-es.txt").write_text(f"uno\t{first}\ndos\t{second}\nthe\tel\n", encoding="utf-8")
    own = "{name: mine, languages: [es], translate: {lexicon: true}}"
    made = study(
        "baselines={}", "perturb=[]", f"data.root={data}", f"lexicons={words}",
        "tasks={mine: {like: xnli, files: 'own/{split}-{language}.tsv', languages: [en]}}",
        "targets.limit=5010", f"routes={{r: [{{tasks: [{own}]}}]}}",
    )  # fmt: skip
    (data / "own/train-en.tsv").write_text(f"first\tsecond\tlabel\nuno\tdos\t{label}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"training on mine/es/train \(translated\) has 1 of the same texts"):
        run_study(made, out=tmp_path / "run", store=Store(tmp_path / "store"), reporter=Silent())


@pytest.mark.slow
def test_baselines_are_routes_whose_results_say_how_they_were_made(study, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    store = Store(tmp_path / "store")
    finished = run_study(study(), out=tmp_path / "run", store=store, reporter=Silent())
    assert finished.outcome.complete
    results = pl.read_parquet(tmp_path / "run" / "results.parquet").filter(pl.col("key") == "accuracy")
    assert set(results["route"]) == {"none", "spanish", "translate-train", "translate-test"}
    spanish = {
        (row["route"], row["perturbation"]): row for row in results.filter(pl.col("language") == "es").to_dicts()
    }
    tested = spanish["translate-test", "clean"]
    assert "translation=word by word from a lexicon, es>en" in tested["signature"]
    assert "translation=" not in spanish["none", "clean"]["signature"]
    assert any("translated from es into en: word by word" in note for note in tested["notes"])
    noisy = spanish["translate-test", "keyboard"]
    assert noisy["changed_items"] == spanish["none", "keyboard"]["changed_items"] == 1.0
    assert 0 < noisy["changed_tokens"] <= 1
    trained = spanish["translate-train", "clean"]
    assert any("translated from en into es" in note for note in trained["notes"])
    assert trained["exposure"] == "same-task/machine-translated"


class Stopping(Silent):
    """Stops a step when it has reported a few times."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def advanced(self, key: str, done: float, total: float, note: str) -> None:
        self.left -= 1
        if self.left == 0:
            raise InterruptedError("stopped")


def squad_file(root: Path, n: int) -> Path:
    """A SQuAD 2 file of n passages, with an answer to every third question."""
    paragraphs = []
    for i in range(n):
        context = f"The house {i} stands. A dog sees the red cat."
        answers = [{"text": "dog", "answer_start": context.index("dog")}] if i % 3 == 0 else []
        paragraphs.append({"context": context, "qas": [{"id": f"q{i}", "question": "Who?", "answers": answers}]})
    (root / "mine").mkdir(parents=True)
    (root / "mine/train-en.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    return root


def test_a_translation_that_was_stopped_goes_on_with_the_same_bytes(  # type: ignore[no-untyped-def]
    study, tmp_path: Path
) -> None:
    model, data = nllb(tmp_path / "nllb"), squad_file(tmp_path / "data", 150)
    use = f"{{name: mine, languages: [de], translate: {{model: {model}, beams: 1, max_length: 24}}}}"
    plan = make_plan(
        study(
            "baselines={}", "perturb=[]", "tasks={mine: {like: squad2, files: 'mine/{split}-{language}.json'}}",
            f"data.tasks={{mine: {{source: files, root: {data}}}}}", f"routes={{r: [{{tasks: [{use}]}}]}}",
        )
    )  # fmt: skip
    (step,) = of_kind(plan, "translate")
    graph = Graph([step], plan.graph.context)

    def run(name: str, *reporters: Silent) -> tuple[Path, dict[str, Any]]:
        store = Store(tmp_path / name)
        for reporter in reporters:
            outcome = run_graph(
                graph, [step.key], store, EXECUTORS["local"], reporter=reporter, folder=tmp_path / "logs"
            )
        assert outcome.failed == {}
        return store.path(step.key), store.manifest(step.key)["meta"]

    whole, facts = run("whole", Silent())
    stopped, again = run("stopped", Stopping(2), Silent())
    names = [p.name for p in sorted(whole.iterdir()) if p.suffix == ".jsonl"]
    assert names == ["examples.jsonl"]
    assert (whole / names[0]).read_bytes() == (stopped / names[0]).read_bytes()
    for name in ("notes", "carried", "n", "of", "signature"):
        assert facts[name] == again[name]
    examples, _ = read_examples(whole)
    assert facts["of"] == 150
    assert len(examples) == facts["n"] == 150 - facts["carried"]["dropped"]
    assert facts["n"] >= 100  # the questions without an answer; the model has random weights
    assert "by nllb (eng_Latn>deu_Latn, 1 beams)" in facts["notes"][0]


def test_translated_files_are_data_of_ones_own(tmp_path: Path, lexicons: Path) -> None:
    """What `crosswind translate` writes is read by its own task file, answers where they stand."""
    from crosswind.data.examples import ChoiceExample, SpanExample, TaggingExample
    from crosswind.data.sources.files import FilesSource
    from crosswind.registry import declare
    from crosswind.study.own import declare_own, read_task_file
    from crosswind.study.spec import Data, TaskUse
    from crosswind.study.translating import translate_into, translate_options
    from crosswind.tasks.base import TASKS
    from crosswind.tasks.load import load

    spec = translate_options(None, True, revision=None, source=None, codes={}, beams=4)
    out, store = tmp_path / "mt", Store(tmp_path / "store")
    for task in ("mw-qa", "mw-causes", "mw-ner"):
        languages = [code for code in TASKS[task].languages if code != "en"][:2]
        use = TaskUse(name=task, languages=languages, rows="0-9", translate=spec)
        files = translate_into(use, out, store, Silent(), data=Data(source="microworld"))
        assert [(f.count, f.of) for f in files] == [(10, 10), (10, 10)]
    try:
        declared = read_task_file(out / "tasks.yaml")
        assert sorted(declared) == ["mw-causes-translated", "mw-ner-translated", "mw-qa-translated"]
        declare_own(declared, out)
        source = FilesSource(out)
        first = load(TASKS["mw-qa-translated"], languages[0], "train", source).examples
        assert all(isinstance(e, SpanExample) and e.answers for e in first)
        assert load(TASKS["mw-qa-translated"], languages[0], "train", source).notes == ()
        choice = load(TASKS["mw-causes-translated"], languages[1], "train", source).examples[0]
        assert isinstance(choice, ChoiceExample)
        assert choice.label is not None
        tagged = load(TASKS["mw-ner-translated"], languages[1], "train", source).examples[0]
        assert isinstance(tagged, TaggingExample)
        assert tagged.tags is not None
    finally:
        declare({})


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions and entities of one's own in German and English."""
    root = tmp_path_factory.mktemp("german")
    texts = {"de": ("Ein Hund sieht die rote Katze. Das alte Haus steht.", "rote Katze")}
    texts["en"] = ("A dog sees the red cat.", "red cat")
    for language, (text, answer) in texts.items():
        for split, names in (("train", "abcdefgh"), ("test", "12345678")):
            paragraphs = []
            for name in names:
                answers = [{"text": answer, "answer_start": text.index(answer)}]
                question = {"id": f"q{name}", "question": f"Wer {name}?", "answers": answers}
                paragraphs.append({"context": f"{text} {name}", "qas": [question]})
            sentences = [f"Hund{name}\tB-PER\nKatze\tO\n" for name in names]
            (root / f"{split}-{language}.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
            (root / f"{split}-{language}.tsv").write_text("\n".join(sentences))
    return root


OWN = (
    "tasks={qa: {like: xquad, files: '{split}-{language}.json'}, ner: {like: panx, files: '{split}-{language}.tsv'}}",
    "routes={none: []}",
    "targets={limit: 3, tasks: {qa: {languages: [de, en], train: {tasks: [{name: qa}], budget: {examples: 8}}}, "
    "ner: {languages: [de, en], train: {tasks: [{name: ner}], budget: {examples: 8}}}}}",
)


@pytest.mark.slow
def test_answers_and_entities_of_a_translation_are_judged_in_the_original_text(  # type: ignore[no-untyped-def]
    study, german: Path, tmp_path: Path
) -> None:
    model = nllb(tmp_path / "nllb")
    made = study(
        *OWN, f"data.root={german}",
        f"baselines={{tt: {{mode: translate-test, translate: {{model: {model}, beams: 1, max_length: 16}}}}}}",
    )  # fmt: skip
    store, out = Store(tmp_path / "store"), tmp_path / "run"
    finished = run_study(made, out=out, store=store, reporter=Silent())
    assert finished.outcome.complete
    plan = make_plan(made)
    for cell in plan.cells:
        if cell.route != "tt" or cell.data.language != "de":
            continue
        meta = store.manifest(cell.key)["meta"]
        counts = meta["carried back"]
        assert 0 <= counts["lost"] <= counts["predicted"]
        rows = pl.read_parquet(store.path(cell.key) / "predictions.parquet").to_dicts()
        data = library(plan.graph.context["data"]).dataset(cell.data)
        if cell.target == "qa" and cell.perturbation == "clean":
            assert counts["predicted"] == 3
            for example, row in zip(data.examples, rows, strict=True):
                assert example.context[row["start"] : row["end"]] == row["text"]
            assert sum(row["text"] == "" for row in rows) == counts["lost"]
        if cell.target == "ner" and cell.perturbation == "clean":
            assert [len(row["tags"]) for row in rows] == [len(e.words) for e in data.examples]
        noted = " ".join(meta["notes"])
        assert "carried back to the original text by the word aligner" in noted
        assert meta["signature"]["carried back"] == "by the word aligner"
    signed = pl.read_parquet(out / "results.parquet").filter((pl.col("route") == "tt") & (pl.col("language") == "de"))
    assert set(signed["perturbation"]) == {"clean", "keyboard"}
    assert all("carried back=by the word aligner" in text for text in signed["signature"])
    assert all("the word aligner carries them there and back" in " ".join(notes) for notes in signed["notes"])


def test_word_by_word_tags_and_answers_come_back_exactly(study, german: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A lexicon that translates nothing: translate-test is then the model itself."""
    words = tmp_path / "words"
    words.mkdir()
    (words / "en-de.txt").write_text("zebra zebra\n", encoding="utf-8")
    made = study(
        *OWN, f"data.root={german}", f"lexicons={words}", "perturb=[]",
        "baselines={tt: {mode: translate-test, translate: {lexicon: true}}}",
    )  # fmt: skip
    store = Store(tmp_path / "store")
    assert run_study(made, out=tmp_path / "run", store=store, reporter=Silent()).outcome.complete
    keys = {(c.route, c.target): c.key for c in make_plan(made).cells if c.data.language == "de"}
    for target, column in (("qa", "start"), ("ner", "tags")):
        direct, tested = (
            pl.read_parquet(store.path(keys[route, target]) / "predictions.parquet") for route in ("none", "tt")
        )
        if target == "ner":
            assert direct[column].to_list() == tested[column].to_list()
            continue
        texts = [
            e.context
            for e in library(make_plan(made).graph.context["data"]).dataset(DataRef("qa", "de", "test", limit=3))
        ]
        for text, a, b in zip(texts, direct.to_dicts(), tested.to_dicts(), strict=True):
            whole = [w for w in aligned_words(text, "de") if w.start < a["end"] and a["start"] < w.end]
            assert (b["start"], b["end"]) == ((whole[0].start, whole[-1].end) if whole else (0, 0))
            assert b["text"] == text[b["start"] : b["end"]]


def test_a_model_that_reads_a_translation_is_not_attacked_and_that_is_said(study) -> None:  # type: ignore[no-untyped-def]
    plan = make_plan(study("perturb=[]", "attack=[{recipe: deepwordbug, budget: 9, examples: 3, control: false}]"))
    attacked = {(c.route, c.data.language) for c in plan.cells if c.condition.attack != "none"}
    assert ("none", "es") in attacked
    assert ("translate-test", "es") not in attacked
    assert ("translate-test", "en") in attacked  # its English cell reads English
    assert any(out.language == "es" and "translated anew" in out.reason for out in plan.left_out)
