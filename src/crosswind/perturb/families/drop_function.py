"""Dropped function words: articles, prepositions, conjunctions are missing, as in headlines and in foreigners' speech.

In a sentence with part-of-speech tags they are the words of closed classes; elsewhere the most frequent
words of the language, by a list. `function_words/words.json` is derived by `frequent` from the parallel texts
FLORES-200 (dev) and NTREX-128, whose licence it has (CC BY-SA 4.0). The label need not hold: negations are among them.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from crosswind.errors import UserError
from crosswind.perturb.alternatives import Alternatives, Sites
from crosswind.perturb.blocks import passage_words
from crosswind.perturb.brought import stamped
from crosswind.perturb.chunks import WordMemo
from crosswind.perturb.codes import TextBatch
from crosswind.perturb.columns import Columns, PlainColumned
from crosswind.perturb.families.drop_word import dropped_columns, dropping
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.pos import UPOS
from crosswind.perturb.words import base_language, is_turkic, lowered, tokenization, word_columns, words
from crosswind.reading import expanded, lines

# UPOS tags of closed classes without pronouns and numerals (Universal Dependencies 2).
_CLOSED = frozenset({"ADP", "AUX", "CCONJ", "DET", "PART", "SCONJ"})
_AMONG = 60  # words of each text among which a function word is


def frequent(texts: Sequence[Iterable[str]], language: str, most: int = 40) -> list[str]:
    """The words that are among the 60 most frequent of every text, by falling frequency: at most `most`."""
    counts = []
    for text in texts:
        count: Counter[str] = Counter()
        for line in text:
            spans = (line[w.start : w.end] for w in words(line, language))
            count.update(lowered(word, is_turkic(language)) for word in spans if not any(map(str.isdigit, word)))
        counts.append(count)
    sets = [{word for word, _ in count.most_common(_AMONG)} for count in counts]
    shared = set.intersection(*sets)
    total = sum(counts, Counter())
    return sorted(shared, key=lambda word: (-total[word], word))[:most]


def _data() -> bytes:
    return files(__package__).joinpath("function_words", "words.json").read_bytes()


@lru_cache(maxsize=1)
def _shipped() -> Mapping[str, Sequence[str]]:
    table: Mapping[str, Sequence[str]] = json.loads(_data())["words"]
    return table


def _path(setting: Setting) -> Path | None:
    given = setting.params.get("list")
    return expanded(str(given), "a frequency list") if given else None


def _applies(setting: Setting) -> str | None:
    if _path(setting) is not None or base_language(setting.language) in _shipped():
        return None
    return f"there is no list of function words of {setting.language}: name one (list=FILE, a word a line)"


def _words(setting: Setting) -> frozenset[str]:
    path, most = _path(setting), int(str(setting.params["most"]))
    if path is None:
        return frozenset(_shipped()[base_language(setting.language)][:most])
    listed = [line.split()[0] for _, line in lines(path) if line.strip()]
    if not listed:
        raise UserError(
            "a frequency list without words", where=str(path), hint="write a word a line, frequent ones first"
        )
    return frozenset(listed[:most])


def _prepare(setting: Setting, given: Given) -> Alternatives:
    listed, turkic = _words(setting), is_turkic(setting.language)

    def sites(passage: Passage) -> Sites:
        text, spans = passage.text, passage_words(passage)
        if passage.tags is not None and UPOS.issuperset(passage.tags):
            closed = {w for w, tag in zip(passage.words, passage.tags, strict=True) if tag in _CLOSED}
            return dropping(passage, spans, lambda i: spans[i] in closed)
        return dropping(passage, spans, lambda i: lowered(text[spans[i].start : spans[i].end], turkic) in listed)

    is_listed = WordMemo(lambda word: int(lowered(word, turkic) in listed))

    def columns(batch: TextBatch) -> Columns:
        words = word_columns(batch, setting.language, glued=True)
        return dropped_columns(batch, words, is_listed(words) > 0)

    return PlainColumned(sites, columns)


def _resources(setting: Setting) -> dict[str, str]:
    path = _path(setting)
    content = _data() if path is None else path.read_bytes()
    return {"function-words": hashlib.sha256(content).hexdigest(), **tokenization(setting.language)}


DROP_FUNCTION = Perturbation(
    name="drop-function",
    nature="diagnostic",
    summary="a function word is missing: the most frequent words, of tagged text the closed classes",
    source="own, of the kind of O'Connor & Andreas 2021 (What Context Features Can Transformer Language Models Use?)",
    unit="function word",
    languages="the languages of XTREME-R; others by a list",
    changes_words=True,
    applies=_applies,
    prepare=_prepare,
    resources=_resources,
    kept=lambda setting: stamped([path] if (path := _path(setting)) is not None else []),
    params=(
        Param("list", "text", "file of words, a word a line, frequent ones first", location=True),
        Param("most", "integer", "how many of the list", default=40, low=1),
    ),
)
