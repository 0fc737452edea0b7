"""Claims judged by the contrasts of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from crosswind.analysis.claimed_differences import Adjusted, difference_finding, difference_of, helping, versus_all
from crosswind.analysis.claimed_ranks import best_finding, chosen_finding, consistent_finding, most_finding
from crosswind.analysis.claims import (
    BestCheck,
    ChosenCheck,
    Claim,
    ClaimCheck,
    ClaimVerdict,
    ConsistentCheck,
    DifferenceCheck,
    Finding,
    JudgedClaim,
    MostCheck,
    ProvenanceCheck,
    RunFacts,
    same_model,
)
from crosswind.analysis.contrasted import Contrast


def judge_claims(claims: Sequence[Claim], contrasts: Sequence[Contrast], run: RunFacts) -> list[JudgedClaim]:
    """Every claim judged by a run; p-values are adjusted over all checks of all claims (Holm)."""
    tested = [c for claim in claims for check in claim.checks for c in _used(check, contrasts, run)]
    differences = [check for claim in claims for check in claim.checks if isinstance(check, DifferenceCheck)]
    adjusted = Adjusted.of(tested, differences, contrasts, run)
    return [_judged(claim, contrasts, run, adjusted) for claim in claims]


def _judged(claim: Claim, contrasts: Sequence[Contrast], run: RunFacts, adjusted: Adjusted) -> JudgedClaim:
    findings = tuple(_finding(check, contrasts, run, adjusted) for check in claim.checks)
    verdict = _of_checks([f.verdict for f in findings])
    outside = claim.scope.lacking(run)
    if outside and not claim.of_procedure:
        return JudgedClaim(claim, "not tested", findings, outside, verdict)
    return JudgedClaim(claim, verdict, findings, remark="" if claim.of_procedure else claim.scope.remark(run))


def _of_checks(verdicts: Sequence[ClaimVerdict]) -> ClaimVerdict:
    """A claim is refuted by one check and supported by all."""
    order: tuple[ClaimVerdict, ...] = ("refuted", "not tested", "undecided", "supported")
    return min(verdicts, key=order.index) if verdicts else "not tested"


def _finding(check: ClaimCheck, contrasts: Sequence[Contrast], run: RunFacts, adjusted: Adjusted) -> Finding:
    match check:
        case DifferenceCheck():
            return difference_finding(check, contrasts, run, adjusted)
        case BestCheck():
            return best_finding(check, contrasts, run, adjusted)
        case MostCheck():
            return most_finding(check, contrasts, run)
        case ConsistentCheck():
            return consistent_finding(check, contrasts, run, adjusted)
        case ChosenCheck():
            return chosen_finding(check, contrasts, run)
        case ProvenanceCheck():
            return _provenance(check, run)
        case _:
            assert_never(check)


def _used(check: ClaimCheck, contrasts: Sequence[Contrast], run: RunFacts) -> list[Contrast]:
    """The contrasts whose p-values a check looks at."""
    match check:
        case DifferenceCheck():
            return [c for c, _ in difference_of(check, contrasts, run)]
        case BestCheck():
            routes = check.route.matches(run.routes, run.facts)
            return [c for route in routes for c, _ in versus_all(route, check, contrasts, run)]
        case ConsistentCheck():
            return [c for c, _ in helping(check, contrasts, run)]
        case MostCheck() | ChosenCheck() | ProvenanceCheck():
            return []
        case _:
            assert_never(check)


def _provenance(check: ProvenanceCheck, run: RunFacts) -> Finding:
    said, holds = [], True
    if check.encoder:
        holds = holds and all(same_model(check.encoder, name) for name in run.encoders)
        said.append(f"encoder {', '.join(run.encoders)}")
    if check.phases is not None:
        trained = {route: int(run.facts.factors.get(route, {}).get("phases", "0")) for route in run.routes}
        with_phase = [route for route, phases in trained.items() if phases]
        tuned = [selection for selection in run.selections if selection != "untuned"]
        # The encoder, at least one phase between, and the target's own.
        holds = holds and bool(with_phase) and (check.phases < 3 or bool(tuned))
        said.append(f"{len(with_phase)} of {len(run.routes)} routes with an intermediate phase")
    if check.covers:
        seen = {task for route in run.routes for task in run.facts.factors.get(route, {}).get("tasks", "").split()}
        missing = [task for task in check.covers if task not in seen]
        holds = holds and not missing
        without = f" (not {', '.join(missing)})" if missing else ""
        said.append(f"{len(check.covers) - len(missing)} of {len(check.covers)} tasks{without}")
    # A run that does something else is no evidence against what others did.
    return Finding("supported" if holds else "not tested", ("" if holds else "this run is another: ") + "; ".join(said))
