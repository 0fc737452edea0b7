"""Evaluating any checkpoint: a study without training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crosswind.errors import UserError
from crosswind.study.spec import Data, Perturb, Study, Target, Targets, TrainingSpec


def evaluation(
    model: str,
    tasks: Sequence[str],
    *,
    languages: Sequence[str] = (),
    perturb: Sequence[str] = (),
    data: Path | None = None,
    split: str | None = None,
    limit: int | None = None,
    draws: int = 1,
    lexicons: Path | None = None,
    precision: str = "fp32",
    max_length: int = 128,
) -> Study:
    """The study that evaluates a fine-tuned checkpoint (or, for retrieval, any encoder).

    With `data` the official files below it are read, otherwise the hub. Raises `UserError` for no task.
    """
    if not tasks:
        raise UserError("no task is named", where="--task", hint="for example --task xnli")
    if limit is not None and limit < 1:
        raise UserError(f"the limit is {limit}", where="--limit", hint="evaluate at least one example")
    target = Target(split=split, limit=limit, train=[])
    return Study(
        name="evaluate",
        encoder=model,
        fine_tuned=True,
        draws=draws,
        data=Data(source="files", root=data) if data else Data(source="hub"),
        lexicons=lexicons,
        training=TrainingSpec(precision="bf16" if precision == "bf16" else "fp32", max_length=max_length),
        routes={"none": []},
        targets=Targets(tasks=dict.fromkeys(tasks, target), languages=list(languages) or None),
        perturb=[Perturb(spec=p) for p in perturb],
    )
