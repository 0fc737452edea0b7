"""Language codes: which are registered, what they are called, and which one a wrong code stands for.

Codes are BCP 47. A code that no registry knows has no script, no keyboard and no name: it is refused,
with the registered codes of the languages whose names or countries it resembles.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.resources import files

import langcodes
from langcodes.data_dicts import LIKELY_SUBTAGS, MACROLANGUAGES
from langcodes.tag_parser import LanguageTagError

from crosswind.errors import UserError, unknown

# UAX #31 table 5: scripts in wide use, of which a misspelt script subtag is one.
# fmt: off
_SCRIPTS = (
    "Latn", "Cyrl", "Arab", "Deva", "Hans", "Hant", "Grek", "Hebr", "Armn", "Geor", "Ethi", "Beng", "Gujr", "Guru",
    "Knda", "Mlym", "Orya", "Sinh", "Taml", "Telu", "Thai", "Laoo", "Khmr", "Mymr", "Tibt", "Jpan", "Kore", "Thaa",
)
# fmt: on
_MOST = 3


@lru_cache(maxsize=4096)
def registered(code: str) -> langcodes.Language:
    """The language of a code in canonical form (`tl` is `fil`); a `UserError` if a part of it is not registered."""
    try:
        language = langcodes.Language.get(code)
    except LanguageTagError:
        raise _unregistered(code) from None
    if not language.is_valid() or not _extended(language):
        raise _unregistered(code)
    return language


@lru_cache(maxsize=4096)
def script_of(code: str) -> str:
    """The ISO 15924 script that a code is written in (CLDR's likely subtags): `Latn` for `sw`, `Latn` for `sr-Latn`."""
    return registered(code).maximize().script or "Zyyy"


def macrolanguage_of(code: str) -> str:
    """The macrolanguage that a language is a member of by ISO 639-3 (`ar` for `arz`), or else its own subtag."""
    language = registered(code).language or code
    return MACROLANGUAGES.get(language, language)


def name_of(code: str) -> str:
    """The English name of a language, by CLDR; the code where CLDR has none."""
    try:
        language = langcodes.Language.get(code).language or code
    except LanguageTagError:
        return code
    return _names().get(language, code)


@lru_cache(maxsize=4096)
def same_language(code: str) -> str:
    """A code in canonical form, as it is where it is not registered: `fil` for `tl`, `km` for `khm`."""
    try:
        return registered(code).to_tag()
    except UserError:
        return code


@lru_cache(maxsize=4096)
def one_spelling(code: str) -> str:
    """The one form of a code: `en` for `EN`, `eng`, `en-Latn` and `en-US`, `zh-Hant` for `zh_tw`.

    Canonical (BCP 47, an extended language without what it extends), without the script and region that CLDR's likely
    subtags add (UTS #35, "Remove Likely Subtags", the script favoured), and as XTREME writes it where XTREME has
    another name (`tl` for `fil`). Raises as `registered` does.
    """
    language = registered(code)
    tag = language.to_tag()
    if language.extlangs:
        return one_spelling(tag.partition("-")[2])
    if language.language in LIKELY_SUBTAGS and not (language.variants or language.extensions or language.private):
        whole = language.maximize()
        kept = ((None, None), (whole.script, None), (None, whole.territory))
        shorter = (langcodes.Language.make(language.language, script=s, territory=t) for s, t in kept)
        tag = next((short.to_tag() for short in shorter if short.maximize() == whole), tag)
    base, *rest = tag.split("-")
    return "-".join((_XTREME.get(base, base), *rest))


def spelled(code: str, where: str) -> str:
    """`one_spelling` of a code that somebody named; the error for one that is not registered says `where`."""
    try:
        return one_spelling(code)
    except UserError as error:
        raise UserError(error.what, where=where, hint=error.hint) from None


_XTREME: Mapping[str, str] = {"fil": "tl"}


def unknown_language(code: str, known: Iterable[str], *, where: str | None = None) -> UserError:
    """An error for a language that is not among the known ones: an unregistered code is explained by name."""
    known = list(known)
    try:
        registered(code)
    except UserError as error:
        near = [other for other in nearest(code) if other in known]
        if near:
            return UserError(f"unknown language {code!r}", where=where, hint=_did_you_mean(near))
        plain = unknown("language", code, known, where=where)
        return UserError(plain.what, where=where, hint=f"{error.what}; {plain.hint}")
    if others := [other for other in known if same_language(other) == same_language(code)]:
        return UserError(f"unknown language {code!r}", where=where, hint=_did_you_mean(others))
    return unknown("language", code, known, where=where)


def nearest(code: str) -> list[str]:
    """At most three registered codes of the languages that a wrong code resembles, the likeliest first.

    It resembles the language that it begins with (`sr-lat`), one whose English name it begins, is or
    nearly is (`cro`, `croatian`), and the language of the country whose code it is (`cz`).
    """
    return list(dict.fromkeys(_resembling(code.strip().replace("_", "-"))))[:_MOST]


def _resembling(code: str) -> Iterator[str]:
    base, *rest = code.split("-")
    if (known := _known(base)) is not None:
        for part in (p.lower() for p in rest if len(p) > 1):
            yield from (f"{known}-{script}" for script in _SCRIPTS if script.lower().startswith(part))
        yield known
        return
    names = {name.casefold(): other for other, name in _names().items()}
    wanted = base.casefold()
    if wanted in names:
        yield names[wanted]
        return
    country = LIKELY_SUBTAGS.get(f"und-{base.upper()}")
    if country is not None:
        yield country.partition("-")[0]
    if len(wanted) >= 2:
        yield from sorted((c for name, c in names.items() if name.startswith(wanted)), key=lambda c: (len(c), c))
    if len(wanted) >= 4:
        yield from (names[name] for name in difflib.get_close_matches(wanted, names, n=_MOST, cutoff=0.75))


def _known(base: str) -> str | None:
    """The canonical language subtag of the first part of a code, if it is registered."""
    try:
        language = langcodes.Language.get(base)
    except LanguageTagError:
        return None
    return language.language if language.is_valid() else None


def _extended(language: langcodes.Language) -> bool:
    """Whether its extended language subtags are registered: each belongs to one language only (`ar-arz`)."""
    return all(MACROLANGUAGES.get(subtag) == language.language for subtag in language.extlangs or ())


def _unregistered(code: str) -> UserError:
    near = nearest(code)
    hint = _did_you_mean(near) if near else "write BCP 47 codes: en: English, zh: Chinese, sw: Swahili, sr-Latn, …"
    return UserError(f"{code!r} is no registered language code", hint=hint)


def _did_you_mean(codes: Iterable[str]) -> str:
    shown = []
    for code in codes:
        script = code.partition("-")[2]
        shown.append(f"{code}: {name_of(code)}" + (f" in {script} script" if script else ""))
    return f"did you mean {' or '.join(shown)}?"


@lru_cache(maxsize=1)
def _names() -> Mapping[str, str]:
    text = files(__package__).joinpath("names", "languages.json").read_text(encoding="utf-8")
    names: dict[str, str] = json.loads(text)
    return names
