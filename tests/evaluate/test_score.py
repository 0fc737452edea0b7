"""The official mock submission, and what is wrong with broken ones."""

import json
import shutil

import pytest

from crosswind.errors import UserError
from crosswind.evaluate.benchmark import BENCHMARKS
from crosswind.evaluate.score import score_folder

# Protocol, "Aggregation": averages of the official mock predictions, in points.
XTREME = {
    "pawsx": {"accuracy": 51.42857142857143},
    "xnli": {"accuracy": 30.666666666666668},
    "panx": {"f1": 57.50793650793652},
    "udpos": {"f1": 70.21746048354693},
    "bucc2018": {"f1": 55.0},
    "tatoeba": {"accuracy": 53.611111111111114},
    "xquad": {"exact_match": 77.27272727272727, "f1": 79.9586776859504},
    "mlqa": {"exact_match": 57.142857142857146, "f1": 81.76870748299321},
    "tydiqa": {"exact_match": 88.88888888888889, "f1": 97.22222222222223},
}


@pytest.fixture
def mock(official_data):
    return official_data("xtreme-mock") / "xtreme-mock"


def test_the_official_mock_submission_has_its_published_averages(mock):
    scores = score_folder(mock / "predictions", mock / "labels", "xtreme")
    assert set(scores.averaged) == set(XTREME)
    assert scores.missing == ()
    for task, averages in XTREME.items():
        for key, value in averages.items():
            assert scores.tasks[task].average[key] == pytest.approx(value, abs=1e-9, rel=0), (task, key)
    qa = [(a["exact_match"] + a["f1"]) / 2 for t, a in XTREME.items() if t in ("xquad", "mlqa", "tydiqa")]
    assert set(scores.groups) == {"classification", "tagging", "qa", "retrieval"}
    assert scores.groups["qa"] == pytest.approx(sum(qa) / 3)
    assert scores.grouped["qa"] == ("xquad", "mlqa", "tydiqa")
    rest = [a[k] for a in XTREME.values() for k in a if len(a) == 1]
    assert scores.score == pytest.approx((sum(qa) + sum(rest)) / 9)
    assert scores.tasks["udpos"].signature == "metric=seqeval-f1|version=1|seqeval=0.0.12"
    json.dumps(scores.to_json())


def test_xtreme_r_says_which_tasks_it_averaged(mock):
    with pytest.raises(UserError, match="xcopa is missing"):
        score_folder(mock / "predictions", mock / "labels", "xtreme-r")
    scores = score_folder(mock / "predictions", mock / "labels", "xtreme-r", allow_missing=True)
    assert scores.tasks["mewslix"].average == {"map@20": pytest.approx(14.39025156130419, abs=1e-9, rel=0)}
    # The mock data have XTREME's languages and not those that XTREME-R adds.
    added = {"udpos": "lt pl ro uk wo", "panx": "az gu lt pa pl qu ro uk", "xquad": "ro", "tatoeba": "az lt pl ro uk"}
    lacking = [f"{task}/test-{x}" for task, codes in added.items() for x in codes.split()]
    assert sorted(scores.missing) == sorted(["xcopa", "lareqa", *lacking])
    assert scores.ignored == ()
    assert len(scores.averaged) == 8
    assert "pawsx" not in scores.averaged
    # XNLI is there without XCOPA, XQuAD without Romanian: no group but those in which nothing is missing.
    assert scores.groups == {}


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def score(tmp_path, predictions, labels, **options):
    given, gold = write(tmp_path / "predictions", predictions), write(tmp_path / "labels", labels)
    return score_folder(given, gold, "xtreme-r", allow_missing=True, **options)


NLI = {"xnli/test-de.tsv": "neutral\nentailment\ncontradiction\n"}


