"""A few real examples of every kind in every language, cut from the official files without reading all of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crosswind.data.checklist.cases import fill
from crosswind.data.checklist.templates import read_templates
from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Dataset,
    Example,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.data.languages import registered, script_of

SETS = (
    "xnli", "pawsx", "panx", "udpos", "xcopa", "copa", "xquad", "tydiqa", "tatoeba", "mlqa", "lareqa", "multichecklist",
    "flores200_dataset",
)  # fmt: skip

# XTREME-R's 50 languages (Ruder et al. 2021, table of languages).
_CODES = (
    "af ar az bg bn de el en es et eu fa fi fr gu he hi ht hu id it ja jv ka kk ko lt ml mr ms my nl pa pl pt "
    "qu ro ru sw ta te th tl tr uk ur vi wo yo zh"
)
LANGUAGES = tuple(_CODES.split(" "))
_TATOEBA = {
    "af": "afr", "ar": "ara", "bg": "bul", "bn": "ben", "de": "deu", "el": "ell", "es": "spa", "et": "est", "eu": "eus",
    "fa": "pes", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn",
    "jv": "jav", "ka": "kat", "kk": "kaz", "ko": "kor", "lt": "lit", "ml": "mal", "mr": "mar", "nl": "nld", "pl": "pol",
    "pt": "por", "ro": "ron", "ru": "rus", "sw": "swh", "ta": "tam", "te": "tel", "th": "tha", "tl": "tgl", "tr": "tur",
    "uk": "ukr", "ur": "urd", "vi": "vie", "zh": "cmn",
}  # fmt: skip


# FLORES-200 calls languages by ISO 639-3 and script; of a macrolanguage by the individual language.
_FLORES = {
    "ar": "arb_Arab", "az": "azj_Latn", "et": "est_Latn", "fa": "pes_Arab", "ko": "kor_Hang", "ms": "zsm_Latn",
    "qu": "quy_Latn", "sw": "swh_Latn", "tl": "tgl_Latn", "zh": "zho_Hans",
}  # fmt: skip
# Of its languages three show the rest: the templates are filled anew for each.
_CHECKED = ("wo", "zh", "ml")


@dataclass(frozen=True)
class Sample:
    """A few examples of a data set, and the fields that perturbations may change."""

    data: Dataset
    fields: tuple[str, ...]


def samples(root: Path, size: int) -> list[Sample]:
    """`size` examples of every official set that lies in `root` and every language it has."""
    makers = (_pairs, _choices, _tagged, _spans, _queries)
    long = (_mlqa, _passages_of_answers, _checklists)  # four of each show as much
    return [
        *(sample for maker in makers for sample in maker(root, size)),
        *(sample for maker in long for sample in maker(root, min(size, 4))),
    ]


def line_samples(root: Path, size: int) -> dict[str, list[str]]:
    """`size` lines of FLORES-200 in every language of XTREME-R."""
    samples = {}
    for language in LANGUAGES:
        code = _FLORES.get(language) or f"{registered(language).to_alpha3()}_{script_of(language)}"
        samples[language] = list(itertools.islice(_lines(root / "flores200_dataset" / "dev" / f"{code}.dev"), size))
    return samples


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield line.rstrip("\n")


def _sample(
    task: str, language: str, split: str, examples: list[Example], *fields: str, pool: Pool | None = None
) -> Sample:
    data = Dataset(task, language, split, tuple(examples), pool, fingerprint=f"{task} {language}")
    return Sample(data, fields)


def _pairs(root: Path, size: int) -> Iterator[Sample]:
    for task in ("xnli", "pawsx"):
        for path in sorted((root / task).glob("dev-*.tsv")):
            language = path.stem[4:]
            rows = [line.split("\t") for line in itertools.islice(_lines(path), 7, 7 + size)]
            name = f"{task}/dev/"
            items = [PairExample(f"{name}{i}", f"{name}{i}", language, r[0], r[1], i % 2) for i, r in enumerate(rows)]
            yield _sample(task, language, "dev", list(items), "first", "second")


def _choices(root: Path, size: int) -> Iterator[Sample]:
    for path in [*sorted((root / "xcopa" / "data").glob("*/val.*.jsonl")), root / "copa" / "val.en.jsonl"]:
        language = path.name.split(".")[1]
        rows = [json.loads(line) for line in itertools.islice(_lines(path), size)]
        items = [
            ChoiceExample(
                f"copa/val/{r['idx']}", str(r["idx"]), language, r["premise"], r["question"],
                (r["choice1"], r["choice2"]), r["label"],
            )
            for r in rows
        ]  # fmt: skip
        yield _sample("xcopa" if language != "en" else "copa", language, "val", list(items), "context", "choices")


def _tagged(root: Path, size: int) -> Iterator[Sample]:
    for task, split in (("panx", "dev"), ("udpos", "test")):
        for path in sorted((root / task).glob(f"{split}-*.tsv")):
            language = path.stem[len(split) + 1 :]
            examples: list[Example] = []
            rows: list[list[str]] = []
            for line in _lines(path):
                if line.strip():
                    rows.append(line.split("\t"))
                    continue
                if rows:
                    name = f"{task}/{split}/{len(examples)}"
                    words, tags = (tuple(r[n] for r in rows) for n in (0, 1))
                    examples.append(TaggingExample(name, name, language, words, tags))
                rows = []
                if len(examples) == size:
                    break
            yield _sample(task, language, split, examples, "words")


def _spans(root: Path, size: int) -> Iterator[Sample]:
    files = [("xquad", path, path.name.split(".")[1]) for path in sorted((root / "xquad").glob("*.json"))]
    for path in sorted((root / "tydiqa" / "tydiqa-goldp-v1.1-dev").glob("*.json")):
        files.append(("tydiqa", path, path.name.split(".")[2]))
    for task, path, language in files:
        examples: list[Example] = []
        for article in json.loads(path.read_text(encoding="utf-8"))["data"][: 4 * size]:
            for paragraph in article["paragraphs"][: 1 + (task == "tydiqa")]:
                context = paragraph["context"]
                for question in paragraph["qas"][:1]:
                    gold = [(a["answer_start"], a["text"]) for a in question["answers"]]
                    if all(context.startswith(text, at) for at, text in gold):
                        name = f"{task}/dev/{question['id']}"
                        # The dev files of TyDiQA are distributed without answers.
                        labelled = any(text for _, text in gold)
                        spans = tuple(Span(at, at + len(text)) for at, text in gold) if labelled else None
                        examples.append(SpanExample(name, name, language, question["question"], context, spans))
        # Contexts are long: the shortest of some show as much.
        shortest = sorted(examples, key=lambda e: (len(e.context) if isinstance(e, SpanExample) else 0, e.id))[:size]
        yield _sample(task, language, "dev", shortest, "question", "context")


def _queries(root: Path, size: int) -> Iterator[Sample]:
    folder = root / "tatoeba" / "v1"
    for language, code in _TATOEBA.items():
        theirs = list(itertools.islice(_lines(folder / f"tatoeba.{code}-eng.{code}"), size))
        english = list(itertools.islice(_lines(folder / f"tatoeba.{code}-eng.eng"), size))
        names = [f"tatoeba/{language}/{i}" for i in range(size)]
        candidates = tuple(Candidate(f"{n}/c", language, t, cluster=n) for n, t in zip(names, theirs, strict=True))
        items: list[Example] = [QueryExample(n, n, "en", t, (f"{n}/c",)) for n, t in zip(names, english, strict=True)]
        yield _sample("tatoeba", language, "test", items, "pool", pool=Pool(candidates))


def _mlqa(root: Path, size: int) -> Iterator[Sample]:
    for path in sorted((root / "mlqa" / "MLQA_V1" / "dev").glob("*.json")):
        _, _, context_language, _, language = path.stem.split("-")
        examples: list[Example] = []
        for article in json.loads(path.read_text(encoding="utf-8"))["data"][: 4 * size]:
            paragraph, question = article["paragraphs"][0], article["paragraphs"][0]["qas"][0]
            spans = tuple(Span(a["answer_start"], a["answer_start"] + len(a["text"])) for a in question["answers"])
            name, context = f"mlqa/dev/{question['id']}", paragraph["context"]
            examples.append(SpanExample(name, name, language, question["question"], context, spans, context_language))
        shortest = sorted(examples, key=lambda e: (len(e.context) if isinstance(e, SpanExample) else 0, e.id))[:size]
        yield _sample("mlqa", language, "dev", shortest, "question", "context")


def _passages_of_answers(root: Path, size: int) -> Iterator[Sample]:
    """Questions, and the sentences of their paragraphs as the pool."""
    for path in sorted((root / "lareqa" / "xquad-r").glob("*.json")):
        language = path.stem
        queries: list[Example] = []
        candidates: list[Candidate] = []
        for article in json.loads(path.read_text(encoding="utf-8"))["data"][:size]:
            paragraph = min(article["paragraphs"], key=lambda p: len(p["context"]))
            question, context = paragraph["qas"][0], paragraph["context"]
            name, at = f"lareqa/test/{question['id']}", question["answers"][0]["answer_start"]
            gold = ""
            for n, (start, end) in enumerate(paragraph["sentence_breaks"]):
                some = Candidate(f"{name}/{n}", language, context[start:end].strip(), context, cluster=name)
                gold = some.id if start <= at < end else gold
                candidates.append(some)
            queries.append(QueryExample(name, name, language, question["question"], (gold,)))
        pool = Pool(tuple(candidates))
        yield _sample("lareqa", language, "test", queries, "query", "pool", pool=pool)


def _checklists(root: Path, size: int) -> Iterator[Sample]:
    templates = read_templates(root / "multichecklist" / "checklist_templates.tsv")
    for language in _CHECKED:
        every = fill(templates, language).examples
        yield _sample(
            "multichecklist", language, "test", list(every[:: len(every) // size][:size]), "question", "context"
        )
