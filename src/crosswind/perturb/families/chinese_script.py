"""The other script of Chinese: a word in traditional characters becomes one in simplified ones, and the reverse.

By OpenCC (the extra `chinese`), word by word, so that 头发 becomes 頭髮 and 发展 becomes 發展.
"""

from __future__ import annotations

import importlib.metadata
from functools import lru_cache
from typing import Any

from crosswind.errors import UserError
from crosswind.perturb.alternatives import Alternatives, Sites
from crosswind.perturb.blocks import passage_words
from crosswind.perturb.chunks import WordMemo
from crosswind.perturb.codes import TextBatch
from crosswind.perturb.columns import Columns, OptionTable, PlainColumned
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.words import script, tokenization, word_columns

_CONFIGURATIONS = {"traditional": "s2t", "simplified": "t2s"}


@lru_cache(maxsize=2)
def _converter(configuration: str) -> Any:
    try:
        import opencc
    except ImportError:
        raise UserError(
            "chinese-script needs OpenCC, which is not installed", hint="pip install 'crosswind[chinese]'"
        ) from None
    return opencc.OpenCC(configuration)


def _applies(setting: Setting) -> str | None:
    if script(setting.language) in ("Hans", "Hant", "Hani"):
        return None
    return f"only Chinese has a traditional and a simplified script, and this is {setting.language}"


def _prepare(setting: Setting, given: Given) -> Alternatives:
    to = str(setting.params["to"])
    wanted = [name for name in _CONFIGURATIONS if to in ("other", name)]
    converters = [_converter(_CONFIGURATIONS[name]) for name in wanted]

    @lru_cache(maxsize=65536)
    def options(word: str) -> tuple[str, ...]:
        written = [str(converter.convert(word)) for converter in converters]
        return tuple(w for w in dict.fromkeys(written) if w != word)[:1]

    def sites(passage: Passage) -> Sites:
        text = passage.text
        spans = [w for w in passage_words(passage) if options(text[w.start : w.end])]
        return Sites(
            [w.start for w in spans],
            [w.end for w in spans],
            lambda i: options(text[spans[i].start : spans[i].end]),
        )

    table = OptionTable(options)
    known = WordMemo(lambda word: table.numbers[word])

    def columns(batch: TextBatch) -> Columns:
        before = table.epoch
        table.make_room()
        if before != table.epoch:
            known.forget()
        words = word_columns(batch, setting.language, glued=True)
        return table.columns(batch.text, words.starts, words.ends, known(words))

    return PlainColumned(sites, columns)


def _resources(setting: Setting) -> dict[str, str]:
    try:
        version = importlib.metadata.version("opencc")
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    return {"opencc": version, **tokenization(setting.language, endings=False)}


CHINESE_SCRIPT = Perturbation(
    name="chinese-script",
    nature="preserving",
    summary="a Chinese word in the other script: 头发 ↔ 頭髮",
    source="OpenCC (Open Chinese Convert), dictionaries s2t and t2s",
    unit="word that the scripts write differently",
    languages="Chinese",
    applies=_applies,
    prepare=_prepare,
    resources=_resources,
    params=(
        Param(
            "to",
            "text",
            "the script: the other one of each word, or always one of them",
            default="other",
            choices=("other", "traditional", "simplified"),
        ),
    ),
)
