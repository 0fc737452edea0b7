"""Claims judged by run folders: what a run is, its verdicts, and published figures published them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from crosswind.analysis.claims import STATUS, Finding, JudgedClaim, RunFacts, judge_claims
from crosswind.analysis.published import published_results
from crosswind.analysis.results import CLEAN, NONE
from crosswind.errors import UserError
from crosswind.study.claim_file import ClaimFile, PublishedSpec, claim_files, read_claims
from crosswind.study.joined import RunResults, join_runs


@dataclass(frozen=True)
class ClaimsReport:
    """The claims of a file, judged by runs."""

    file: ClaimFile
    runs: tuple[Path, ...]
    judged: tuple[JudgedClaim, ...]
    published: Mapping[str, str]
    command: str

    def to_json(self) -> list[dict[str, Any]]:
        """A mapping a claim: VERIFIED, FALSIFIED or UNVERIFIED, what that rests on, and the command that repeats it."""
        return [self._entry(judged) for judged in self.judged]

    def _entry(self, judged: JudgedClaim) -> dict[str, Any]:
        claim = judged.claim
        return {
            "id": claim.id,
            "statement": claim.statement,
            "source": claim.source,
            "status": STATUS[judged.verdict],
            "verdict": judged.verdict,
            "outside": judged.outside,
            "analogue": judged.analogue,
            "published": self.published.get(claim.id, ""),
            "checks": [_check(finding) for finding in judged.findings],
            "tolerances": [getattr(check, "tolerance", None) for check in claim.checks],
            "runs": [str(run) for run in self.runs],
            "command": self.command,
        }


def _check(finding: Finding) -> dict[str, Any]:
    used = [
        {
            "contrast": c.name,
            "measure": c.measure,
            "scope": c.scope,
            "within": c.within,
            "targets": list(c.targets),
            "languages": list(c.languages),
            "conditions": [condition.label for condition in c.conditions],
            "estimate": c.estimate.score,
            "low": c.estimate.low,
            "high": c.estimate.high,
            "p": c.estimate.p,
            "seeds": list(c.estimate.seeds),
        }
        for c in finding.contrasts
    ]
    return {"verdict": finding.verdict, "text": finding.text, "p_adjusted": finding.adjusted, "contrasts": used}


def runs_and_files(given: Sequence[str]) -> tuple[list[Path], list[str]]:
    """What the command line names: run folders, and files of claims (without one: the package's own)."""
    shipped = claim_files()
    files = [
        text for text in given if text.endswith((".yaml", ".yml")) or (text in shipped and not Path(text).exists())
    ]
    runs = [Path(text) for text in given if text not in files]
    if not runs:
        raise UserError("no run to judge them by", where="claims", hint="name the folder of a run")
    return runs, files or list(shipped)


def judge_runs(runs: Sequence[Path], claims: str) -> ClaimsReport:
    """The claims of a file (the package's by its name, or a path) judged by one run or several of one study."""
    file = read_claims(claims)
    joined = join_runs(runs)
    summary = joined.summary()
    judged = judge_claims(file.claims, summary.contrasts, run_facts(joined))
    published = {claim_id: _published(spec) for claim_id, spec in file.published.items()}
    command = shlex.join(["crosswind", "claims", *map(str, runs), claims])
    return ClaimsReport(file, tuple(runs), tuple(judged), published, command)


def run_facts(run: RunResults) -> RunFacts:
    """What claims ask of a run besides its contrasts."""
    rows = run.rows
    plain = rows.filter((pl.col("perturbation") == CLEAN) & (pl.col("attack") == NONE) & (pl.col("defence") == NONE))
    headline = run.analysed.headline
    dev: dict[tuple[str, str], list[float]] = {}
    for row in plain.filter(pl.col("split") == "dev").iter_rows(named=True):
        if row["score"] is not None and headline.get(row["target"], row["key"]) == row["key"]:
            dev.setdefault((row["route"], row["target"]), []).append(row["score"])
    return RunFacts(
        encoders=tuple(rows["encoder"].unique(maintain_order=True)),
        routes=run.analysed.routes,
        targets=tuple(rows["target"].unique(maintain_order=True)),
        splits=tuple(rows["split"].unique().sort()),
        selections=tuple(rows["selection"].unique().sort()),
        facts=run.analysed.facts,
        development={name: sum(scores) / len(scores) for name, scores in dev.items()},
    )


def _published(spec: PublishedSpec) -> str:
    """What published figures say of a claim."""
    for result in published_results():
        words = result.what or f"{result.task} {result.key} {result.where}"
        if result.arxiv == spec.arxiv and words == spec.what and result.setting == spec.setting:
            agrees = isinstance(result.value, int | float) and abs(result.value - spec.size) <= spec.tolerance
            return f"{'agrees' if agrees else 'differs'}: {result.value} ({result.source}; {result.evidence})"
    return "no such figure"
