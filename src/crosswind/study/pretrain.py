"""Pretraining as a user asks for it: a configuration, alone (`crosswind pretrain`) or as a study's encoder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from crosswind.data.files import Files
from crosswind.data.languages import unknown_language
from crosswind.data.source import open_source
from crosswind.errors import UserError
from crosswind.perturb.perturbation import PERTURBATIONS
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.plain_yaml import parse_yaml, yaml_text
from crosswind.reading import expanded
from crosswind.registry import included
from crosswind.run.executors import EXECUTORS, Executor
from crosswind.run.folders import check_writable, replacing
from crosswind.run.loop import run_graph
from crosswind.run.machine import Hardware
from crosswind.run.outcome import StepFailed
from crosswind.run.progress import Reporter
from crosswind.run.step import Graph, Step
from crosswind.run.store import Store
from crosswind.steps.pretrain import PRETRAIN, ContrastiveParams, PretrainParams, TextParams, pretraining_defaults
from crosswind.study.encoders import encoder_fingerprint, place_of
from crosswind.study.spec import (
    BudgetSpec,
    Data,
    PretrainedEncoder,
    Seed,
    StrictModel,
    TrainingSpec,
    at_most,
    listed,
    set_key,
    validate_mapping,
)
from crosswind.tasks.base import CORPORA
from crosswind.tasks.load import text_fingerprint
from crosswind.train.budget import Budget

# Settings that mean nothing to masked LM on lines of text
NOT_OURS = ("batch_by", "classifier_pooling", "stride", "evaluate_every", "patience")


class TextSpec(StrictModel):
    """A corpus by name, or files: `path` with its `language`, or `paths` by language, aligned by line."""

    name: str | None = None
    languages: list[str] | None = None
    rows: str | None = None
    path: Path | None = None
    language: str | None = None
    paths: dict[str, Path] | None = None

    @model_validator(mode="after")
    def one_source(self) -> TextSpec:
        if sum(x is not None for x in (self.name, self.path, self.paths)) != 1:
            raise ValueError("text is a corpus's name, a path with its language, or paths by language")
        if self.path is not None and self.language is None:
            raise ValueError("a path needs its language")
        if self.name is None and (self.rows is not None or self.languages is not None):
            raise ValueError("rows and languages are for a corpus by name")
        return self


class TokenizerSpec(StrictModel):
    """A BPE tokenizer to train on the text, on `lines` of it if there are more; `path` of an existing one otherwise."""

    path: str | None = None
    vocab_size: Annotated[int, at_most(10_000_000, "no encoder has so many word embeddings")] = Field(8000, ge=100)
    lines: int = Field(1_000_000, ge=1)


class ContrastiveSpec(StrictModel):
    """Robust contrastive pretraining: a line and its noisy version are drawn together, `noise` anew in every epoch.

    `weight` is that of the contrastive loss beside masked LM, `temperature` what its cosines are divided by.
    """

    noise: Annotated[list[str], BeforeValidator(listed)] = Field(min_length=1)
    weight: float = Field(1.0, gt=0, le=1e3)
    temperature: float = Field(0.05, gt=0, le=100)


class PretrainConfig(StrictModel):
    """A pretraining configuration. `model` holds `XLMRobertaConfig` keys (hidden_size, …)."""

    name: str
    seed: Seed = 1
    encoder: str | None = None
    tokenizer: TokenizerSpec = TokenizerSpec()
    model: dict[str, int | float | str | bool] = Field(default_factory=dict)
    data: Data = Data(source="files")
    text: Annotated[list[TextSpec], BeforeValidator(listed)] = Field(min_length=1)
    tlm: float = Field(0.4, ge=0, le=1)
    contrastive: Annotated[
        ContrastiveSpec | None, BeforeValidator(lambda v: {"noise": v} if isinstance(v, str | list) else v)
    ] = None
    budget: BudgetSpec = BudgetSpec(epochs=1)
    training: TrainingSpec = TrainingSpec()

    @model_validator(mode="after")
    def for_text(self) -> PretrainConfig:
        for key in NOT_OURS:
            if key in self.training.model_fields_set:
                raise ValueError(f"training.{key} means nothing to masked LM; leave it out")
        if self.contrastive is not None and self.training.batch_size == 1:
            raise ValueError("training.batch_size: 1: the negatives of a contrastive loss are the others of a batch")
        if self.budget.items is not None:
            raise ValueError("budget.items: a pretraining budget counts lines, not items")
        return self


def read_config(path: Path, overrides: list[str] | None = None) -> PretrainConfig:
    """Read and check a configuration; `UserError`s name file and key."""
    value = parse_yaml(yaml_text(path, "configuration"), str(path))
    for override in overrides or []:
        set_key(value, override)
    config: PretrainConfig = validate_mapping(PretrainConfig, value, str(path))
    return config


@dataclass(frozen=True)
class Pretraining:
    """A step that pretrains, and the part of the context (`pretrain`) that says where its text lies."""

    step: Step
    world: Mapping[str, Any]


def config_of(encoder: PretrainedEncoder) -> PretrainConfig:
    """The configuration that a study names or holds."""
    if isinstance(encoder.pretrain, Path):
        return read_config(expanded(encoder.pretrain, "encoder.pretrain"))
    config: PretrainConfig = validate_mapping(PretrainConfig, encoder.pretrain, "encoder.pretrain")
    return config


def pretraining(config: PretrainConfig, executor: Executor, device: str = "auto") -> Pretraining:
    """The step of a configuration; a `UserError` for text that is not there."""
    training = replace(pretraining_defaults(), **config.training.model_dump(exclude_none=True))
    hardware = executor.resolve(Hardware(device, training.precision))
    data: dict[str, str] = {}
    world: dict[str, Any] = {"data": config.data.settings(), "files": {}}
    text = tuple(_text(part, i, config, data, world) for i, part in enumerate(config.text))
    # The context is JSON, whose keys are texts.
    world["files"] = [world["files"].get(i, []) for i in range(len(text))]
    if config.encoder is not None:
        data["encoder"] = encoder_fingerprint(config.encoder)
        world["encoder"] = place_of(config.encoder)
    if config.tokenizer.path is not None:
        folder = expanded(config.tokenizer.path, "tokenizer.path")
        files = sorted(folder.glob("*")) if folder.is_dir() else []
        data["tokenizer"] = Files(folder).fingerprint([p for p in files if p.is_file()]) if files else str(folder)
        world["tokenizer"] = str(folder.absolute()) if folder.is_dir() else config.tokenizer.path
    params = PretrainParams(
        text=text,
        seed=config.seed,
        training=replace(training, precision=hardware.precision),
        model=tuple(sorted(config.model.items())),
        vocab_size=config.tokenizer.vocab_size,
        tokenizer_lines=config.tokenizer.lines,
        tlm=config.tlm,
        budget=Budget(**config.budget.model_dump()),
        device=hardware.device,
        contrastive=None if config.contrastive is None else _contrastive(config.contrastive, text, data),
    )
    return Pretraining(PRETRAIN.step(params, data=data, label=config.name), world)


def _contrastive(spec: ContrastiveSpec, text: Sequence[TextParams], data: dict[str, str]) -> ContrastiveParams:
    """The noise of a contrastive pretraining; a `UserError` for one that no language has, or that needs more."""
    languages = dict.fromkeys(code for part in text for code in part.languages)
    noise = []
    for i, written in enumerate(spec.noise):
        where = f"contrastive.noise[{i}]"
        made = parse_spec(written, where=where)
        if not made.preserving or any(atom.perturbation.add is not None for atom in made.atoms):
            hint = "choose a preserving perturbation (crosswind list perturbations)"
            raise UserError(f"{made.name} makes no text that says the same", where=where, hint=hint)
        scopes = [TextScope(code) for code in languages]
        reasons = [made.applies(scope) for scope in scopes]
        if None not in reasons:
            raise UserError(f"{made.name}: {reasons[0]}", where=where, hint="choose noise that some language has")
        for scope in (s for s, reason in zip(scopes, reasons, strict=True) if reason is None):
            if made.needs(scope):
                hint = "pretraining takes perturbations that need nothing"
                raise UserError(f"{made.name} needs data, steps or models", where=where, hint=hint)
            data |= {f"contrastive {name}": value for name, value in made.resources(scope).items()}
        for atom in made.atoms:
            if (origin := PERTURBATIONS.origin(atom.name)) is not None:
                data[f"declared perturbation {atom.name}"] = origin
        noise.append(tuple((atom.identity, atom.severity) for atom in made.atoms))
    return ContrastiveParams(tuple(noise), spec.weight, spec.temperature)


def pretrain_into(
    config: PretrainConfig, out: Path, store: Store, reporter: Reporter, *, executor: str = "local"
) -> dict[str, Any]:
    """Pretrain through the store and put the checkpoint into `out`; returns what happened: steps, losses, tokens.

    What the store has is not trained again, and what was stopped goes on.
    """
    _check_out(out)
    engine = EXECUTORS.get(executor, where="--executor")
    made = pretraining(config, engine)
    context = {"pretrain": made.world, "include": [str(folder) for folder in included()]}
    graph = Graph([made.step], context)
    logs = store.root / "logs" / made.step.key[:16]
    outcome = run_graph(graph, [made.step.key], store, engine, reporter=reporter, folder=logs)
    for failure in outcome.failed.values():
        if failure.mistake:
            raise UserError(failure.message, where=config.name)
        if failure.traceback:
            raise RuntimeError(failure.traceback)
        raise StepFailed(failure.message)
    export_checkpoint(store.path(made.step.key) / "model", out)
    return training_facts(store, made.step.key)


def training_facts(store: Store, key: str) -> dict[str, Any]:
    """What happened in a step that trained: steps, losses, scores, tokens, CPU seconds."""
    import json

    facts: dict[str, Any] = json.loads((store.path(key) / "training.json").read_text(encoding="utf-8"))
    meta = store.manifest(key)["meta"]
    return facts | {"tokens": meta["tokens"], "seconds": meta["seconds"]["wall"]}


def export_checkpoint(folder: Path, out: Path) -> None:
    """Copy a checkpoint to a folder of the user's; `config.json` last, which is what makes a folder a checkpoint."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.iterdir(), key=lambda p: p.name == "config.json"):
        with replacing(out / path.name) as draft:
            shutil.copyfile(path, draft)


