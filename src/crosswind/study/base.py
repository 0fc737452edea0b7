"""The encoder that a study's routes begin with: a checkpoint, or one that the study pretrains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crosswind.run.executors import Executor
from crosswind.run.step import Step
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
    if isinstance(study.encoder, str):
        fingerprint = {"encoder": encoder_fingerprint(study.encoder, study.revision)}
        if study.trust_remote_code:
            fingerprint["code of the encoder"] = foreign_code_fingerprint(study.encoder, study.revision)
        context = {"trusted": True} if study.trust_remote_code else {}
        return BaseEncoder(encoder_name(study.encoder), place_of(study.encoder), fingerprint, context=context)
    config = config_of(study.encoder)
    made = pretraining(config, executor, study.device)
    return BaseEncoder(config.name, config.name, step=made.step, context={"pretrain": made.world})


def describe_base(study: Study) -> str:
    """The encoder's name and, where its files are at hand, its size."""
    if isinstance(study.encoder, str):
        return describe_encoder(study.encoder)
    return f"{config_of(study.encoder).name}, pretrained by this study"
