"""The folder of an attack on what is no checkpoint: the texts, outcomes and predictions of each attack.

    STEM.attack.json           what was attacked and how, with its figures, and the study that names the data
    STEM.rewrites.parquet      the worst text of each example, as pieces kept and pieces new
    STEM.outcomes.parquet      how the attack of each example ended, and what it cost
    STEM.predictions.parquet   what the victim says of these texts
    CLEAN.predictions.parquet  what it says of the texts as they were
    finished/…                 the examples that are finished, for attacks that are broken off

STEM is victim, data, attack and budget, CLEAN is victim, data and `clean`. Both end in what tells them from the same
names of another victim (another file, or an edited one) and of another question (other examples, other data, other
lexicons), so that these lie beside each other in a folder.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from crosswind import __version__
from crosswind.errors import UserError
from crosswind.evaluate.predictions import Prediction, write_predictions
from crosswind.perturb.perturbed import PerturbedDataset
from crosswind.reading import json_file
from crosswind.run.folders import write_json
from crosswind.run.step import digest
from crosswind.study.spec import Study, validate_mapping
from crosswind.tasks.refs import DataRef

FINISHED = "finished"  # the folder of what is finished, below that of the attack
_ABOUT, _REWRITES, _OUTCOMES, _PREDICTIONS = (
    ".attack.json",
    ".rewrites.parquet",
    ".outcomes.parquet",
    ".predictions.parquet",
)
_TOLD = 12  # characters of a digest that tell names apart
_LONGEST = 180  # bytes of a name: folders hold names of 255


@dataclass(frozen=True)
class VictimAttack:
    """An attack on a victim, as results name it: `victim` is an address, or `FILE.py:NAME` without its folder.

    `identity` is the digest of all that was asked, and `asked` that of the victim and the texts alone; both are empty
    of a folder that an older version wrote.
    """

    victim: str
    ref: DataRef
    attack: str
    budget: int
    protection: str
    study: Study
    identity: str = ""
    asked: str = ""

    @property
    def stem(self) -> str:
        """What the names of its files begin with."""
        protection = "" if self.protection == "none" else f"-{self.protection}"
        data = self.ref.name.replace("/", "-")
        return file_name(f"{self.victim}-{data}-{self.attack}-{self.budget}{protection}-{self.identity[:_TOLD]}")

    @property
    def clean_stem(self) -> str:
        """The same of the texts as they were."""
        return file_name(f"{self.victim}-{self.ref.name.replace('/', '-')}-clean-{self.asked[:_TOLD]}")


def write_attack(
    folder: Path,
    about: VictimAttack,
    perturbed: PerturbedDataset,
    outcomes: pl.DataFrame,
    before: Sequence[Prediction],
    after: Sequence[Prediction],
    figures: Mapping[str, Any] | None,
) -> None:
    """Write what an attack left; `before` and `after` are in the order of the examples."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = [e.id for e in perturbed.dataset.examples]
    perturbed.table().write_parquet(folder / f"{about.stem}{_REWRITES}")
    outcomes.write_parquet(folder / f"{about.stem}{_OUTCOMES}")
    write_predictions(folder / f"{about.stem}{_PREDICTIONS}", ids, after)
    write_predictions(folder / f"{about.clean_stem}{_PREDICTIONS}", ids, before)
    value = {
        "crosswind": __version__,
        "victim": about.victim,
        "data": about.ref.to_json(),
        "attack": about.attack,
        "budget": about.budget,
        "protection": about.protection,
        "identity": about.identity,
        "asked": about.asked,
        "figures": figures,
        "study": json.loads(about.study.model_dump_json(exclude_unset=True)),
    }
    write_json(folder / f"{about.stem}{_ABOUT}", value)


def written_attacks(folder: Path) -> Iterator[tuple[VictimAttack, Path]]:
    """The attacks that a folder holds, each with the file of its rewrites; a `UserError` for a file that is none."""
    for path in sorted(folder.glob(f"*{_ABOUT}")):
        value = json_file(path)
        try:
            names = {name: str(value[name]) for name in ("victim", "attack", "protection")}
            ref, budget, study = DataRef.from_json(value["data"]), int(value["budget"]), value["study"]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            hint = "attack anew with --out: what was finished is found"
            raise UserError("does not say what was attacked", where=str(path), hint=hint) from error
        checked: Study = validate_mapping(Study, study, str(path))
        digests = {name: str(value.get(name, "")) for name in ("identity", "asked")}
        about = VictimAttack(ref=ref, budget=budget, study=checked, **names, **digests)
        yield about, path.with_name(path.name.removesuffix(_ABOUT) + _REWRITES)


def victim_folders(attacks: Sequence[VictimAttack]) -> list[str]:
    """The folder of each attack's victim: its name, and behind it the identity of attacks that are called the same."""

    def called(one: VictimAttack) -> tuple[object, ...]:
        return one.victim, one.ref.name, one.attack, one.budget, one.protection

    times = Counter(map(called, attacks))
    return [
        file_name(f"{one.victim}-{one.identity[:_TOLD]}" if times[called(one)] > 1 else one.victim) for one in attacks
    ]


def file_name(text: str) -> str:
    """A text as the name of a file; a long one ends in its hash."""
    name = "".join(c if c.isalnum() or c in "-_.+=,()" else "_" for c in text)
    if len(name.encode()) <= _LONGEST:
        return name
    return f"{name.encode()[: _LONGEST - 13].decode(errors='ignore')}-{digest(text)[:12]}"
