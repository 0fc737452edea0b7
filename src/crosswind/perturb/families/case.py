"""Letters in the wrong case: a small letter becomes a capital one, a capital one small.

The rules are Unicode's (SpecialCasing.txt): Turkish and Azeri i with a dot and without, the dot that Lithuanian keeps
below an accent, Greek sigma at the end of a word. Georgian is left out: its capital letters are for whole words in
capitals, never mixed with small ones.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import regex

from crosswind.perturb.alternatives import Alternatives, Option
from crosswind.perturb.clusterwise import ClusterTable
from crosswind.perturb.codes import Integers, TextBatch
from crosswind.perturb.columns import ByCluster, Columned, Columns
from crosswind.perturb.draw import Words
from crosswind.perturb.graphemes import clusters
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.words import base_language, is_turkic, lowered, raised, script

_CASED = frozenset({"Latn", "Cyrl", "Grek", "Armn"})
_SIGMA, _FINAL = "Σ", "ς"
# Final_Sigma of The Unicode Standard, table 3-17.
_FINALS = regex.compile(r"(?<=\p{Cased}\p{Case_Ignorable}*)Σ(?!\p{Case_Ignorable}*\p{Cased})")
# In SpecialCasing.txt After_Soft_Dotted and More_Above: no mark above or letter between.
_DOTTED = regex.compile(r"([ij]\u0328?)\u0307(?=\p{ccc=230})")
_ACCENTED = regex.compile(r"([ij]\u0328?)(?=\p{ccc=230})")


def _applies(setting: Setting) -> str | None:
    written = script(setting.language)
    return None if written in _CASED else f"{setting.language} ({written}) has no letters in two cases to mix"


def _cases(language: str) -> tuple[Callable[[str], str], Callable[[str], str]]:
    """What makes a cluster in NFC small, and what makes it a capital one, in NFC."""
    turkic = is_turkic(language)
    if base_language(language) != "lt":
        return lambda cluster: lowered(cluster, turkic), lambda cluster: raised(cluster, turkic)

    def changed(cluster: str, pattern: regex.Pattern[str], by: str) -> str:
        return unicodedata.normalize("NFC", pattern.sub(by, unicodedata.normalize("NFD", cluster)))

    def small(cluster: str) -> str:
        return cluster if cluster == cluster.lower() else changed(cluster.lower(), _ACCENTED, "\\1\u0307")

    return small, lambda cluster: changed(cluster, _DOTTED, r"\1").upper()


class _Cases(Columned):
    """Letters that become those of the other case; sigma by where it stands."""

    def __init__(self, language: str, to: str) -> None:
        super().__init__(self._columns)
        small_of, capital_of = _cases(language)

        def options(cluster: str) -> tuple[str, ...]:
            cluster = unicodedata.normalize("NFC", cluster)
            small, capital = small_of(cluster), capital_of(cluster)
            # ß has a capital of two letters, ª and ǅ are of neither case.
            if small == capital or len(clusters(small)) != 1 or len(clusters(capital)) != 1:
                return ()
            if cluster == capital:
                return (small,) if to != "upper" else ()
            return (capital,) if to != "lower" and cluster == small else ()

        self._letters = ByCluster(ClusterTable(options))

    def _columns(self, batch: TextBatch) -> Columns:
        columns = self._letters.columns(batch)
        if _SIGMA not in batch.text:
            return columns
        finals = [match.start() for match in _FINALS.finditer(batch.text)]
        final = np.isin(columns.starts, finals)

        def options(i: int, first: int) -> tuple[Option, ...]:
            return (_FINAL,) if final[i] else columns.options(i, first)

        def become(at: Integers, bits: Words) -> Sequence[str]:
            texts = columns.texts(at, bits)
            return [_FINAL if last else text for last, text in zip(final[at].tolist(), texts, strict=True)]

        return replace(columns, options=options, become=become)


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return _Cases(setting.language, str(setting.params["to"]))


CASE = Perturbation(
    name="case",
    nature="preserving",
    summary="a letter is in the other case; Turkish and Azeri with ı/I and i/İ, Greek with ς at the end",
    source="Náplava et al. 2021 (KaziText), casing; Wang et al. 2021 (TextFlint), Case",
    unit="cased letter",
    languages="languages in Latin, Cyrillic, Greek or Armenian script",
    applies=_applies,
    prepare=_prepare,
    resources=lambda setting: {"case": "2"},
    params=(Param("to", "text", "which letters change", default="other", choices=("other", "upper", "lower")),),
)
