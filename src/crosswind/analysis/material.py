"""What routes have seen of the material that a perturbation puts into texts; comparisons are split by it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from crosswind.analysis.condition import Condition
from crosswind.analysis.results import LANGUAGE_EXPOSURES, LanguageExposure
from crosswind.data.languages import script_of

# Up to the next setting: embed=de,zh,rate=0.2
_EMBEDDED = re.compile(r"\bembed=([\w-]+(?:,[\w-]+(?![\w-]*=))*)")
LEXICON_SOURCE = "lexicon "
"""What stands before the name of a lexicon's source among the things that a route has seen."""
MIXED = "mixed"


def embedded_languages(perturbation: str) -> tuple[str, ...]:
    """The languages whose words a perturbation puts in: `codemix(embed=de,zh)` has de and zh."""
    return tuple(x for match in _EMBEDDED.findall(perturbation) for x in match.split(",") if x)


def language_seen(language: str, route: str, seen: Mapping[str, Mapping[str, str]]) -> LanguageExposure:
    """The most that a route has seen of a language, whose code may be without the script that the data's code names."""
    texts = {text for code, text in seen.get(route, {}).items() if _same_language(language, code)}
    return next((x for x in LANGUAGE_EXPOSURES if x in texts), "unseen")


def _same_language(a: str, b: str) -> bool:
    """Whether two codes are of one language: `qlo` is also `qlo-Latn`, and `sr-Cyrl` is not `sr-Latn`."""
    if a == b or a.startswith(LEXICON_SOURCE) or b.startswith(LEXICON_SOURCE):
        return a == b
    return a.partition("-")[0] == b.partition("-")[0] and ("-" not in a or "-" not in b)


def _script_seen(language: str, seen: Mapping[str, Mapping[str, str]]) -> str:
    """The script of an embedded language; of a code without one that nobody knows, that of the data of some route."""
    codes = [code for of_route in seen.values() for code in of_route if _same_language(language, code)]
    known = (script for code in (language, *codes) if (script := script_of(code)) != "Zyyy")
    return next(known, "Zyyy")


def script_exposure(script: str, route: str, seen: Mapping[str, Mapping[str, str]]) -> LanguageExposure:
    """The most that a route has seen of a script, in any language that is written in it."""
    codes = [x for x in seen.get(route, {}) if not x.startswith(LEXICON_SOURCE) and script_of(x) == script]
    return min((language_seen(x, route, seen) for x in codes), key=LANGUAGE_EXPOSURES.index, default="unseen")


def material_class(condition: Condition, route: str, seen: Mapping[str, Mapping[str, str]]) -> str:
    """What a route has seen of all embedded languages; `mixed` where that differs, empty where none is embedded."""
    classes = {language_seen(x, route, seen) for x in embedded_languages(condition.perturbation)}
    return "" if not classes else MIXED if len(classes) > 1 else classes.pop()


def material_seen(conditions: Iterable[Condition], routes: Iterable[str], seen: Mapping[str, Mapping[str, str]]) -> str:
    """`de: labelled for english, unseen for none; script Latn: …; lexicon tatoeba: …`: each embedded language, its
    script, and where the words come from.

    Empty where nothing is embedded, or where nobody knows what routes have seen. What the encoder saw in pretraining
    does not count.
    """
    names = list(routes)
    languages = [*dict.fromkeys(x for c in conditions for x in embedded_languages(c.perturbation))] if seen else []
    if not languages:
        return ""
    scripts = dict.fromkeys(_script_seen(x, seen) for x in languages)
    sources = dict.fromkeys(x for route in seen.values() for x in route if x.startswith(LEXICON_SOURCE))
    lines = [(x, {route: language_seen(x, route, seen) for route in names}) for x in languages]
    lines += [(f"script {x}", {route: script_exposure(x, route, seen) for route in names}) for x in scripts]
    lines += [(x, {route: language_seen(x, route, seen) for route in names}) for x in sources]
    return "; ".join(f"{what}: " + ", ".join(f"{x} for {route}" for route, x in by.items()) for what, by in lines)


def by_material(
    conditions: Sequence[Condition], routes: Sequence[str], seen: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, tuple[Condition, ...]]]:
    """The conditions that embed languages by what these routes have seen of them: `labelled`, or of two routes
    `labelled | unseen`."""
    groups: dict[str, list[Condition]] = {}
    for condition in conditions if seen else ():
        classes = [material_class(condition, route, seen) for route in routes]
        if all(classes):
            alike = len({*classes}) == 1
            groups.setdefault(classes[0] if alike else " | ".join(classes), []).append(condition)
    for name in sorted(groups):
        yield name, tuple(groups[name])
