"""Letters in the wrong case: a small letter becomes a capital one, a capital one small.

Georgian is left out: its capital letters are for whole words in capitals, never mixed with small ones.
"""

from __future__ import annotations

from functools import partial

from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.clusterwise import clusterwise
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.words import is_turkic, lowered, raised, script

_CASED = frozenset({"Latn", "Cyrl", "Grek", "Armn"})


def _applies(setting: Setting) -> str | None:
    written = script(setting.language)
    return None if written in _CASED else f"{setting.language} ({written}) has no letters in two cases to mix"


def _options(turkic: bool, to: str, cluster: str) -> tuple[str, ...]:
    small, capital = lowered(cluster, turkic), raised(cluster, turkic)
    # ß has a capital of two letters, ª and ǅ are of neither case.
    if len(small) != len(cluster) or len(capital) != len(cluster) or small == capital:
        return ()
    if cluster == capital:
        return (small,) if to != "upper" else ()
    return (capital,) if to != "lower" and cluster == small else ()


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return clusterwise(partial(_options, is_turkic(setting.language), str(setting.params["to"])))


CASE = Perturbation(
    name="case",
    nature="preserving",
    summary="a letter is in the other case; Turkish and Azeri with ı/I and i/İ",
    source="Náplava et al. 2021 (KaziText), casing; Wang et al. 2021 (TextFlint), Case",
    unit="cased letter",
    languages="languages in Latin, Cyrillic, Greek or Armenian script",
    applies=_applies,
    prepare=_prepare,
    params=(Param("to", "text", "which letters change", default="other", choices=("other", "upper", "lower")),),
)
