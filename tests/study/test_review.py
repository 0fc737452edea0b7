"""Reviews: what annotators see and do not see, what comes back, and agreement against a published example."""

from __future__ import annotations

import csv
import itertools
import json
import math
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from crosswind.analysis.agreement import bootstrap_interval, krippendorff_alpha
from crosswind.cli import app
from crosswind.data.examples import ChoiceExample, Dataset, Example, PairExample, Span, SpanExample, TaggingExample
from crosswind.errors import UserError
from crosswind.perturb.spec import parse_spec
from crosswind.study.review import make_review, read_review

LABELS = ("entailment", "neutral", "contradiction")
TEXT = "The <b>little</b> boy is reading a great book in the garden, number"


def data(examples: list[Example], task: str = "xnli") -> Dataset:
    return Dataset(task, "en", "test", tuple(examples), fingerprint="f")


def pairs(n: int = 40) -> list[Example]:
    return [PairExample(f"x/{i}", f"x/{i}", "en", f"{TEXT} {i}.", "Somebody reads & rests.", i % 3) for i in range(n)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert make_review(parse_spec("swap:0.3"), data(pairs()), 10, tmp_path / "review") == (10, 10, 1)
    return tmp_path / "review"


def test_the_fields_that_may_change_stand_in_the_name_of_what_was_reviewed(tmp_path: Path) -> None:
    make_review(parse_spec("swap:0.3"), data(pairs()), 10, tmp_path / "review", fields=["hypothesis"])
    about = json.loads((tmp_path / "review" / "key.json").read_text())
    assert about["spec"] == "swap:0.3@hypothesis"
    changes = [change for item in about["items"].values() for change in item.get("changed", [])]
    assert len(changes) == 10
    assert {before for before, _, _ in changes} == {"Somebody reads & rests."}


def answered(folder: Path, number: int, wrong: tuple[str, ...] = (), grade: int = 4) -> Path:
    """A sheet of an annotator who knows the key and errs on some items."""
    about = json.loads((folder / "key.json").read_text())
    path = folder.parent / f"answers-{number}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("item", "label", "naturalness"))
        for code, item in about["items"].items():
            label = LABELS[(LABELS.index(item["gold"]) + 1) % 3] if code in wrong else item["gold"]
            writer.writerow((code, label, item["grade"] or grade))
    return path


def codes(folder: Path, kind: str) -> list[str]:
    items = json.loads((folder / "key.json").read_text())["items"]
    return [code for code, item in items.items() if item["kind"] == kind]


class Tags(HTMLParser):
    """Counts tags and gathers what lies outside the script."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_needs_no_network_escapes_texts_and_tells_nothing(folder: Path) -> None:
    page = (folder / "review-1.html").read_text()
    tags = Tags()
    tags.feed(page)
    (policy,) = (a["content"] for t, a in tags.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert not any("src" in a or "href" in a for _, a in tags.tags)
    assert not any(t == "b" for t, _ in tags.tags)
    assert "Somebody reads & rests." in tags.text
    assert len([t for t, _ in tags.tags if t == "fieldset"]) == 21
    assert not any(word in page for word in ("perturbed", "swap", "catch", "gold"))
    assert '"x/' not in page
    # Each annotator has the same items in another order, and neither learns from it which are perturbed.
    orders = [[a["data-item"] for t, a in _tags(folder, n) if t == "fieldset"] for n in (1, 2)]
    assert orders[0] != orders[1]
    assert sorted(map(str, orders[0])) == sorted(map(str, orders[1]))
    assert len({i["id"] for i in json.loads((folder / "key.json").read_text())["items"].values()}) == 21


def _tags(folder: Path, number: int) -> list[tuple[str, dict[str, str | None]]]:
    tags = Tags()
    tags.feed((folder / f"review-{number}.html").read_text())
    return tags.tags


def test_answers_are_read_back_as_validity_accuracy_and_agreement(folder: Path) -> None:
    noisy, clean = codes(folder, "perturbed"), codes(folder, "clean")
    answers = [answered(folder, 1, tuple(noisy[:2]), 3), answered(folder, 2, (noisy[0], clean[0]), 4)]
    reviewed = read_review(folder, answers)
    assert reviewed.validity.value == pytest.approx(0.8)  # of ten perturbed items two were misjudged by somebody
    assert reviewed.accuracy.value == pytest.approx(17 / 20)
    assert reviewed.clean_accuracy.value == pytest.approx(19 / 20)
    assert reviewed.naturalness.value == pytest.approx(3.5)
    assert reviewed.validity.low < 0.8 < reviewed.validity.high
    assert reviewed.agreement.n == 20
    assert 0.7 < reviewed.agreement.value < 1
    assert [c[1:] for c in reviewed.caught] == [(1, 1), (1, 1)]
    ran = CliRunner().invoke(app, ["review", str(folder), *map(str, answers)])
    assert ran.exit_code == 0, ran.output
    assert "80.0 %" in ran.output


def test_where_all_items_are_alike_a_share_has_an_interval_all_the_same(folder: Path) -> None:
    answers = [answered(folder, 1, (), 3), answered(folder, 2, (), 3)]
    reviewed = read_review(folder, answers)
    low = 10 / (10 + 1.959964**2)  # Wilson's lower limit of 10 right ones of 10
    for share in (reviewed.validity, reviewed.accuracy, reviewed.clean_accuracy):
        assert (share.value, share.low, share.high) == (1.0, pytest.approx(low, abs=1e-6), pytest.approx(1.0))
    assert math.isnan(reviewed.naturalness.low)
    assert reviewed.naturalness.value == 3
    assert reviewed.to_json()["naturalness"] == {"value": 3.0, "low": None, "high": None, "n": 10}
    ran = CliRunner().invoke(app, ["review", str(folder), *map(str, answers)])
    assert "72.2 to 100.0" in ran.output
    assert "nan" not in ran.output


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("zzzzzzzz,neutral,3", "'zzzzzzzz' is no item of this review"),
        ("{code},maybe,3", "'maybe' is no answer"),
        ("{code},neutral,9", "'9' is no grade"),
        ("{code},neutral,3\n{code},neutral,3", "is answered twice"),
        ("{code},neutral,3", "20 items are not answered|19 items are not answered"),
    ],
)
def test_a_sheet_that_is_wrong_is_named_with_its_line(folder: Path, row: str, message: str) -> None:
    path = folder.parent / "wrong.csv"
    path.write_text("item,label,naturalness\n" + row.format(code=codes(folder, "clean")[0]) + "\n")
    with pytest.raises(UserError, match=message) as caught:
        read_review(folder, [path, answered(folder, 2)])
    assert str(path) in str(caught.value.where)


def test_one_annotator_is_too_few_and_kinds_without_labels_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="two annotators"):
        read_review(folder, [answered(folder, 1)])
    tagged: list[Example] = [TaggingExample("t", "t", "en", ("dog", "cat"), ("NOUN", "NOUN"))]
    with pytest.raises(UserError, match="is of kind tagging"):
        make_review(parse_spec("swap:1"), data(tagged, "udpos"), 2, tmp_path / "tagged")
    what = "(?s)10 perturbed items are asked .* other examples .* takes 20 items, and there are 12.*ask for 6 at most"
    with pytest.raises(UserError, match=what):
        make_review(parse_spec("swap:1"), data(pairs(12)), 10, tmp_path / "few")
    unchanged = [PairExample(f"n{i}", f"n{i}", "en", "1", "2", 0) for i in range(11)]
    what = "(?s)swap:1 changes 1 of all 12 items, and 2 perturbed ones are asked for.*ask for 1 at most"
    with pytest.raises(UserError, match=what):
        make_review(parse_spec("swap:1"), data([*pairs(1), *unchanged]), 2, tmp_path / "few")
    assert not (tmp_path / "few").exists()


def test_a_review_of_nearly_all_items_has_the_catch_items_that_it_counts(tmp_path: Path) -> None:
    counts = make_review(parse_spec("swap:1"), data(pairs(41)), 20, tmp_path / "review")  # one item is left for them
    kinds = [len(codes(tmp_path / "review", kind)) for kind in ("perturbed", "clean", "catch")]
    assert kinds == list(counts) == [20, 20, 2]


def test_options_and_written_answers(tmp_path: Path) -> None:
    choice: list[Example] = [
        ChoiceExample(f"c/{i}", f"c/{i}", "en", f"The man fell {i}.", "Why?", ("He was pushed.", "He sang."), i % 2)
        for i in range(12)
    ]
    make_review(parse_spec("swap:1"), data(choice, "xcopa"), 4, tmp_path / "choice")
    assert set(json.loads((tmp_path / "choice" / "key.json").read_text())["choices"]) == {"1", "2"}
    context = "The tower was built by Anna Schmidt."
    answers = (Span(23, 35), Span(28, 35), Span(23, 36))  # the last one reads as the first without its full stop
    span: list[Example] = [
        SpanExample(f"s/{i}", f"s/{i}", "en", f"Who built tower {i}?", context, answers) for i in range(12)
    ]
    folder = tmp_path / "span"
    make_review(parse_spec("punctuation:1"), data(span, "xquad"), 4, folder)
    items = json.loads((folder / "key.json").read_text())["items"].values()
    assert {(i["gold"], *i["also"]) for i in items if i["kind"] == "clean"} == {("anna schmidt", "schmidt")}
    # Every gold answer is right, and nothing else is.
    clean = codes(folder, "clean")
    sheets = [answered(folder, 1), answered(folder, 2)]
    lines = sheets[1].read_text().splitlines()
    for code, answer in zip(clean[:2], ("Schmidt.", "Anna"), strict=True):
        lines = [f"{code},{answer},4" if line.startswith(code) else line for line in lines]
    sheets[1].write_text("\n".join(lines) + "\n")
    assert read_review(folder, sheets).clean_accuracy.value == pytest.approx(7 / 8)


TASK_FILE = """
reviews: {like: xnli, files: "{language}.tsv", languages: [en], columns: {first: a, second: b, label: gold}}
"""


def test_own_data_are_reviewed_as_their_file_declares_them(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = [f"{TEXT} {i}.\tSomebody reads {i}.\t{LABELS[i % 3]}" for i in range(30)]
    (tmp_path / "en.tsv").write_text("\n".join(("a\tb\tgold", *rows)) + "\n", encoding="utf-8")
    path = tmp_path / "own.yaml"
    path.write_text(TASK_FILE, encoding="utf-8")
    call = ["perturb", "swap:0.3", "--review", "6", "--task-file", str(path)]
    with pytest.raises(SystemExit) as ended:
        app([*call, "--fields", "hypothesis", "-o", str(tmp_path / "pages")])
    assert ended.value.code == 0
    assert "6 perturbed, 6 clean and 1 catch items" in capfd.readouterr().err
    about = json.loads((tmp_path / "pages" / "key.json").read_text())
    assert (about["task"], about["choices"]) == ("reviews", list(LABELS))
    texts = [text for item in about["items"].values() for text in item.get("changed", ())]
    assert len(texts) == 6
    assert all(before.startswith("Somebody") for before, _, _ in texts)
    sheets = [answered(tmp_path / "pages", n) for n in (1, 2)]
    assert read_review(tmp_path / "pages", sheets).validity.value == 1
    with pytest.raises(UserError, match="-o: no folder is named"):
        app(call)
    with pytest.raises(UserError, match="IN: lines have no labels to review"):
        app(["perturb", "swap:0.3", "lines.txt", "--review", "6", "--task-file", str(path)])
    with pytest.raises(UserError, match="--review: a review is of a task's items"):
        app(["perturb", "swap:0.3", "--review", "6"])


def test_what_was_mended_in_an_official_file_is_said_of_its_review(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    names = ("Ann", "Ben", "Cem", "Dan", "Eve", "Fay")
    context = " ".join(f"{name} lives in house {i}." for i, name in enumerate(names))
    qas = [
        {"id": str(i), "question": f"Who, {i}?", "answers": [{"text": n, "answer_start": context.index(n)}]}
        for i, n in zip(range(1190), itertools.cycle(names), strict=False)  # as many as the official file has
    ]
    qas[3]["answers"][0]["answer_start"] += 1  # type: ignore[index,operator]
    (tmp_path / "xquad").mkdir()
    data = {"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": context, "qas": qas}]}]}
    (tmp_path / "xquad" / "xquad.en.json").write_text(json.dumps(data), encoding="utf-8")
    call = ["perturb", "swap:0.9", "--review", "2", "--task", "xquad", "--language", "en", "--data", str(tmp_path)]
    with pytest.raises(SystemExit) as ended:
        app([*call, "-o", str(tmp_path / "pages")])
    assert ended.value.code == 0
    said = capfd.readouterr().err
    assert "note: xquad" in said
    assert "2 perturbed, 2 clean and" in said


# Krippendorff 2011, section C: four observers, twelve units, values 1 to 5; missing ones are left out.
PUBLISHED = [
    [1, 1, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [5, 5, 5], [1, 1], [3],
]  # fmt: skip


def test_alpha_is_that_of_the_published_example() -> None:
    assert krippendorff_alpha(PUBLISHED, "nominal") == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(PUBLISHED, "ordinal") == pytest.approx(0.815, abs=5e-4)
    assert krippendorff_alpha([["a", "a"], ["b", "b"]]) == 1
    assert math.isnan(krippendorff_alpha([["a", "a"], ["a", "a"]]))


def test_an_interval_covers_its_value_and_is_the_same_every_time() -> None:
    values = np.array([0.0] * 30 + [1.0] * 70)
    low, high = bootstrap_interval(100, lambda index: float(values[index].mean()))
    assert low < 0.7 < high
    # The normal approximation: 0.7 ± 1.96 · sqrt(0.7 · 0.3 / 100)
    assert (low, high) == pytest.approx((0.61, 0.79), abs=0.02)
    assert (low, high) == bootstrap_interval(100, lambda index: float(values[index].mean()))