def test_xcopa_and_lareqa_are_read_as_json(tmp_path):
    gold = {
        "xcopa/test-et.jsonl": '{"label": 1, "idx": 0}\n{"label": 0, "idx": 1}\n',
        "lareqa/test-de.json": '{"q1": ["a", "b"], "q2": ["c"]}',
    }
    given = {
        "xcopa/test-et.jsonl": '{"label": 1}\n{"label": 1}\n',
        "lareqa/test-de.json": '{"q1": ["a", "x", "a", "b"]}',
    }
    scores = score(tmp_path, given, gold)
    assert scores.tasks["xcopa"].average == {"accuracy": 50.0}
    # q1: a on rank 1, b on rank 4 (the second a is none): (1/1 + 2/4) / 2; q2 has no prediction.
    assert scores.tasks["lareqa"].score == pytest.approx(100 * 0.75 / 2)
    assert scores.tasks["lareqa"].unanswered == 1
    assert scores.averaged == ("xcopa", "lareqa")


def test_a_file_of_another_length_is_named_with_both_counts(tmp_path):
    with pytest.raises(UserError, match=r"xnli/test-de\.tsv: 3 lines expected, 2 found"):
        score(tmp_path, {"xnli/test-de.tsv": "neutral\nneutral\n"}, NLI)


def test_empty_labels_are_refused(tmp_path):
    with pytest.raises(UserError, match="nothing to score"):
        score(tmp_path, {"xnli/test-de.tsv": ""}, {"xnli/test-de.tsv": "\n"})


def test_an_unknown_label_is_named_with_its_line(tmp_path):
    with pytest.raises(UserError, match=r"test-de\.tsv:2: unknown label 'entailmnet'\n.*did you mean 'entailment'"):
        score(tmp_path, {"xnli/test-de.tsv": "neutral\nentailmnet\nneutral\n"}, NLI)


def test_a_sentence_of_another_length_is_named_with_its_line(tmp_path):
    gold = {"udpos/test-de.tsv": "NOUN\nVERB\n\nNOUN\nPUNCT\n"}
    with pytest.raises(UserError, match=r"test-de\.tsv:4: 2 tags in this sentence expected, 1 found"):
        score(tmp_path, {"udpos/test-de.tsv": "NOUN\nVERB\n\nNOUN\n"}, gold)
    with pytest.raises(UserError, match="2 sentences expected, 1 found"):
        score(tmp_path, {"udpos/test-de.tsv": "NOUN\nVERB\n"}, gold)
    with pytest.raises(UserError, match=r"test-de\.tsv:5: unknown label 'NOUM'"):
        score(tmp_path, {"udpos/test-de.tsv": "NOUN\nVERB\n\nNOUN\nNOUM\n"}, gold)


def test_windows_line_ends_and_blank_last_lines_are_no_difference(tmp_path):
    given = {"xnli/test-de.tsv": "neutral\r\nentailment\r\nneutral\r\n\r\n"}
    assert score(tmp_path, given, NLI).score == pytest.approx(200 / 3)


def test_a_missing_language_is_an_error_unless_it_is_allowed(mock, tmp_path):
    shutil.copytree(mock / "predictions", tmp_path / "p")
    (tmp_path / "p/xquad/test-de.json").unlink()
    with pytest.raises(UserError, match="xquad/test-de is missing"):
        score_folder(tmp_path / "p", mock / "labels", "xtreme")
    scores = score_folder(tmp_path / "p", mock / "labels", "xtreme", allow_missing=True)
    assert scores.missing == ("xquad/test-de",)
    assert len(scores.tasks["xquad"].languages) == 10
    assert set(scores.groups) == {"classification", "tagging", "retrieval"}


def test_the_official_list_decides_which_languages_count_and_not_the_folder(mock, tmp_path):
    """Romanian is no language of XTREME's XQuAD, and a label file that is removed is missed."""
    whole = score_folder(mock / "predictions", mock / "labels", "xtreme")
    for part in ("predictions", "labels"):
        shutil.copytree(mock / part, tmp_path / part)
        shutil.copy(tmp_path / part / "xquad/test-de.json", tmp_path / part / "xquad/test-ro.json")
    more = score_folder(tmp_path / "predictions", tmp_path / "labels", "xtreme")
    assert more.ignored == ("xquad/test-ro",)
    assert (more.tasks, more.score, more.missing) == (whole.tasks, whole.score, ())
    (tmp_path / "labels/xnli/test-sw.tsv").unlink()
    with pytest.raises(UserError, match=r"labels/xnli: xnli/test-sw is missing"):
        score_folder(tmp_path / "predictions", tmp_path / "labels", "xtreme")
    less = score_folder(tmp_path / "predictions", tmp_path / "labels", "xtreme", allow_missing=True)
    assert less.missing == ("xnli/test-sw",)
    assert len(less.tasks["xnli"].languages) == 14


