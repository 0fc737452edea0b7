"""Frozen suites: their definition, what they make of data, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from crosswind.cli import app
from crosswind.data.examples import Dataset, PairExample
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.perturb.suite import Suite, check_published, hash_of_rewrites, load_suite, suite_titles
from crosswind.run.folders import file_hash
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.items import export_items
from crosswind.study.plan import make_plan
from crosswind.study.review import make_review
from crosswind.study.spec import parse_study
from crosswind.study.suites import require_suite, suite_hashes, suite_reviews
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load

TITLE = "crosswind-c-1"


def test_the_suite_has_eight_preserving_perturbations_at_three_severities() -> None:
    suite = load_suite(TITLE)
    assert suite_titles() == [TITLE]
    assert (suite.title, suite.draw, len(suite.specs)) == (TITLE, 1, 24)
    names = {spec.name for spec in suite.specs}
    assert len(names) == 8
    assert all(spec.preserving for spec in suite.specs)
    assert all(sum(spec.name == name for spec in suite.specs) == 3 for name in names)


def test_another_version_is_refused() -> None:
    with pytest.raises(UserError, match="unknown suite 'crosswind-c-2'"):
        load_suite("crosswind-c-2", where="--suite")


def test_a_hash_is_of_the_rewrites_whatever_the_order_of_the_rows() -> None:
    examples = tuple(PairExample(f"x/{i}", f"x/{i}", "en", f"The little boy {i}", "reads", 0) for i in range(20))
    data = Dataset("xnli", "en", "test", examples, fingerprint="f")
    suite = load_suite(TITLE)
    table = perturb_dataset(data, suite.specs[0], draw=1, fields=("first",)).table()
    other = perturb_dataset(data, suite.specs[0], draw=2, fields=("first",)).table()
    assert hash_of_rewrites(table) == hash_of_rewrites(table.reverse())
    assert hash_of_rewrites(table) != hash_of_rewrites(other)
    assert len(hash_of_rewrites(table)) == 64
    known = Suite("s", 1, 1, suite.specs, {("xnli", "en", "test", "a:1"): hash_of_rewrites(table)})
    assert check_published(known, "xnli", "en", "test", "a:1", table) is None
    assert check_published(known, "xnli", "de", "test", "a:1", table) == (
        "s-1 has no published rewrites of xnli test, de: these were not compared."
    )
    with pytest.raises(UserError, match="other rewrites than s-1"):
        check_published(known, "xnli", "en", "test", "a:1", other)


STUDY = """
name: suite
encoder: {encoder}
data: {{source: files, root: {data}}}
routes: {{none: []}}
targets: {{limit: 20, tasks: {{tatoeba: {{languages: [jv], train: []}}}}}}
perturb: [{entry}]
"""


def test_a_suite_in_a_study_is_all_of_its_conditions_under_its_name(real_encoder: Path, small_data: Path) -> None:
    text = STUDY.format(encoder=real_encoder, data=small_data, entry="{suite: crosswind-c-1}, 'swap:0.05'")
    plan = make_plan(parse_study(text, ["draws=2"]))
    names = [(c.perturbation, c.severity, c.draw) for c in plan.cells]
    assert ("swap#crosswind-c-1", 0.05, 1) in names
    assert ("swap#crosswind-c-1", 0.05, 2) not in names  # a suite has its own draw
    assert ("swap", 0.05, 2) in names
    left = {part.perturbation for part in plan.left_out}
    assert len({n for n, _, _ in names if n.endswith("#crosswind-c-1")} | left) == 8


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{suite: crosswind-c-9}", "unknown suite"),
        ("{suite: crosswind-c-1, fields: query}", "taken as it is"),
        ("{suite: crosswind-c-1, spec: 'swap:0.1'}", "a perturbation \\(spec\\) or a frozen suite"),
    ],
)
def test_a_suite_is_taken_as_it_is(entry: str, message: str, real_encoder: Path, small_data: Path) -> None:
    with pytest.raises(UserError, match=message):
        make_plan(parse_study(STUDY.format(encoder=real_encoder, data=small_data, entry=entry)))


def test_an_export_says_its_suite_and_scoring_refuses_another(
    tmp_path: Path, real_encoder: Path, small_data: Path
) -> None:
    entry = "{suite: crosswind-c-1}"
    study = parse_study(STUDY.format(encoder=real_encoder, data=small_data, entry=entry))
    exported = export_items(study, "official", tmp_path / "items", Store(tmp_path / "store"), Silent())
    about = json.loads((tmp_path / "items" / "export.json").read_text())
    assert about["suites"] == [TITLE]
    assert any("unreviewed" in note for note in exported.notes) or len(about["files"]) > 5
    notes = require_suite(tmp_path / "items", TITLE)
    assert notes == [
        "Of tatoeba a part was perturbed, which the published hashes of crosswind-c-1 do not cover.",
        "crosswind-c-1 is unreviewed: no annotators have judged whether labels hold under it.",
    ]
    (labels, *_) = sorted((tmp_path / "items").glob("keyboard*/labels"))
    scored = CliRunner().invoke(app, ["score", str(labels), str(labels), "--suite", TITLE, "--allow-missing", "--json"])
    assert scored.exit_code == 0, scored.output
    scores = json.loads(scored.output)
    which = "The items are of the condition keyboard#crosswind-c-1:0.02."
    assert (scores["averaged"], scores["score"], scores["notes"][-3:]) == (["tatoeba"], 100.0, [*notes, which])
    clean = tmp_path / "items" / "clean" / "labels"
    scored = CliRunner().invoke(app, ["score", str(clean), str(clean), "--suite", TITLE, "--allow-missing", "--json"])
    assert scored.exit_code == 0, scored.output
    assert json.loads(scored.output)["notes"][-1] == (
        "These are the clean items beside crosswind-c-1: nothing of them is perturbed."
    )
    assert not any("unreviewed" in note for note in json.loads(scored.output)["notes"])
    (path, *_) = (tmp_path / "items").rglob("rewrites/*.parquet")
    assert set(pl.read_parquet(path).columns) == {"id", "part", "field", "rewrite"}
    require_suite(path.parent, TITLE)
    with pytest.raises(UserError, match="says nothing of a suite"):
        require_suite(tmp_path, TITLE)
    (tmp_path / "items" / "export.json").write_text(json.dumps({"suites": ["crosswind-c-0"]}))
    ran = CliRunner().invoke(app, ["score", str(tmp_path), str(tmp_path / "items"), "--suite", TITLE])
    assert isinstance(ran.exception, UserError)
    assert "the items are of crosswind-c-0, not of crosswind-c-1" in str(ran.exception)


def test_the_published_hashes_are_those_of_the_official_data(official_data: Callable[..., Path]) -> None:
    """Whoever changes what a member of the suite makes has another suite: this test is not mended by new hashes."""
    suite = load_suite(TITLE)
    assert {names[0] for names in suite.published} >= {"xcopa", "tatoeba"}
    rows = [*suite_hashes(suite, ["tatoeba"], ["jv", "te"], "test", official_data("tatoeba"))]
    assert len(rows) > 30
    rows += suite_hashes(suite, ["copa"], ["en"], "test", official_data("copa"))
    assert len({row[0] for row, _ in rows}) == 2
    assert [row for row, published in rows if published != row[-1]] == []


def test_damaged_files_are_an_error_and_absent_ones_a_note(tmp_path: Path, official_data: Callable[..., Path]) -> None:
    folder = shutil.copytree(official_data("xcopa") / "xcopa", tmp_path / "xcopa")
    files = sorted(folder.rglob("test.*.jsonl"))
    for path in files:
        if path.name not in ("test.et.jsonl", "test.th.jsonl"):
            path.unlink()
    notes: list[str] = []
    suite = replace(load_suite(TITLE), specs=load_suite(TITLE).specs[:1])
    rows = [row for row, _ in suite_hashes(suite, ["xcopa"], [], "test", tmp_path, note=notes.append)]
    assert {row[1] for row in rows} == {"et", "th"}
    (absent,) = (note for note in notes if "no files below" in note)
    assert absent.endswith("in ht, id, it, qu, sw, ta, tr, vi, zh")
    link = next(path for path in files if path.name == "test.it.jsonl")
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match="a link to nothing"):
        next(suite_hashes(suite, ["xcopa"], [], "test", tmp_path))
    link.unlink()
    path = folder / "data" / "th" / "test.th.jsonl"
    path.write_text(path.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    with pytest.raises(UserError):
        [*suite_hashes(suite, ["xcopa"], [], "test", tmp_path)]
    with pytest.raises(UserError, match="no file of tatoeba test is there"):
        [*suite_hashes(suite, ["tatoeba"], [], "test", tmp_path)]


SQUAD = b'{"data": [{"paragraphs": [{"context": "abc", "qas": [{"id": "q", "question": "\\u001e?", "answers": []}]}]}]}'
COPA = (
    b'{"premise": "a", "choice1": "b", "choice2": "c", "question": "cause", "idx": 0, "label": 0, "changed": false}\n'
)


@pytest.mark.parametrize(
    ("task", "path", "content", "message"),
    [
        ("xquad", "xquad/xquad.ar.json", b"", "xquad.ar.json:1: not JSON"),
        ("xquad", "xquad/xquad.ar.json", b"null", "not a SQuAD file"),
        ("xquad", "xquad/xquad.ar.json", b'{"data": {}}', "the split is empty"),
        ("xquad", "xquad/xquad.ar.json", b'{"data": NaN}', "not a SQuAD file"),
        ("xquad", "xquad/xquad.ar.json", b'{"data": ["a"]}', "not a SQuAD file"),
        ("xquad", "xquad/xquad.ar.json", b'{"data": ' + b"9" * 5000 + b"}", "a number of thousands of digits"),
        ("xquad", "xquad/xquad.ar.json", b"[" * 100_000, "nested too deeply"),
        ("xquad", "xquad/xquad.ar.json", SQUAD, "has no answer|the official split has 1190|the split is empty"),
        ("xquad", "xquad/xquad.ar.json", SQUAD.replace(b"abc", b"\xff"), "not UTF-8"),
        ("xquad", "xquad/xquad.ar.json", SQUAD.replace(b"u001e", b"ud800"), "half of a surrogate pair"),
        ("copa", "copa/test.en.jsonl", b"\n\n", "the split is empty"),
        ("copa", "copa/test.en.jsonl", COPA, "1 examples found, the official split has 500"),
        (
            "copa",
            "copa/test.en.jsonl",
            COPA.replace(b'"label": 0', b'"label": 2'),
            "test.en.jsonl:1: unknown label '2'",
        ),
        ("copa", "copa/test.en.jsonl", COPA.replace(b'"b"', b"3"), "field 'choice1' is no text"),
        ("copa", "copa/test.en.jsonl", COPA + COPA, "two examples are called"),
        ("copa", "copa/test.en.jsonl", b"[1, 2]\n", "not a JSON object"),
        ("udpos", "udpos/test-yo.tsv", b"a\tNOUN\nb NOUN\n", "test-yo.tsv:[12]: "),
        ("udpos", "udpos/test-yo.tsv", b"a\tNOUN\tX\n", "test-yo.tsv:1: 3 columns, expected 2"),
        ("udpos", "udpos/test-yo.tsv", b"a\tnoun\n", "test-yo.tsv:1: unknown tag 'noun'"),
        ("udpos", "udpos/test-yo.tsv", b"\x1f\tNOUN\n", "test-yo.tsv:1: an empty token"),
        ("udpos", "udpos/test-yo.tsv", b"a\x1eb\tNOUN\n", "1 examples found, the official split has 318"),
        ("udpos", "udpos/test-yo.tsv", b"\xff\tNOUN\n", "test-yo.tsv:1: not UTF-8"),
    ],
)
def test_official_files_that_are_damaged_or_of_others_are_refused_with_their_place(
    task: str, path: str, content: bytes, message: str, tmp_path: Path
) -> None:
    file = tmp_path / path
    file.parent.mkdir()
    file.write_bytes(content)
    code = "ar" if task == "xquad" else "en" if task == "copa" else "yo"
    with pytest.raises(UserError, match=message):
        next(suite_hashes(load_suite(TITLE), [task], [code], "test", tmp_path))


def test_odd_texts_of_a_whole_test_set_are_perturbed_and_hashed(
    tmp_path: Path, official_data: Callable[..., Path]
) -> None:
    """Separators, marks without letters, white space of every sort and flags; alone as in the whole set."""
    rows = [json.loads(line) for line in (official_data("copa") / "copa/test.en.jsonl").open(encoding="utf-8")]
    odd = (
        "a\x1eb c",
        "\u0301\u0301 x\u200d",
        "a\r\nb\x0bc\u2028d\x00",
        "a" + "\u0301" * 3000,
        "👩\u200d👩\u200d👧🇩🇪" * 50,
        " ",
    )
    for row, text in zip(rows, odd, strict=False):
        row["premise"] = text
    (tmp_path / "copa").mkdir()
    lines = (json.dumps(row) for row in rows)
    (tmp_path / "copa/test.en.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    suite, task = load_suite(TITLE), TASKS["copa"]
    made = [row for row, _ in suite_hashes(replace(suite, specs=suite.specs[::3]), ["copa"], ["en"], "test", tmp_path)]
    assert len({row[-1] for row in made}) == len(made) == 7
    dataset = load(task, "en", "test", FilesSource(tmp_path))
    for spec in [spec for spec in suite.specs[::3] if str(spec) in {row[3] for row in made}]:
        sets = [dataset, *(replace(dataset, examples=(example,)) for example in dataset.examples[: len(odd)])]
        whole, *alone = (perturb_dataset(some, spec, draw=suite.draw, fields=task.perturbed).dataset for some in sets)
        assert [*whole.examples[: len(odd)]] == [one.examples[0] for one in alone], str(spec)


def test_the_command_says_what_was_not_compared_and_which_files_differ(
    tmp_path: Path, official_data: Callable[..., Path]
) -> None:
    source = official_data("xcopa") / "xcopa" / "data" / "et"
    folder = tmp_path / "xcopa" / "data" / "et"
    folder.mkdir(parents=True)
    for split in ("test", "val"):  # of the development set no hash is published
        text = (source / f"{split}.et.jsonl").read_text(encoding="utf-8")
        edited = text.replace('"premise": "', '"premise": "Nii ')
        assert edited != text
        (folder / f"{split}.et.jsonl").write_text(edited, encoding="utf-8")
    command = ["suite", TITLE, "--task", "xcopa", "--languages", "et", "--data", str(tmp_path)]
    ran = CliRunner().invoke(app, command)
    *differing, last = ran.stderr.splitlines()
    assert ran.exit_code == 1
    assert last == "crosswind: 24 files: 0 are the published ones, 24 differ"
    assert differing[0] == "crosswind: differs from the published one: xcopa et test keyboard:0.02"
    assert len(differing) == len(ran.stdout.splitlines()) == 24
    ran = CliRunner().invoke(app, [*command, "--split", "dev"])
    assert ran.exit_code == 0
    assert ran.stderr.splitlines()[-1] == ("crosswind: 24 files: 24 have no published hash and were not compared")


def test_what_is_published_of_a_test_set_is_all_that_applies_to_it() -> None:
    suite = load_suite(TITLE)
    published: dict[tuple[str, str], set[str]] = {}
    for task, language, _, spec in suite.published:
        published.setdefault((task, language), set()).add(spec)
    for (task, language), specs in published.items():
        scope = TextScope.of(TASKS[task], language)
        assert specs == {str(spec) for spec in suite.specs if spec.applies(scope) is None}, (task, language)


SCORED = ("keyboard:0.1", "keyboard#crosswind-c-1:0.1")  # a spec and what results call its condition


@pytest.fixture
def whole_export(tmp_path: Path, official_data: Callable[..., Path]) -> Path:
    """An export of a whole test set under one condition of the suite, as `crosswind export --suite` writes it."""
    spec, condition = SCORED
    data = load(TASKS["xcopa"], "et", "test", FilesSource(official_data("xcopa")))
    made = perturb_dataset(data, parse_spec(spec), draw=1, fields=TASKS["xcopa"].perturbed)
    folder = tmp_path / "items" / "noisy"
    (folder / "rewrites").mkdir(parents=True)
    made.table().write_parquet(folder / "rewrites" / "xcopa-et.parquet")
    (folder / "labels.jsonl").write_text("{}\n")
    known = {"folder": "noisy", "task": "xcopa", "language": "et", "split": "test", "rows": "all", "draw": 1}
    about = {
        "suites": [TITLE],
        "conditions": [{**known, "condition": condition}],
        "files": {"noisy/labels.jsonl": file_hash(folder / "labels.jsonl")},
    }
    (tmp_path / "items" / "export.json").write_text(json.dumps(about))
    return folder


WHICH = "The items are of the condition keyboard#crosswind-c-1:0.1."
UNREVIEWED = "crosswind-c-1 is unreviewed: no annotators have judged whether labels hold under it."


def edited(export: Path, **changes: object) -> None:
    path = export.parent / "export.json"
    about = json.loads(path.read_text())
    for name, value in changes.items():
        (about if name in about else about["conditions"][0])[name] = value
    path.write_text(json.dumps(about))


def test_whole_test_sets_are_compared_with_the_published_rewrites_before_they_are_scored(whole_export: Path) -> None:
    assert require_suite(whole_export, TITLE) == [UNREVIEWED, WHICH]  # its hash is published, and equal
    path = whole_export / "rewrites" / "xcopa-et.parquet"
    sound = pl.read_parquet(path)
    sound.head(len(sound) - 1).write_parquet(path)
    with pytest.raises(UserError, match=r"keyboard:0.1 makes of xcopa test, et other rewrites than crosswind-c-1"):
        require_suite(whole_export, TITLE)
    path.write_bytes(b"no parquet")
    with pytest.raises(UserError, match="cannot be read"):
        require_suite(whole_export, TITLE)
    path.unlink()
    absent = "crosswind-c-1: the rewrites of xcopa test, et are not beside it, and were not compared."
    assert require_suite(whole_export, TITLE) == [absent, UNREVIEWED, WHICH]


def test_an_edited_label_file_and_another_condition_are_refused(whole_export: Path) -> None:
    edited(whole_export, rows="100 by clusters")
    assert require_suite(whole_export, TITLE)[0].startswith("Of xcopa a part was perturbed")
    edited(whole_export, rows="all", condition="keyboard:0.3")
    with pytest.raises(UserError, match=r"keyboard:0.3, draw 1, is no condition of crosswind-c-1"):
        require_suite(whole_export, TITLE)
    edited(whole_export, condition=SCORED[1], draw=2)
    with pytest.raises(UserError, match="draw 2, is no condition of"):
        require_suite(whole_export.parent, TITLE)
    edited(whole_export, draw=1)
    (whole_export / "labels.jsonl").write_text("{} \n")
    with pytest.raises(UserError, match="is another file than was exported"):
        require_suite(whole_export, TITLE)
    (whole_export / "labels.jsonl").write_text("{}\n")
    added = whole_export.parent / "mine" / "xcopa" / "test-et.tsv"
    added.parent.mkdir(parents=True)
    added.write_text("0\n")
    assert require_suite(whole_export, TITLE)
    for folder in (whole_export.parent, added.parent.parent):  # items that lie beside those of the suite are none of it
        with pytest.raises(UserError, match=r"test-et.tsv: is no file that was exported"):
            require_suite(folder, TITLE)
    edited(whole_export, files=[])
    with pytest.raises(UserError, match="does not say which files were exported"):
        require_suite(whole_export, TITLE)
    edited(whole_export, files={}, conditions=[{"folder": 1}])
    with pytest.raises(UserError, match="does not say which conditions were exported"):
        require_suite(whole_export, TITLE)


def test_a_suite_is_unreviewed_until_a_review_of_a_condition_is_there(tmp_path: Path) -> None:
    def lines(*more: str) -> list[str]:
        ran = CliRunner().invoke(app, ["suite", TITLE, *more], catch_exceptions=False)
        assert ran.exit_code == 0
        return ran.stdout.splitlines()

    head, *conditions = lines()
    assert head == "crosswind-c-1: draw 1, 24 conditions, unreviewed, 3,834 published files"
    assert all(line.endswith("\tunreviewed") for line in conditions)

    texts = [f"The little boy reads a long letter beside the river {i}." for i in range(40)]
    examples = tuple(PairExample(f"x/{i}", f"x/{i}", "en", t, "Somebody reads.", i % 3) for i, t in enumerate(texts))
    data = Dataset("xnli", "en", "test", examples, fingerprint="f")
    folders = []
    for spec in ("swap:0.1", "swap:0.3"):
        folder = tmp_path / spec
        make_review(parse_spec(spec), data, 10, folder)
        items = json.loads((folder / "key.json").read_text())["items"]
        rows = "".join(f"{code},{item['gold']},{item['grade'] or 4}\n" for code, item in items.items())
        for annotator in (1, 2):
            (folder / f"answers-{annotator}.csv").write_text(f"item,label,naturalness\n{rows}")
        folders.append(folder)
    head, *conditions = lines("--review", str(folders[0]))
    assert head == "crosswind-c-1: draw 1, 24 conditions, 1 of them reviewed, 3,834 published files"
    assert "swap:0.1\t100 % valid [72, 100] of 10 items of xnli, en" in conditions
    assert sum(line.endswith("\tunreviewed") for line in conditions) == 23
    key = json.loads((folders[0] / "key.json").read_text())["items"]
    catch = next(code for code, item in key.items() if item["kind"] == "catch")
    answers = folders[0] / "answers-1.csv"
    careful = answers.read_text()
    other = next(item["gold"] for item in key.values() if item["gold"] != key[catch]["gold"])
    grade = key[catch]["grade"]
    answers.write_text(careful.replace(f"{catch},{key[catch]['gold']},{grade}", f"{catch},{other},{grade}"))
    missed = "(catch items were missed: answers-1.csv 1 of 1; such verdicts say little)"
    assert sum(line.endswith(missed) for line in lines("--review", str(folders[0]))) == 1
    answers.write_text(careful)
    with pytest.raises(UserError, match=r"is a review of swap:0.3, draw 1, which is no condition of crosswind-c-1"):
        suite_reviews(load_suite(TITLE), [folders[1]])
    with pytest.raises(UserError, match="no answers of annotators are there"):
        suite_reviews(load_suite(TITLE), [tmp_path])
