"""The encoder that a study's routes begin with: a checkpoint, or one that the study pretrains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crosswind.errors import UserError
from crosswind.reading import expanded
from crosswind.run.executors import Executor
from crosswind.run.folders import file_hash
from crosswind.run.step import Step, digest
from crosswind.study.encoders import (
    describe_encoder,
    encoder_fingerprint,
    encoder_name,
    foreign_code_fingerprint,
    place_of,
)
from crosswind.study.pretrain import config_of, pretraining
from crosswind.study.spec import Study


@dataclass(frozen=True)
class BaseEncoder:
    """`place` and `data` (its fingerprint) of a checkpoint; or the `step` that pretrains it, with its context."""

    name: str
    place: str
    data: Mapping[str, str] = field(default_factory=dict)
    step: Step | None = None
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str | None:
        return self.step.key if self.step else None


def base_encoder(study: Study, executor: Executor) -> BaseEncoder:
    """What a study's `encoder` stands for; a `UserError` where it is not there."""
    if study.predictions is not None:
        return _named_alone(study)
    if isinstance(study.encoder, str):
        fingerprint = {"encoder": encoder_fingerprint(study.encoder, study.revision)}
        if study.trust_remote_code:
            fingerprint["code of the encoder"] = foreign_code_fingerprint(study.encoder, study.revision)
        context = {"trusted": True} if study.trust_remote_code else {}
        return BaseEncoder(encoder_name(study.encoder), place_of(study.encoder), fingerprint, context=context)
    config = config_of(study.encoder)
    made = pretraining(config, executor, study.device)
    return BaseEncoder(config.name, config.name, step=made.step, context={"pretrain": made.world})


def _named_alone(study: Study) -> BaseEncoder:
    """A model that is known by its predictions: its name, and the hashes of the files that hold them."""
    paths = [expanded(path, "predictions").absolute() for path in study.predictions or ()]
    for path in paths:
        if not path.is_file():
            raise UserError(
                "no such file of predictions", where=str(path), hint="name a Parquet, CSV or JSON lines file"
            )
    prints = digest([file_hash(path) for path in paths])
    context = {"predictions": [str(path) for path in paths]}
    return BaseEncoder(str(study.encoder), "", {"predictions": prints}, context=context)


def describe_base(study: Study) -> str:
    """The encoder's name and, where its files are at hand, its size."""
    if study.predictions is not None:
        return f"{study.encoder}, whose predictions were given"
    if isinstance(study.encoder, str):
        return describe_encoder(study.encoder)
    return f"{config_of(study.encoder).name}, pretrained by this study"