def test_one_language_is_not_taken_for_a_whole_task(tmp_path):
    files = {"xcopa/test-et.jsonl": '{"label": 1}\n'}
    given, gold = write(tmp_path / "p", files), write(tmp_path / "l", files)
    scores = score_folder(given, gold, "xtreme-r", allow_missing=True)
    assert scores.tasks["xcopa"].average == {"accuracy": 100.0}
    missed = [x for x in scores.missing if x.startswith("xcopa/")]
    assert missed == [f"xcopa/test-{x}" for x in ("ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh")]


def test_two_files_of_one_language_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"two files for one language: test-de\.jsonl and test-de\.tsv"):
        score(tmp_path, NLI | {"xnli/test-de.jsonl": '{"label": "neutral"}\n'}, NLI)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"other": "x"}', "no id of the labels is predicted here"),
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"1": 3}', "not a JSON object"),
    ],
)
def test_a_file_of_answers_that_is_none_is_refused(tmp_path, text, message):
    qas = [{"id": "1", "question": "?", "answers": [{"text": "x", "answer_start": 0}]}]
    gold = {"xquad/test-de.json": json.dumps({"data": [{"paragraphs": [{"context": "x", "qas": qas}]}]})}
    with pytest.raises(UserError, match=message):
        score(tmp_path, {"xquad/test-de.json": text}, gold)


def test_labels_that_are_no_squad_file_are_refused(tmp_path):
    with pytest.raises(UserError, match="not a SQuAD file"):
        score(tmp_path, {"xquad/test-de.json": '{"1": "x"}'}, {"xquad/test-de.json": '{"1": "x"}'})


def test_folders_and_benchmarks_that_do_not_exist_are_named(tmp_path):
    with pytest.raises(UserError, match="unknown benchmark 'xtrem'"):
        score_folder(tmp_path, tmp_path, "xtrem")
    with pytest.raises(UserError, match="no such folder"):
        score_folder(tmp_path / "nowhere", tmp_path, "xtreme")
    with pytest.raises(UserError, match="no predictions for a task of xtreme"):
        score_folder(tmp_path, tmp_path, "xtreme", allow_missing=True)


def test_labels_are_read_with_the_spellings_of_the_tasks_reader(tmp_path):
    """XNLI-MT writes "contradictory", and the hub numbers the labels in the task's order."""
    gold = {"xnli/test-de.tsv": "neutral\nentailment\ncontradictory\n", "xnli/test-fr.tsv": "1\n0\n2\n"}
    given = dict.fromkeys(gold, "neutral\nentailment\ncontradiction\n")
    scores = score(tmp_path, given, gold)
    assert scores.tasks["xnli"].languages == {"de": {"accuracy": 100.0}, "fr": {"accuracy": 100.0}}
    assert len(scores.notes) == 1
    assert scores.notes[0].endswith(
        "labels/xnli/test-fr.tsv: the labels are numbers, read in the task's order: "
        "0 entailment, 1 neutral, 2 contradiction"
    )


def test_predictions_in_numbers_are_refused_where_the_labels_have_names(tmp_path):
    with pytest.raises(UserError, match=r"predictions/xnli/test-de\.tsv:1: unknown label '1'"):
        score(tmp_path, {"xnli/test-de.tsv": "1\n0\n2\n"}, NLI)


LEFT_OUT = r"left out; a test set distributed without labels cannot be scored"


