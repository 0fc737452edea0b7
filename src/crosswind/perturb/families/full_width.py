"""Full-width forms: ASCII letters, digits and signs as wide as a Chinese character (U+FF01 to U+FF5E).

They are what an input method of Chinese, Japanese or Korean leaves in half-width text, and elsewhere a
way around filters. NFKC, which XLM-R's tokenizer applies, undoes them.
"""

from __future__ import annotations

from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.clusterwise import clusterwise
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.words import script

_SCRIPTS = frozenset({"Latn", "Hans", "Hant", "Hani", "Jpan", "Kore"})


def _applies(setting: Setting) -> str | None:
    written = script(setting.language)
    return None if written in _SCRIPTS else f"full-width forms are of Latin letters: {setting.language} is in {written}"


def _options(cluster: str) -> tuple[str, ...]:
    return (chr(ord(cluster) + 0xFEE0),) if len(cluster) == 1 and "!" <= cluster <= "~" else ()


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return clusterwise(_options)


FULL_WIDTH = Perturbation(
    name="full-width",
    nature="preserving",
    summary="an ASCII letter, digit or sign in its full-width form: a → \uff41",
    source="Unicode Standard, Halfwidth and Fullwidth Forms (U+FF00 to U+FFEF)",
    unit="ASCII character",
    languages="languages in Latin script, Chinese, Japanese and Korean",
    applies=_applies,
    prepare=_prepare,
)
