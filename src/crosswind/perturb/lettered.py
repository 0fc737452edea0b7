"""What perturbations by the letters of an alphabet have in common: the alphabet of the language, or a user's."""

from __future__ import annotations

from collections.abc import Callable

from crosswind.perturb.alphabets import Alphabet, alphabet_fingerprint, alphabet_of, alphabet_stamp, lacks_alphabet
from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.clusterwise import clusterwise, is_letter
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting


def lettered(name: str, summary: str, become: Callable[[Alphabet, str], tuple[str, ...]]) -> Perturbation:
    """A perturbation of single letters; `become` lists what a letter (a cluster) may become by an alphabet."""

    def prepare(setting: Setting, given: Given) -> Alternatives:
        alphabet = alphabet_of(setting.language, _path(setting))
        return clusterwise(lambda cluster: become(alphabet, cluster) if is_letter(cluster) else ())

    return Perturbation(
        name=name,
        nature="preserving",
        summary=summary,
        source="Karpukhin et al. 2019, §3; alphabets: Unicode CLDR 48.2, exemplar characters",
        unit="letter",
        languages="languages with an alphabet: all of XTREME-R but Chinese",
        applies=lambda setting: lacks_alphabet(setting.language, _path(setting)),
        prepare=prepare,
        resources=lambda setting: alphabet_fingerprint(_path(setting)),
        kept=lambda setting: alphabet_stamp(_path(setting)),
        params=(Param("alphabet", "text", "file with the letters of an alphabet of your own", location=True),),
    )


def _path(setting: Setting) -> str | None:
    given = setting.params.get("alphabet")
    return str(given) if given else None