@pytest.mark.parametrize(
    ("file", "gold", "given", "message"),
    [
        ("xnli/test-de.tsv", "neutral\nentailmnet\n", "neutral\nneutral\n", r"labels/.*tsv:2: unknown label"),
        ("xnli/test-de.tsv", "neutral\n\nneutral\n", "neutral\n" * 3, rf"tsv:2: no label(.|\n)*{LEFT_OUT}"),
        ("xnli/test-de.tsv", "Ja.\tNein.\n", "neutral\n", r"tsv:1: no line of this file is a label; this one has 'Ja"),
        ("xcopa/test-et.jsonl", '{"label": -1}\n', '{"label": 1}\n', rf"jsonl:1: no label(.|\n)*{LEFT_OUT}"),
        ("xcopa/test-et.jsonl", '{"label": null}\n', '{"label": 1}\n', rf"jsonl:1: no label(.|\n)*{LEFT_OUT}"),
        ("udpos/test-de.tsv", "Ann\tPROPN\nkam\tVERB\n", "PROPN\nVERB\n", r"labels/.*tsv:1: more than a tag in"),
        ("udpos/test-de.tsv", "Ann\nkam\n", "PROPN\nVERB\n", r"labels/.*tsv:1: no line of this file is a label"),
        ("udpos/test-de.tsv", "PROPN\nVERBE\n", "PROPN\nVERB\n", r"labels/.*tsv:2: unknown label 'VERBE'"),
        ("tatoeba/test-de.tsv", "Hallo\nJa\n", "1\n0\n", r"labels/.*tsv:1: 'Hallo' is no number"),
        ("tatoeba/test-de.tsv", "1\n0\n", "1\n\n0\n", r"2 lines expected, 3 found"),
        ("lareqa/test-de.json", '{"q": []}', '{"q": ["a"]}', rf"the query q has no right candidate(.|\n)*{LEFT_OUT}"),
        ("lareqa/test-de.json", '{"q": ["a"], "q": ["b"]}', '{"q": ["a"]}', "the key 'q' is given twice"),
        ("lareqa/test-de.json", '{"q": ["a"]}', '{"q": [1]}', "a candidate of q is no text"),
    ],
)  # fmt: skip
def test_labels_are_checked_like_predictions(tmp_path, file, gold, given, message):
    with pytest.raises(UserError, match=message):
        score(tmp_path, {file: given}, {file: gold})


@pytest.mark.parametrize(
    ("gold", "given", "message"),
    [
        ('{"label": 1, "idx": 7}\n{"label": 0, "idx": 9}\n', '{"label": 0, "idx": 9}\n{"label": 1, "idx": 7}\n',
         r"predictions/.*jsonl:1: is idx '9' where .*labels/.*jsonl:1 has '7', and labels are read line by line"),
        # The file of labels names no items: those of the predictions have to count up.
        ('{"label": 1}\n{"label": 0}\n', '{"label": 0, "idx": 1}\n{"label": 1, "idx": 0}\n', r":2: is idx .0., and"),
        ('{"label": 1}\n{"label": 0}\n', '{"label": 0, "id": "t/10"}\n{"label": 1, "id": "t/9"}\n', r":2: is id 't/9'"),
    ],
)  # fmt: skip
def test_lines_that_name_their_items_in_another_order_are_refused(tmp_path, gold, given, message):
    with pytest.raises(UserError, match=message):
        score(tmp_path, {"xcopa/test-et.jsonl": given}, {"xcopa/test-et.jsonl": gold})


@pytest.mark.parametrize("gold", ['{"label": 1}\n{"label": 0}\n', '{"label": 1, "id": "a"}\n{"label": 0, "id": "b"}\n'])
def test_lines_that_name_their_items_in_order_are_scored(tmp_path, gold):
    given = '{"label": 1, "id": "a", "idx": 3}\n{"label": 0, "id": "b", "idx": 12}\n'
    scores = score(tmp_path, {"xcopa/test-et.jsonl": given}, {"xcopa/test-et.jsonl": gold})
    assert scores.tasks["xcopa"].languages["et"]["accuracy"] == 100.0


