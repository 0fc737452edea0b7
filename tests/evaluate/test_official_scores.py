"""Every figure of `score` beside the formulas of the official scripts, on random submissions."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from crosswind.evaluate.benchmark import BENCHMARKS
from crosswind.evaluate.score import Scores, score_folder
from official_formulas import accuracy, mining, reading, reciprocal, tagging

QA = ("xquad", "mlqa", "tydiqa")
GROUPS = {
    "xtreme": {
        "classification": ("pawsx", "xnli"),
        "tagging": ("udpos", "panx"),
        "qa": QA,
        "retrieval": ("bucc2018", "tatoeba"),
    },
    "xtreme-r": {
        "classification": ("xnli", "xcopa"),
        "tagging": ("udpos", "panx"),
        "qa": QA,
        "retrieval": ("tatoeba", "mewslix"),
        "multi_choice": ("xcopa",),
    },
}
LABELS = {
    "xnli": ["entailment", "neutral", "contradiction"],
    "pawsx": ["0", "1"],
    "xcopa": ["0", "1"],
    "panx": ["O", "O", "O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"],
    "udpos": ["NOUN", "NOUN", "VERB", "SCONJ", "SYM", "CCONJ", "INTJ", "X", "ADP", "ADJ", "DET", "PUNCT"],
}
# Tatoeba's languages with fewer than 1,000 sentences, as the task declares them.
ROWS = {"jv": 205, "ka": 746, "kk": 575, "ml": 687, "sw": 390, "ta": 307, "te": 234, "th": 548}
WORDS = {
    "en": ["the", "a", "cat,", "Dog's", "house", "an", "12", "river-bank"],
    "de": ["der", "ein", "Hund,", "die", "Katze", "des", "Übung"],
    "es": ["el", "una", "casa,", "¿qué?", "los", "río"],
    "ar": ["ال", "البيت", "كتاب،", "في", "القطة"],
    "hi": ["घर", "में", "एक", "है।", "नदी"],
    "vi": ["của", "cái", "nhà,", "là", "sông", "những"],
    "zh": ["北京", "在1998年", "“猫”", "和狗，", "a河"],
    "else": ["koira,", "ไทย", "дом", "the", "ევრ", "a"],
}


def suffix(task: str) -> str:
    return "json" if task in (*QA, "mewslix") else "jsonl" if task == "xcopa" else "tsv"


def submission(root: Path, benchmark: str, seed: int) -> Path:
    """Random labels and predictions of all tasks but LAReQA, for which the official script lists no language."""
    rng = random.Random(seed)
    for task, entry in BENCHMARKS[benchmark].tasks.items():
        for language in entry.languages if task != "lareqa" else ():
            gold, given = MAKE[task](rng, task, language)
            for part, text in (("l", gold), ("p", given)):
                path = root / part / task / f"test-{language}.{suffix(task)}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    return root


def lines(rng: random.Random, task: str, language: str) -> tuple[str, str]:
    n = rng.randint(3, 12)
    return tuple("".join(f"{rng.choice(LABELS[task])}\n" for _ in range(n)) for _ in range(2))  # type: ignore[return-value]


def choices(rng: random.Random, task: str, language: str) -> tuple[str, str]:
    n = rng.randint(3, 12)
    return tuple("".join(json.dumps({"label": rng.randint(0, 1)}) + "\n" for _ in range(n)) for _ in range(2))  # type: ignore[return-value]


def rows(rng: random.Random, task: str, language: str) -> tuple[str, str]:
    right = [rng.randrange(ROWS.get(language, 1000)) for _ in range(9)]
    return ("".join(f"{x}\n" for x in right), "".join(f"{x if rng.random() < 0.6 else 7}\n" for x in right))


def tags(rng: random.Random, task: str, language: str) -> tuple[str, str]:
    gold, given = [], []
    for _ in range(rng.randint(2, 6)):
        right = [rng.choice(LABELS[task]) for _ in range(rng.randint(1, 9))]
        gold.append("\n".join(right))
        given.append("\n".join(x if rng.random() < 0.7 else rng.choice(LABELS[task]) for x in right))
    return "\n\n".join(gold) + "\n", "\n\n".join(given) + "\n\n"


def pairs(rng: random.Random, task: str, language: str) -> tuple[str, str]:
    def draw() -> str:
        return "".join(f"{language}-{rng.randint(1, 6)}\ten-{rng.randint(1, 3)}\n" for _ in range(8))

    return draw(), draw()


def answers(rng: random.Random, task: str, language: str) -> tuple[str, str]:
    words = WORDS.get(language, WORDS["else"])

    def text() -> str:
        return ("" if language == "zh" else " ").join(rng.choice(words) for _ in range(rng.randint(1, 4)))

    questions, given = [], {}
    for i in range(8):
        golds = [text() for _ in range(rng.randint(1, 3))]
        questions.append({"id": f"q{i}", "question": "?", "answers": [{"text": t, "answer_start": 0} for t in golds]})
        if rng.random() < 0.8:
            given[f"q{i}"] = rng.choice([golds[0], text(), ""])
    paragraphs = [{"context": "", "qas": questions[:3]}, {"context": "", "qas": questions[3:]}]
    return json.dumps({"data": [{"paragraphs": paragraphs}]}), json.dumps(given or {"q0": ""})


def entities(rng: random.Random, task: str, language: str) -> tuple[str, str]:
    gold = {f"m{i}": [f" Q{rng.randrange(40)}\n", f"Q{rng.randrange(40)}"] for i in range(6)}
    given = {name: [f"Q{rng.randrange(40)}" for _ in range(30)] for name in gold if rng.random() < 0.8}
    return json.dumps(gold), json.dumps(given or {"m0": []})


MAKE: Mapping[str, Callable[[random.Random, str, str], tuple[str, str]]] = {
    "xnli": lines, "pawsx": lines, "xcopa": choices, "tatoeba": rows, "udpos": tags, "panx": tags,
    "bucc2018": pairs, "mewslix": entities, **dict.fromkeys(QA, answers),
}  # fmt: skip


def official(root: Path, task: str, language: str) -> dict[str, float]:
    given, gold = (root / part / task / f"test-{language}.{suffix(task)}" for part in "pl")
    if task in QA:
        return reading(given, gold, task, language)
    if task in ("udpos", "panx"):
        return tagging(given, gold)
    if task == "bucc2018":
        return mining(given, gold)
    if task == "mewslix":
        return reciprocal(given, gold)
    read = (lambda x: json.loads(x)["label"]) if task == "xcopa" else str.strip
    parts = ([read(x) for x in p.read_text(encoding="utf-8").splitlines()] for p in (given, gold))
    return accuracy(*parts)


def differences(scores: Scores, root: Path, benchmark: str) -> tuple[int, list[str]]:
    """How many figures were compared, and those that differ by more than 1e-9."""
    compared, differing = 0, []

    def compare(name: str, ours: float, theirs: float) -> None:
        nonlocal compared
        compared += 1
        if abs(ours - theirs) > 1e-9:
            differing.append(f"{name}: {ours} for {theirs}")

    metric = {}
    for name, task in scores.tasks.items():
        by_language = {language: official(root, name, language) for language in task.languages}
        average = {}
        for key in by_language[next(iter(by_language))]:
            average[key] = sum(s[key] for s in by_language.values()) / len(by_language)
            compare(f"{name} {key}", task.average[key], average[key])
            for language, values in by_language.items():
                compare(f"{name} {language} {key}", task.languages[language][key], values[key])
        if name in QA:
            metric[name] = (average["exact_match"] + average["f1"]) / 2
        else:
            metric[name] = average.get("f1", average.get("accuracy", average.get("map@20", -1.0)))
        compare(name, task.score, metric[name])
    for group, members in GROUPS[benchmark].items():
        compare(group, scores.groups[group], sum(metric[x] for x in members) / len(members))
    compare("all_task", scores.score, sum(metric.values()) / len(metric))
    return compared, differing


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("benchmark", ["xtreme", "xtreme-r"])
def test_random_submissions_have_the_official_figures(tmp_path: Path, benchmark: str, seed: int) -> None:
    root = submission(tmp_path, benchmark, seed)
    scores = score_folder(root / "p", root / "l", benchmark, allow_missing=benchmark == "xtreme-r")
    assert scores.missing == (("lareqa",) if benchmark == "xtreme-r" else ())
    compared, differing = differences(scores, root, benchmark)
    assert (differing, compared) == ([], 375 if benchmark == "xtreme" else 423)


def test_the_mock_submission_has_the_official_figures(tmp_path: Path, official_data: Callable[..., Path]) -> None:
    mock = official_data("xtreme-mock") / "xtreme-mock"
    (tmp_path / "p").symlink_to(mock / "predictions")
    (tmp_path / "l").symlink_to(mock / "labels")
    scores = score_folder(tmp_path / "p", tmp_path / "l", "xtreme")
    compared, differing = differences(scores, tmp_path, "xtreme")
    assert (differing, compared) == ([], 375)
