"""What routes have seen of the material that a perturbation puts into texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from crosswind.analysis.condition import Condition

_EMBEDDED = re.compile(r"\bembed=([\w,-]+)")


def embedded_languages(perturbation: str) -> tuple[str, ...]:
    """The languages whose words a perturbation puts in: `codemix(embed=de,zh)` has de and zh."""
    return tuple(x for match in _EMBEDDED.findall(perturbation) for x in match.split(",") if x)


def material_seen(conditions: Iterable[Condition], routes: Iterable[str], seen: Mapping[str, Mapping[str, str]]) -> str:
    """`de: labelled for english, unseen for none`, for each embedded language; empty where there is none, or where
    nobody knows what routes have seen. What the encoder saw in pretraining does not count."""
    names = list(routes)
    if not seen:
        return ""
    languages = dict.fromkeys(x for c in conditions for x in embedded_languages(c.perturbation))
    return "; ".join(_seen_by(x, names, seen) for x in languages)


def _seen_by(language: str, routes: Iterable[str], seen: Mapping[str, Mapping[str, str]]) -> str:
    parts = [f"{seen.get(route, {}).get(language, 'unseen')} for {route}" for route in routes]
    return f"{language}: {', '.join(parts)}"
