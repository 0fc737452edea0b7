"""The formulas of the official scripts, written a second time: nothing of the package computes them.

They are those of google-research/xtreme (`evaluate.py` and its `third_party` scripts, at 838c13b) and of seqeval
0.0.12.
"""

from __future__ import annotations

import json
import re
import string
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any


def accuracy(given: list[Any], gold: list[Any]) -> dict[str, float]:
    assert len(given) == len(gold)
    return {"accuracy": 100 * sum(p == g for p, g in zip(given, gold, strict=True)) / len(given)}


def f1_of(right: int, given: int, gold: int) -> dict[str, float]:
    precision, recall = (right / given if given else 0), (right / gold if gold else 0)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0
    return {"f1": 100 * f1, "precision": 100 * precision, "recall": 100 * recall}


def sentences(path: Path) -> list[list[str]]:
    blocks, block = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            block.append(line.strip())
        else:
            blocks.append(block)
            block = []
    return [*blocks, block] if block else blocks


def chunks(sentences: list[list[str]]) -> set[tuple[str, int, int]]:
    """seqeval 0.0.12: the first letter is an IOBES prefix, the type what follows the last hyphen."""
    flat = [tag for sentence in sentences for tag in (*sentence, "O")]
    out, before, type_before, begin = set(), "O", "", 0
    for i, chunk in enumerate([*flat, "O"]):
        tag, type_ = chunk[0], chunk.split("-")[-1]
        changed = type_ != type_before
        if before in "ES" or (before in "BI" and tag in "BSO") or (before not in "O." and changed):
            out.add((type_before, begin, i - 1))
        if tag in "BS" or (before in "ESO" and tag in "EI") or (tag not in "O." and changed):
            begin = i
        before, type_before = tag, type_
    return out


def tagging(given: Path, gold: Path) -> dict[str, float]:
    a, b = chunks(sentences(given)), chunks(sentences(gold))
    return f1_of(len(a & b), len(a), len(b))


def mining(given: Path, gold: Path) -> dict[str, float]:
    a, b = ({tuple(x.split("\t")) for x in p.read_text(encoding="utf-8").split("\n") if x} for p in (given, gold))
    return f1_of(len(a & b), len(a), len(b))


def squad_tokens(text: str, language: str) -> list[str]:
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


ARTICLES = {
    "en": r"\b(a|an|the)\b", "es": r"\b(un|una|unos|unas|el|la|los|las)\b", "vi": r"\b(của|là|cái|chiếc|những)\b",
    "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b", "ar": "\\sال^|ال",
}  # fmt: skip


def mlqa_tokens(text: str, language: str) -> list[str]:
    text = text.lower()
    text = "".join(c for c in text if not unicodedata.category(c).startswith("P") and c not in string.punctuation)
    if language in ARTICLES:
        text = re.sub(ARTICLES[language], " ", text)
    if language != "zh":
        return text.split()
    tokens, run = [], ""
    for c in text:
        if re.search(r"[\u4e00-\u9fa5]", c) or c in string.punctuation:
            tokens += [*run.split(), c]
            run = ""
        else:
            run += c
    return tokens + run.split()


def reading(given: Path, gold: Path, task: str, language: str) -> dict[str, float]:
    tokens = mlqa_tokens if task == "mlqa" else squad_tokens
    predicted = json.loads(given.read_text(encoding="utf-8"))
    exact = f1 = total = 0.0
    for article in json.loads(gold.read_text(encoding="utf-8"))["data"]:
        for question in (q for p in article["paragraphs"] for q in p["qas"]):
            total += 1
            if question["id"] not in predicted:
                continue
            guess = tokens(predicted[question["id"]], language)
            best = []
            for right in (tokens(a["text"], language) for a in question["answers"]):
                same = sum((Counter(guess) & Counter(right)).values())
                p, r = (same / len(guess) if same else 0), (same / len(right) if same else 0)
                best.append((" ".join(guess) == " ".join(right), 2 * p * r / (p + r) if same else 0))
            exact += max(e for e, _ in best)
            f1 += max(f for _, f in best)
    return {"exact_match": 100 * exact / total, "f1": 100 * f1 / total}


def reciprocal(given: Path, gold: Path) -> dict[str, float]:
    predicted, wanted = (json.loads(p.read_text(encoding="utf-8")) for p in (given, gold))
    first = {name: ids[0].strip() for name, ids in wanted.items()}
    tops = {name: predicted.get(name, [])[:20] for name in first}
    return {"map@20": 100 * sum(1 / (t.index(first[n]) + 1) for n, t in tops.items() if first[n] in t) / len(first)}
