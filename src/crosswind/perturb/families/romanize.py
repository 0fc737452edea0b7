"""Romanisation: a word in Latin letters, as people write it who have no other keyboard: привет → privet.

By uroman (the extra `romanize`), whose data hold every script of Unicode. Its Japanese reads Chinese characters in
Chinese, so only words in kana change there. Where words stand without spaces, a romanised one gets some.
"""

from __future__ import annotations

import importlib.metadata
from functools import lru_cache
from typing import Any

import regex

from crosswind.data.languages import registered
from crosswind.errors import UserError
from crosswind.perturb.alternatives import Alternatives, Listed, Sites
from crosswind.perturb.blocks import passage_words
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.set_off import set_off
from crosswind.perturb.words import base_language, is_unspaced, script, tokenization

_LETTER = regex.compile(r"(?!\p{Latin})\p{L}")
_HAN = regex.compile(r"\p{Han}")
_ASCII_WORD = regex.compile(r"[A-Za-z][A-Za-z0-9'-]*")


@lru_cache(maxsize=1)
def _uroman() -> Any:
    try:
        import uroman
    except ImportError:
        raise UserError(
            "romanize needs uroman, which is not installed", hint="pip install 'crosswind[romanize]'"
        ) from None
    return uroman.Uroman()


def _applies(setting: Setting) -> str | None:
    if script(setting.language) == "Latn":
        return f"{setting.language} is written in Latin letters"
    return None


def _prepare(setting: Setting, given: Given) -> Alternatives:
    engine = _uroman()
    code = registered(base_language(setting.language)).to_alpha3()
    japanese, unspaced = base_language(setting.language) == "ja", is_unspaced(setting.language)

    @lru_cache(maxsize=65536)
    def romanized(word: str) -> str:
        """The word in ASCII letters; empty where it has none to change or something is left of its script."""
        if not _LETTER.search(word) or (japanese and _HAN.search(word)):
            return ""
        latin = str(engine.romanize_string(word, lcode=code)).strip()
        return latin if _ASCII_WORD.fullmatch(latin) else ""

    def sites(passage: Passage) -> Sites:
        text = passage.text
        spans = [w for w in passage_words(passage) if romanized(text[w.start : w.end])]

        def option(index: int) -> tuple[Any]:
            word = spans[index]
            latin = romanized(text[word.start : word.end])
            if unspaced and not passage.words:
                # Behind a word that may be romanised too the space is that word's.
                adjoins = index > 0 and spans[index - 1].end == word.start
                return (set_off(text, word.start, word.end, latin, lead=not adjoins),)
            return (latin,)

        return Sites([w.start for w in spans], [w.end for w in spans], option)

    return Listed(sites)


def _resources(setting: Setting) -> dict[str, str]:
    try:
        version = importlib.metadata.version("uroman")
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    return {"uroman": version, **tokenization(setting.language)}


ROMANIZE = Perturbation(
    name="romanize",
    nature="preserving",
    summary="a word in Latin letters: привет → privet, नमस्ते → namaste",
    source="Hermjakob et al. 2018 (Out-of-the-box Universal Romanization Tool uroman)",
    unit="word in another script",
    languages="languages in other than Latin script; of Japanese the words in kana",
    applies=_applies,
    prepare=_prepare,
    resources=_resources,
)
