"""Whether scores that others have published too come out alike."""

from __future__ import annotations

from crosswind.analysis.claims import same_model
from crosswind.analysis.published import compare_published
from crosswind.errors import UserError
from crosswind.study.audit import AuditedRun, Review, Shown, several
from crosswind.study.comparing import trained_by
from crosswind.study.spec import Study, validate_mapping

BAND = 3.0  # points; the standard deviation over seeds of XNLI and PAWS-X is below 1, papers differ by up to 3

# What papers call checkpoints of the hub.
CALLED = {
    "xlm-r large": "xlm-roberta-large",
    "xlm-r base": "xlm-roberta-base",
    "xlm-r": "xlm-roberta-base",
    "mbert": "bert-base-multilingual-cased",
    "rembert": "rembert",
}


def _look(run: AuditedRun) -> Shown:
    study = validate_mapping(Study, run.study, "study.yaml")
    try:
        compared = compare_published(run.run.rows, trained_by(study))
    except UserError as error:
        return Shown(None, f"how the study trains cannot be told here: {error.what}")
    alike = [r for r in compared.rows if same_model(CALLED.get(r.published.model.lower(), ""), r.encoder)]
    if not alike:
        return Shown(None, "no published figure is of the same encoder, test set and training")
    beyond = [r for r in alike if abs(r.difference) > BAND]
    far = [f"{r.published.task} {r.published.where}: {r.difference:+.1f}" for r in beyond]
    if far:
        return Shown(False, f"{len(far)} of {len(alike)} are over {BAND:g} points away: {several(far)}")
    return Shown(True, f"{len(alike)} published figures are within {BAND:g} points")


BASELINES = Review("baselines", "Do scores that others have published come out alike?", _look)