def squad(*questions):
    qas = [
        {"id": n, "question": "?", "answers": [{"text": t, "answer_start": 0} for t in texts]} for n, texts in questions
    ]
    return json.dumps({"data": [{"paragraphs": [{"context": "", "qas": qas}]}]})  # fmt: skip


@pytest.mark.parametrize("task", ["xquad", "mlqa", "tydiqa"])
def test_questions_whose_answers_were_left_out_are_refused(tmp_path, task):
    """An empty prediction would be right for each of them."""
    file = f"{task}/test-en.json"
    with pytest.raises(UserError, match=rf"the question 2 has no answer\n.*{LEFT_OUT}"):
        score(tmp_path, {file: '{"1": "", "2": ""}'}, {file: squad(("1", ["x"]), ("2", []))})


def test_two_questions_of_one_id_are_refused(tmp_path):
    file = "xquad/test-en.json"
    with pytest.raises(UserError, match=r"labels/xquad/test-en\.json: two questions are called '1'"):
        score(tmp_path, {file: '{"1": "x"}'}, {file: squad(("1", ["x"]), ("1", ["y"]))})
    with pytest.raises(UserError, match=r"predictions/xquad/test-en\.json:1: the key '1' is given twice"):
        score(tmp_path, {file: '{"1": "x", "1": "y"}'}, {file: squad(("1", ["x"]))})


def test_the_right_entity_is_the_first_of_the_labels_without_blanks(tmp_path):
    """As the official script of Mewsli-X; a right second id is none."""
    file = "mewslix/test-de.json"
    gold = {file: '{"m1": [" Q1 "], "m2": ["Q2\\n", "Q9"], "m3": ["Q3", "Q4"]}'}
    scores = score(tmp_path, {file: '{"m1": ["Q1"], "m2": ["Q5", "Q2"], "m3": ["Q4"], "m9": []}'}, gold)
    assert scores.tasks["mewslix"].average == {"map@20": pytest.approx(50.0)}
    assert scores.notes[0].endswith("1 predictions are of ids that the labels do not have: m9")


def test_another_suffix_is_read_and_said_where_it_is_the_only_one(tmp_path):
    scores = score(tmp_path, {"xcopa/test-et.tsv": '{"label": 1}\n'}, {"xcopa/test-et.jsonl": '{"label": 1}\n'})
    assert scores.tasks["xcopa"].score == 100.0
    assert scores.notes == ("xcopa: predictions of et are read from .tsv files, officially .jsonl",)
    plain = score(tmp_path / "2", {"xcopa/test-et.jsonl": '{"label": 1}\n'}, {"xcopa/test-et.jsonl": '{"label": 1}\n'})
    assert plain.notes == ()


def test_the_signature_says_that_blank_last_lines_are_left_out(tmp_path):
    given = {"xnli/test-de.tsv": "neutral\nentailment\nneutral\n\n"}
    scores = score(tmp_path, given, {"xnli/test-de.tsv": "neutral\nentailment\ncontradiction\n\n"})
    assert scores.tasks["xnli"].score == pytest.approx(200 / 3)  # the official script: 75, three of four lines
    assert scores.tasks["xnli"].signature == "metric=accuracy|version=1|blank_last_lines=left_out"


def test_retrieval_is_the_official_scripts_group_without_lareqa():
    groups = BENCHMARKS["xtreme-r"].groups
    assert groups["retrieval"] == ("tatoeba", "mewslix")
    assert groups["retrieval_with_lareqa"] == ("tatoeba", "mewslix", "lareqa")


@pytest.mark.parametrize("make", ["folder", "link"])
def test_a_folder_or_a_broken_link_in_place_of_a_file_is_a_sentence(tmp_path, make):
    write(tmp_path / "labels", NLI)
    path = tmp_path / "predictions/xnli/test-de.tsv"
    path.parent.mkdir(parents=True)
    if make == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"test-de\.tsv: can't be read: "):
        score(tmp_path, {}, NLI)
