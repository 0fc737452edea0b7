"""Claims judged by run folders: what a run is, its verdicts, and published figures published them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from crosswind.analysis.claim_verdicts import judge_claims
from crosswind.analysis.claims import (
    STATUS,
    ClaimVerdict,
    Finding,
    JudgedClaim,
    RunFacts,
    encoder_words,
    stated,
)
from crosswind.analysis.condition import APART
from crosswind.analysis.published import published_results
from crosswind.analysis.results import CLEAN, NONE
from crosswind.analysis.summary import Summary
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS
from crosswind.plain_yaml import parse_yaml, yaml_text
from crosswind.run.folders import file_hash
from crosswind.study.claim_file import ClaimFile, PublishedSpec, claim_files, read_claims
from crosswind.study.claim_names import KnownNames, require_known_names, unknown_route
from crosswind.study.folder import STUDY, kept_claims
from crosswind.study.joined import RunResults, join_read, read_run, read_table


@dataclass(frozen=True)
class ClaimsReport:
    """The claims of a file, judged by runs of one encoder (`sizes` its number of parameters), or by what several
    encoders agree on."""

    file: ClaimFile
    runs: tuple[Path, ...]
    judged: tuple[JudgedClaim, ...]
    published: Mapping[str, str]
    command: str
    encoder: str = ""
    sizes: tuple[int | None, ...] = ()
    unknown: UserError | None = None  # of a route that no run has, nor any file of the package names

    @property
    def encoder_words(self) -> str:
        """The encoder with its size, for a statement."""
        return encoder_words(self.encoder, self.sizes[0] if len(self.sizes) == 1 else None)

    def statement(self, judged: JudgedClaim) -> str:
        """A claim as it is judged here: of an encoder of a size."""
        return stated(judged.claim, self.encoder, self.encoder_words)

    def to_json(self) -> list[dict[str, Any]]:
        """A mapping a claim: VERIFIED, FALSIFIED or UNVERIFIED, what that rests on, and the command that repeats it."""
        return [self._entry(judged) for judged in self.judged]

    def _entry(self, judged: JudgedClaim) -> dict[str, Any]:
        claim = judged.claim
        return {
            "id": claim.id,
            "statement": self.statement(judged),
            "encoder": self.encoder,
            "parameters": [*self.sizes],
            "general": claim.general,
            "source": claim.source,
            "status": STATUS[judged.verdict],
            "verdict": judged.verdict,
            "outside": judged.outside,
            "remark": judged.remark,
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
    """What the command line names: run folders, and files of claims (without one: those of the study, or else the
    package's own)."""
    shipped = claim_files()
    files = [
        text for text in given if text.endswith((".yaml", ".yml")) or (text in shipped and not Path(text).exists())
    ]
    runs = [Path(text) for text in given if text not in files]
    if not runs:
        raise UserError("no run to judge them by", where="claims", hint="name the folder of a run")
    return runs, files or named_claims(*runs) or list(shipped)


def named_claims(*runs: Path) -> list[str]:
    """The files of claims that the studies of run folders name, without those of a study that cannot be read.

    A path is the file that lies there; where none does, because it is read from another folder or was moved, the copy
    which the run keeps. Copies of one file that several runs keep are one.
    """
    named: dict[str, str] = {}
    for name in (name for run in runs for name in _named_claims(run)):
        shipped = name in claim_files() or not os.path.isfile(name)
        named.setdefault(name if shipped else file_hash(Path(name)), name)
    return [*named.values()]


def claims_unlike_kept(runs: Sequence[Path], judged: Sequence[str] | None = None) -> list[str]:
    """A note for each file of claims, of those that are `judged` (default: all), that is not what a run kept of it: it
    was edited since, or another one lies at its path in the folder that the run is read from."""
    return [
        f"The claims are those of {name} as it is now; {kept} is what the run kept of it, and differs."
        for run in runs
        for name, kept in _own_claims(run)
        if (judged is None or name in judged) and os.path.isfile(name) and kept.is_file()
        if file_hash(Path(name)) != file_hash(kept)
    ]


def _named_claims(run: Path) -> Iterator[str]:
    for name, kept in _own_claims(run):
        yield str(kept) if name not in claim_files() and not os.path.exists(name) and kept.is_file() else name


def _own_claims(run: Path) -> Iterator[tuple[str, Path]]:
    """What the study of a run folder names, each with where the run keeps it."""
    try:
        value = parse_yaml(yaml_text(run / STUDY, "study"), str(run / STUDY)).get("claims")
    except UserError:
        return
    for number, name in enumerate(map(str, value) if isinstance(value, list) else ()):
        yield name, kept_claims(run, number, name)


def judge_runs(runs: Sequence[Path], claims: str) -> list[ClaimsReport]:
    """The claims of a file (the package's by its name, or a path) judged by runs of one study, encoder by encoder; of
    several encoders also by what they agree on."""
    file = read_claims(claims)
    groups: dict[str, list[RunResults]] = {}
    for run in map(read_run, runs):
        groups.setdefault(str(run.identity.get("encoder", "")), []).append(run)
    of_all = [run for members in groups.values() for run in members]
    mistyped = None
    if claims not in claim_files():
        names = KnownNames.of_runs(of_all)
        require_known_names(file, names)
        mistyped = unknown_route(file, names)
    command = shlex.join(["crosswind", "claims", *map(str, runs), claims])
    reports = []
    for encoder, members in groups.items():
        measured, choosing = _measured_and_choosing(members)
        joined = join_read(measured)
        judged, published = judged_by(file, joined, joined.summary(), choosing)
        sizes = (parameters_of(joined),)
        paths = tuple(path for run in members for path in run.paths)
        reports.append(ClaimsReport(file, paths, judged, published, command, encoder, sizes, mistyped))
    return [*reports, *([_agreed(reports)] if len(reports) > 1 else [])]


def parameters_of(run: RunResults) -> int | None:
    """How many parameters a run's encoder has, as far as the run says."""
    size = run.identity.get("parameters")
    return size if isinstance(size, int) else None


def _measured_and_choosing(runs: Sequence[RunResults]) -> tuple[list[RunResults], list[RunResults]]:
    """The runs that are judged, and beside them those that choose: of another study, with development data where it
    evaluates others. Without any others these are what is judged."""
    chooses = [any(_chooses(run, other) for other in runs) for run in runs]
    choosing = [run for run, chosen in zip(runs, chooses, strict=True) if chosen]
    measured = [run for run, chosen in zip(runs, chooses, strict=True) if not chosen]
    seeds = {seed for run in measured for seed in run.seeds}
    trained = frozenset().union(*map(_trained, measured))
    for run in choosing if measured else ():
        otherwise = run.analysed.facts.factors != measured[0].analysed.facts.factors
        what = ""
        if lacking := sorted(set(run.seeds) - seeds):
            what = f"has pipeline seeds that no other run has: {', '.join(map(str, lacking))}"
        elif otherwise or (trained and not _trained(run) <= trained):
            what = f"has models that are trained otherwise than those of {measured[0].paths[0]}"
        if what:
            raise UserError(
                what,
                where=str(run.paths[0]),
                hint="run the same study with the split dev, so that development data choose among the same models",
            )
    return (measured, choosing) if measured else (list(runs), [])


def _chooses(run: RunResults, other: RunResults) -> bool:
    """Whether a run has what the other's routes are chosen on: development data of its targets, and else the same.

    A run of the same study that has no other cells yet is incomplete.
    """
    mine, theirs = _splits(run.rows), _splits(other.rows)
    if run.identity.get("study") == other.identity.get("study") or set(theirs.values()) == {("dev",)}:
        return False
    moved = [target for target, splits in mine.items() if splits == ("dev",) != theirs.get(target)]
    return bool(moved) and all(target in moved or splits == theirs.get(target) for target, splits in mine.items())


def _trained(run: RunResults) -> frozenset[str]:
    """The steps that trained its models; none of a run that keeps no provenance."""
    tables = [path / "provenance.parquet" for path in run.paths]
    frames = [read_table(table, {"step": pl.String(), "kind": pl.String()}) for table in tables if table.is_file()]
    return frozenset(step for frame in frames for step in frame.filter(kind="train")["step"])


def judged_by(
    file: ClaimFile, run: RunResults, summary: Summary, choosing: Sequence[RunResults] = ()
) -> tuple[tuple[JudgedClaim, ...], Mapping[str, str]]:
    """The claims of a file judged by runs of one encoder, whose development scores `choosing` has too; and what
    published figures say, by the id of a claim."""
    judged = judge_claims(file.claims, summary.contrasts, run_facts(run, choosing))
    published = {claim_id: _published(spec) for claim_id, spec in file.published.items()}
    return tuple(_of_one_size(x) for x in judged), published


_ONE_SIZE = "it is worded of encoders at large, which needs two sizes that agree"


def _of_one_size(judged: JudgedClaim) -> JudgedClaim:
    """A claim that is worded of encoders at large says nothing by one of them."""
    if not judged.claim.general or judged.outside:
        return judged
    return replace(judged, verdict="not tested", outside=_ONE_SIZE, analogue=judged.verdict)


def _agreed(reports: Sequence[ClaimsReport]) -> ClaimsReport:
    """What encoders of unequal size agree on: the claims that name none."""
    first = reports[0]
    names = ", ".join(report.encoder_words for report in reports)
    made = []
    for i, judged in enumerate(first.judged):
        if judged.claim.scope.encoder or judged.claim.of_procedure:
            continue
        verdicts = [(report, _of_encoder(report.judged[i])) for report in reports]
        tested = [(report, verdict) for report, verdict in verdicts if verdict not in (None, "not tested")]
        text = "; ".join(f"{report.encoder_words}: {verdict}" for report, verdict in verdicts)
        agreed = _of_sizes([*tested])
        made.append(JudgedClaim(judged.claim, agreed, (Finding(agreed, text),)))
    runs = tuple(run for report in reports for run in report.runs)
    sizes = tuple(size for report in reports for size in report.sizes)
    return ClaimsReport(first.file, runs, tuple(made), {}, first.command, f"all of {names}", sizes, first.unknown)


def _of_encoder(judged: JudgedClaim) -> ClaimVerdict | None:
    """What one encoder says of a claim: nothing where its run is outside the scope for another reason than its size."""
    return judged.analogue if judged.outside == _ONE_SIZE else judged.verdict


def _of_sizes(tested: Sequence[tuple[ClaimsReport, ClaimVerdict | None]]) -> ClaimVerdict:
    """Supported or refuted where at least two sizes say so and none says otherwise. Encoders of unknown size are told
    apart by their names."""
    sizes = {report.sizes[0] or report.encoder for report, _ in tested}
    verdicts = {verdict for _, verdict in tested}
    if len(sizes) < 2:
        return "not tested"
    return "supported" if verdicts == {"supported"} else "refuted" if verdicts == {"refuted"} else "undecided"


def run_facts(run: RunResults, choosing: Sequence[RunResults] = ()) -> RunFacts:
    """What claims ask of a run besides its contrasts; `choosing` are runs of the same routes on development data."""
    rows = run.rows
    plain = _plain(rows)
    headline = run.analysed.headline
    dev: dict[tuple[str, str], list[float]] = {}
    # What is chosen and measured on the same data gains by the choice alone.
    measured = set(plain.filter(pl.col("split") != "dev")["target"])
    usual = ~pl.col("selection").is_in(APART)
    chosen_on = pl.concat([plain, *(_plain(other.rows) for other in choosing)]).filter(usual)
    for row in chosen_on.filter((pl.col("split") == "dev") & pl.col("target").is_in(measured)).iter_rows(named=True):
        metric = headline.get(row["target"], row["metric"])
        of_headline = row["metric"] == metric and row["key"] == METRICS[metric].headline
        if row["score"] is not None and of_headline:
            dev.setdefault((row["route"], row["target"]), []).append(row["score"])
    return RunFacts(
        encoders=tuple(rows["encoder"].unique(maintain_order=True)),
        routes=run.analysed.routes,
        targets=tuple(rows["target"].unique(maintain_order=True)),
        splits=_splits(rows),
        selections=tuple(rows["selection"].unique().sort()),
        facts=run.analysed.facts,
        development={name: sum(scores) / len(scores) for name, scores in dev.items()},
        languages=_languages(rows),
    )


def _splits(rows: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """The splits that each target is evaluated on."""
    by_target = rows.group_by("target", maintain_order=True).agg(pl.col("split").unique().sort())
    return {target: tuple(splits) for target, splits in by_target.iter_rows()}


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter((pl.col("perturbation") == CLEAN) & (pl.col("attack") == NONE) & (pl.col("defence") == NONE))


def _languages(rows: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """The languages of each target that every route, defence and seed has a clean score in, pairs of languages aside:
    averages that are compared are over these."""
    model = pl.concat_str("route", "defence", "pipeline_seed", separator="\n")
    plain = rows.filter(
        (pl.col("perturbation") == CLEAN)
        & (pl.col("attack") == NONE)
        & ~pl.col("selection").is_in(APART)
        & ((pl.col("context_language") == "") | (pl.col("context_language") == pl.col("language")))
    ).with_columns(model=model)
    models = plain.group_by("target").agg(pl.col("model").n_unique().alias("all"))
    having = plain.group_by("target", "language").agg(pl.col("model").n_unique())
    shared = having.join(models, on="target").filter(pl.col("model") == pl.col("all"))
    by_target = shared.group_by("target").agg(pl.col("language").sort()).sort("target")
    return {target: tuple(languages) for target, languages in by_target.iter_rows()}


def _published(spec: PublishedSpec) -> str:
    """What published figures say of a claim."""
    for result in published_results():
        words = result.what or f"{result.task} {result.key} {result.where}"
        if result.arxiv == spec.arxiv and words == spec.what and result.setting == spec.setting:
            agrees = isinstance(result.value, int | float) and abs(result.value - spec.size) <= spec.tolerance
            said = f"agrees: {result.value}" if agrees else f"differs: {result.value}, the claim says {spec.size:g}"
            setting = f"{result.setting}; " if result.setting else ""
            return f"{said} ({setting}{result.source}; {result.evidence})"
    return "no such figure"
