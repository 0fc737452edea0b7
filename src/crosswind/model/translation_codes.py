"""The languages of a seq2seq checkpoint by its tokenizer's own means, and which of its codes stands for one of ours.

NLLB writes `deu_Latn`, mBART-50 `de_DE`, M2M-100 `__de__`, an opus-mt model for several languages `>>deu<<`, MADLAD-400
`<2de>`; an opus-mt model for one pair says it in its tokenizer's configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import langcodes
from langcodes.tag_parser import LanguageTagError

from crosswind.data.languages import macrolanguage_of, name_of, registered, script_of
from crosswind.errors import UserError

Scheme = Literal["forced", "prefix", "pair"]
"""How a checkpoint is told the target language: by the first token that it writes, a token before the text, or not."""

_FORCED = (
    re.compile(r"(?P<code>[a-z]{3}_[A-Z][a-z]{3})"),  # NLLB
    re.compile(r"(?P<code>[a-z]{2}_[A-Z]{2})"),  # mBART-50
    re.compile(r"__(?P<code>[a-z]{2,3})__"),  # M2M-100
)
_PREFIX = (re.compile(r">>(?P<code>[A-Za-z_]+)<<"), re.compile(r"<2(?P<code>[a-z]{2,3}(?:_[A-Z][a-z]{3})?)>"))
_SHOWN = 60


@dataclass(frozen=True)
class Codes:
    """A checkpoint's languages: code -> the token that stands for it; `source` and `target` of one for a pair."""

    scheme: Scheme
    tokens: Mapping[str, str]
    source: str | None = None
    target: str | None = None


def language_codes(tokenizer: Any, model: str) -> Codes:
    """The languages that a tokenizer knows; a `UserError` for a checkpoint that says nothing of languages."""
    written = _language_tokens(tokenizer)
    for pattern in _FORCED:
        tokens = _matching(pattern, written)
        if len(tokens) > 1:
            return Codes("forced", tokens)
    source, target = (getattr(tokenizer, side, None) for side in ("source_lang", "target_lang"))
    for pattern in _PREFIX:
        tokens = _matching(pattern, written)
        if tokens:
            return Codes("prefix", tokens, source=source)
    if source and target:
        return Codes("pair", {}, source=source, target=target)
    raise UserError(
        f"{model!r} does not say which languages it translates",
        where="translate.model",
        hint="name a checkpoint of NLLB, M2M-100, mBART-50, opus-mt or MADLAD-400",
    )


def _language_tokens(tokenizer: Any) -> list[str]:
    """What may stand for a language: the tokens that a tokenizer marks as such, as special, or adds to its pieces."""
    named = [*getattr(tokenizer, "lang_code_to_token", {}).values(), *getattr(tokenizer, "lang_code_to_id", {})]
    codes = [*getattr(tokenizer, "supported_language_codes", [])]
    return [*map(str, named), *codes, *tokenizer.get_added_vocab(), *map(str, tokenizer.all_special_tokens)]


def _matching(pattern: re.Pattern[str], tokens: Iterable[str]) -> dict[str, str]:
    return {match["code"]: token for token in tokens if (match := pattern.fullmatch(token))}


def code_for(language: str, codes: Iterable[str], *, model: str, given: str | None = None) -> str:
    """The code that stands for a language of ours: the same language in the same script.

    `given` is the user's own choice. Raises `UserError` that names the checkpoint's languages where none, or more than
    one, stands for it.
    """
    known = sorted(set(codes))
    if given is not None:
        if given not in known:
            raise UserError(f"{model!r} has no language {given!r}", where="translate.codes", hint=_languages(known))
        return given
    exact = [code for code in known if _same(code, language)]
    plain = [code for code in exact if _says_its_country(code)]
    related = [code for code in known if _same_macrolanguage(code, language)]
    for candidates in (plain, exact, related):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            what = f"several languages of {model!r} may be meant by {language!r}: {', '.join(candidates)}"
            raise UserError(what, where="translate.codes", hint=f"choose one: codes: {{{language}: {candidates[0]}}}")
    raise UserError(
        f"{model!r} does not translate {name_of(language)} ({language})",
        where="translate.model",
        hint=_languages(known),
    )


def _languages(codes: list[str]) -> str:
    more = f" and {len(codes) - _SHOWN} more" if len(codes) > _SHOWN else ""
    return f"its languages: {', '.join(codes[:_SHOWN])}{more}"


def stands_for(code: str, language: str) -> bool:
    """Whether a code of a checkpoint for one pair (`en`, `eng`, `de`) is a language of ours."""
    return _same(code, language) or _same_macrolanguage(code, language)


def _parsed(code: str) -> langcodes.Language | None:
    try:
        language = langcodes.Language.get(code.replace("_", "-"))
    except LanguageTagError:
        return None
    return language if language.is_valid() else None


def _same(code: str, language: str) -> bool:
    """The same language and script (`arb` and `ar`, `cmn` and `zh`: CLDR's choice among a macrolanguage's members)."""
    parsed, ours = _parsed(code), registered(language)
    if parsed is None or parsed.prefer_macrolanguage().language != ours.prefer_macrolanguage().language:
        return False
    return parsed.script is None or parsed.script == script_of(language)


def _says_its_country(code: str) -> bool:
    """Whether a code means a country only where it writes one: `prs` is the Persian of Afghanistan, `de_DE` German."""
    parsed = _parsed(code)
    return parsed is not None and (parsed.territory is None or parsed.territory in code)


def _same_macrolanguage(code: str, language: str) -> bool:
    parsed = _parsed(code)
    if parsed is None or parsed.language is None:
        return False
    same = macrolanguage_of(parsed.language) == macrolanguage_of(language)
    return same and (parsed.script is None or parsed.script == script_of(language))