def _text(
    part: TextSpec, index: int, config: PretrainConfig, data: dict[str, str], world: dict[str, Any]
) -> TextParams:
    where = f"text[{index}]"
    if part.name is not None:
        corpus = CORPORA.get(part.name, where=where)
        languages = tuple(corpus.languages if part.languages is None else part.languages)
        for code in languages:
            if code not in corpus.languages:
                raise unknown_language(code, corpus.languages, where=f"{where}.languages")
        data[where] = text_fingerprint(corpus, languages, open_source(config.data.settings()))
        if (origin := CORPORA.origin(part.name)) is not None:
            data[f"declared corpus {part.name}"] = origin
        return TextParams(languages, part.name, part.rows)
    paths = [part.path] if part.path is not None else list((part.paths or {}).values())
    there = [expanded(path, "text").absolute() for path in paths]
    for path in there:
        if not path.is_file():
            raise UserError("no such file", where=f"{where}: {path}", hint="name a text file, one sentence a line")
    data[where] = Files(Path("/")).fingerprint(there)
    world["files"][index] = [str(path) for path in there]
    return TextParams(tuple([part.language or ""] if part.path is not None else part.paths or ()))


def _check_out(out: Path) -> None:
    check_writable(out)
    if (out / "config.json").exists():
        raise UserError("holds a checkpoint already", where=str(out), hint="name a new folder with --out")
    if out.is_dir() and any(out.iterdir()):
        raise UserError("is a folder of something else", where=str(out), hint="name a new folder with --out")
