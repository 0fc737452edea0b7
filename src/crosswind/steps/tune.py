"""`tune`: the severity at which a perturbation does a given damage to a test set; knows no model and no label.

It is found by bisection on at most a thousand evenly spread examples, those of which the damage is measured in results,
for the draw that is evaluated: levels of a draw nest. Writes `severity.json`; its facts are the input of `rewrite`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from crosswind.perturb.perturbation import NotApplicable
from crosswind.perturb.tuning import DamageAxis
from crosswind.run.folders import write_json
from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind, unsigned
from crosswind.steps.parameters import tokens_of
from crosswind.steps.perturbing import COLUMN, NoiseParams, planned_noise


@dataclass(frozen=True, kw_only=True)
class TuneParams(NoiseParams):
    """As `NoiseParams`, the severity of each part being 1; and the damage wanted."""

    axis: DamageAxis = unsigned(COLUMN)
    value: float = unsigned(COLUMN)


def _run(job: Job[TuneParams], worker: Worker) -> str:
    from crosswind.perturb.damage import Damage, damage_of, damage_sample
    from crosswind.perturb.tuning import DamageTarget, tuned_severity

    params = job.params
    target = DamageTarget(params.axis, params.value)
    noise = planned_noise(job, worker)
    sample = damage_sample(noise.data)

    @cache
    def measured(severity: float) -> Damage:
        return damage_of(sample, noise.perturbed(sample, noise.spec.at(severity)), params.fields)

    refused, most = "", Damage()
    try:
        most = measured(1.0)
    except NotApplicable as reason:  # the texts lack what the perturbation changes
        refused = reason.what
    named = f"{noise.spec.name}@{target} on {params.ref.name}, draw {params.draw}"
    severity = tuned_severity(measured, target) if target.reached_by(most) else None
    done = target.of(most if severity is None else measured(severity))
    if severity is None:
        job.fact("refused", refused or f"severity 1 does not reach {target}")
        job.note(f"{named}: {refused or f'out of reach, {target.axis} is {done:.4g} at severity 1'}.")
    else:
        job.note(f"{named}: severity {severity:.4g}, {target.axis} is {done:.4g}.")
    job.fact("severity", severity)
    job.fact("reached", done)
    job.fact("examples", len(sample))
    write_json(job.draft.path / "severity.json", {"severity": severity, target.axis: done, "examples": len(sample)})
    return f"{target.axis} {done:.4g}" + ("" if severity is None else f" at severity {severity:.4g}")


TUNE: StepKind[TuneParams] = StepKind(
    name="tune",
    version=1,
    params=TuneParams,
    run=_run,
    cost=lambda params: min(tokens_of(params.ref), 50_000.0) / 2,  # a bisection perturbs a sample eleven times
)
