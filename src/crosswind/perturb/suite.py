"""Frozen suites of perturbations, which papers cite by name: `crosswind-c-1`.

A suite is a file in the package: perturbations with their severities, and one draw. Beside it lies the SHA-256 of the
rewrites that it makes of official test sets, so that a result is of this suite or is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from crosswind.errors import UserError, unknown
from crosswind.perturb.spec import Spec, parse_specs
from crosswind.plain_yaml import parse_yaml, yaml_text
from crosswind.reading import lines

_FOLDER = Path(__file__).with_name("suites")

Published = Mapping[tuple[str, str, str, str], str]
"""(task, language, split, spec) -> SHA-256 of the rewrites."""


@dataclass(frozen=True)
class Suite:
    """`title` is what one cites: name and version. `specs` are its conditions, each of one severity."""

    name: str
    version: int
    draw: int
    specs: tuple[Spec, ...]
    published: Published

    @property
    def title(self) -> str:
        """`crosswind-c-1`."""
        return f"{self.name}-{self.version}"

    @property
    def unreviewed(self) -> str:
        """What every result of it says while the package has no reviews of it."""
        return f"{self.title} is unreviewed: no annotators have judged whether labels hold under it."

    def uncovered(self, task: str) -> str:
        """What a result on a part of a test set says."""
        return f"Of {task} a part was perturbed, which the published hashes of {self.title} do not cover."


def suite_titles() -> list[str]:
    """The suites of the package, as one cites them."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


@lru_cache(maxsize=8)
def load_suite(title: str, where: str | None = None) -> Suite:
    """The suite that a paper cites as `title`; a `UserError` for one that is not there, another version included."""
    path = _FOLDER / f"{title}.yaml"
    if title not in suite_titles():
        raise unknown("suite", title, suite_titles(), where=where)
    value = parse_yaml(yaml_text(path, "a suite"), str(path))
    specs = tuple(s for text in value["perturbations"] for s in parse_specs(text, where=str(path)))
    suite = Suite(value["name"], int(value["version"]), int(value["draw"]), specs, _published(title))
    if suite.title != title:
        raise UserError(f"the file is of {suite.title}", where=str(path), hint="install Crosswind again")
    return suite


def hash_of_rewrites(table: pl.DataFrame) -> str:
    """The SHA-256 of a table of rewrites: of its rows as sorted lines, whatever the file that holds it."""
    rows = sorted(zip(*(table[c].to_list() for c in ("id", "part", "field", "rewrite")), strict=True))
    digest = hashlib.sha256()
    for row in rows:
        digest.update("\t".join(row).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def check_published(suite: Suite, task: str, language: str, split: str, spec: str, table: pl.DataFrame) -> str | None:
    """What to say of rewrites that a suite made of a whole test set: `None` where they are the published ones.

    Raises a `UserError` where others were published.
    """
    expected = suite.published.get((task, language, split, spec))
    if expected is None:
        return f"{suite.title} has no published rewrites of {task} {split}, {language}: these were not compared."
    if hash_of_rewrites(table) != expected:
        raise UserError(
            f"{spec} makes of {task} {split}, {language} other rewrites than {suite.title}",
            where="suite",
            hint="the data, the segmenter (icu4py) or Crosswind are of another version; without the suite it runs",
        )
    return None


def _published(title: str) -> dict[tuple[str, str, str, str], str]:
    path = _FOLDER / f"{title}.sha256.tsv"
    return dict(_rows(path)) if path.is_file() else {}


def _rows(path: Path) -> Iterator[tuple[tuple[str, str, str, str], str]]:
    for number, text in lines(path):
        cells = text.split("\t")
        if len(cells) != 5 or len(cells[4]) != 64:
            hint = "a line is task, language, split, perturbation and a SHA-256, between tabs"
            raise UserError("no entry of a suite", where=f"{path}:{number}", hint=hint)
        yield (cells[0], cells[1], cells[2], cells[3]), cells[4]
