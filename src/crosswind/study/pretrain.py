"""Pretraining an encoder from raw and parallel text: masked LM and translation LM, from scratch or on."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BeforeValidator, Field, model_validator

from crosswind.data.examples import ParallelLine, Rows, TextLine
from crosswind.data.leakage import leakage_hashes
from crosswind.data.source import open_source
from crosswind.data.text import read_parallel, read_text
from crosswind.errors import UserError, unknown
from crosswind.model.card import write_card
from crosswind.model.encoder import Encoder, first_line, load_encoder, load_tokenizer, new_encoder
from crosswind.run.step import digest
from crosswind.study import hardware
from crosswind.study.encoders import encoder_fingerprint, place_of
from crosswind.study.leakage import pretraining_manifest
from crosswind.study.spec import Budget, Data, Seed, Spec, TrainingSpec, _listed, parse_yaml, set_key, text_of, validate
from crosswind.tasks.base import CORPORA
from crosswind.tasks.load import load_text, text_fingerprint
from crosswind.train.budget import Budget as PhaseBudget
from crosswind.train.budget import steps_of
from crosswind.train.loop import train
from crosswind.train.masked import MaskedLM, masked_lm, training_lines
from crosswind.train.phase import mean_tokens
from crosswind.train.settings import Training

CHECKPOINT_SECONDS = 120.0
# Settings that mean nothing to masked LM on lines of text
NOT_OURS = ("batch_by", "classifier_pooling", "stride", "evaluate_every", "patience")
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")  # XLM-R's special tokens; their ids are 0, 1, 2, 3 and the last

Lines = list[TextLine | ParallelLine]


class Text(Spec):
    """A corpus by name, or files: `path` with its `language`, or `paths` by language, aligned by line."""

    name: str | None = None
    languages: list[str] | None = None
    rows: str | None = None
    path: Path | None = None
    language: str | None = None
    paths: dict[str, Path] | None = None

    @model_validator(mode="after")
    def one_source(self) -> Text:
        if sum(x is not None for x in (self.name, self.path, self.paths)) != 1:
            raise ValueError("text is a corpus's name, a path with its language, or paths by language")
        if self.path is not None and self.language is None:
            raise ValueError("a path needs its language")
        return self


class Tokenizer(Spec):
    """A BPE tokenizer to train on the text, on `lines` of it if there are more; `path` of an existing one otherwise."""

    path: str | None = None
    vocab_size: int = Field(8000, ge=100)
    lines: int = Field(1_000_000, ge=1)


class Config(Spec):
    """A pretraining configuration. `model` holds `XLMRobertaConfig` keys (hidden_size, …)."""

    name: str
    seed: Seed = 1
    encoder: str | None = None
    tokenizer: Tokenizer = Tokenizer()
    model: dict[str, int | float | str | bool] = Field(default_factory=dict)
    data: Data = Data(source="files")
    text: Annotated[list[Text], BeforeValidator(_listed)] = Field(min_length=1)
    tlm: float = Field(0.4, ge=0, le=1)
    budget: Budget = Budget(epochs=1)
    training: TrainingSpec = TrainingSpec()

    @model_validator(mode="after")
    def for_text(self) -> Config:
        for key in NOT_OURS:
            if key in self.training.model_fields_set:
                raise ValueError(f"training.{key} means nothing to masked LM; leave it out")
        return self


def read_config(path: Path, overrides: list[str] | None = None) -> Config:
    """Read and check a configuration; `UserError`s name file and key."""
    value = parse_yaml(text_of(path, "configuration"), str(path))
    for override in overrides or []:
        set_key(value, override)
    config: Config = validate(Config, value, str(path))
    return config


def pretrain(config: Config, out: Path, advance: Callable[[int, int, str], None] | None = None) -> dict[str, Any]:
    """Pretrain into `out` (a checkpoint with its masked-LM head, a card and a manifest of text hashes).

    Resumes from checkpoints in `out/.training` that belong to the same configuration and text.
    Returns the history: steps, losses.
    """
    _check_out(out)
    found = _lines(config)
    lines = found.lines
    settings = Training(learning_rate=1e-3, warmup=0.05)
    settings = Training(**{**asdict(settings), **config.training.model_dump(exclude_none=True)})
    settings = Training(**{**asdict(settings), "precision": hardware.precision(settings.precision)})
    encoder = _encoder(config, lines)
    max_length = min(settings.max_length, encoder.max_positions)
    objective = masked_lm("mlm", encoder, lines, max_length=max_length, seed=config.seed)
    steps = _steps(config.budget, objective, settings.batch_size)
    before = pretraining_manifest(config.encoder) if config.encoder else frozenset()
    manifest = sorted(before | {h for line in found.written for h in leakage_hashes(line)})
    base = encoder_fingerprint(config.encoder) if config.encoder else None
    text = [digest(manifest), *found.generated]
    identity = digest([json.loads(config.model_dump_json()), text, base, hardware.device()])
    work = out / ".training" / identity[:16]
    out.mkdir(parents=True, exist_ok=True)
    history = train(
        {"encoder": encoder.modules()},
        [objective],
        [1.0],
        steps,
        settings,
        seed=config.seed,
        device=torch.device(hardware.device()),
        folder=work,
        interval=CHECKPOINT_SECONDS,
        advance=advance,
    )
    facts = history.result() | {"fresh": list(encoder.fresh)}
    finished = out / ".training" / "finished"
    encoder.save(finished)
    (finished / "manifest.txt").write_text("\n".join(manifest) + "\n", encoding="utf-8")
    corpora = [[t.name or "files", _languages_of(t), t.rows] for t in config.text]
    phase = {"heads": [], "mlm": {"corpora": corpora}, "training": asdict(settings)}
    params = {"phase": phase, "seed": config.seed}
    write_card(
        finished,
        title=config.name,
        base=config.encoder or "from scratch",
        params=params,
        history=facts,
        facts=[
            f"{history.tokens:,} tokens in {history.seconds / 60:.1f} min (if it was stopped: since it went on)",
        ],
    )
    # config.json last: it is what makes a folder a checkpoint.
    for path in sorted(finished.iterdir(), key=lambda p: p.name == "config.json"):
        os.replace(path, out / path.name)
    shutil.rmtree(out / ".training", ignore_errors=True)
    return facts | {"tokens": history.tokens, "seconds": history.seconds}


def _languages_of(text: Text) -> list[str]:
    if text.name is None:
        return list(text.paths or [text.language or ""])
    return list(CORPORA[text.name].languages if text.languages is None else text.languages)


def _check_out(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UserError("is a file", where=str(out), hint="name a folder with --out")
    if (out / "config.json").exists():
        raise UserError("holds a checkpoint already", where=str(out), hint="name a new folder with --out")
    if out.is_dir() and any(out.iterdir()) and not (out / ".training").is_dir():
        raise UserError("is a folder of something else", where=str(out), hint="name a new folder with --out")


@dataclass(frozen=True)
class _Found:
    """The lines to train on.

    `written`: those that somebody wrote, each once; they may be examples of a task too. `generated`:
    the fingerprints of generated corpora, which hold no example's text (tests/tasks).
    """

    lines: Lines
    written: Lines
    generated: list[str]


def _lines(config: Config) -> _Found:
    """Single lines and, in the share `tlm`, pairs of translations."""
    source = None
    corpora: list[Lines] = []
    written: Lines = []
    generated: list[str] = []
    for i, text in enumerate(config.text):
        where = f"text[{i}]"
        if text.path is not None:
            read = read_text(text.path, config.name, text.language or "")
            corpora.append(list(read))
            written += read
            continue
        if text.paths is not None:
            found: list[Any] = list(read_parallel(list(text.paths.values()), list(text.paths), config.name))
        else:
            corpus = CORPORA.get(text.name or "", where=where)
            for code in text.languages or ():
                if code not in corpus.languages:
                    raise unknown("language", code, corpus.languages, where=f"{where}.languages")
            source = source or open_source(config.data.settings())
            rows = Rows.parse(text.rows, where) if text.rows else None
            languages = corpus.languages if text.languages is None else text.languages
            found = list(load_text(corpus, languages, source, rows))
            if corpus.generated is not None:
                generated.append(text_fingerprint(corpus, languages, source))
        if text.paths is not None or corpus.generated is None:
            written += found
        corpora.append(found)
    return _Found(training_lines(corpora, config.tlm, config.seed), written, generated)


def _texts(line: TextLine | ParallelLine) -> list[str]:
    return [line.text] if isinstance(line, TextLine) else [t for _, t in line.texts]


def _encoder(config: Config, lines: Lines) -> Encoder:
    if config.encoder is not None:
        return load_encoder(place_of(config.encoder), seed=config.seed)
    from transformers import XLMRobertaConfig

    if config.tokenizer.path is not None:
        tokenizer = load_tokenizer(config.tokenizer.path)
    else:
        some = lines[:: -(-len(lines) // config.tokenizer.lines)]
        tokenizer = train_tokenizer([t for line in some for t in _texts(line)], config.tokenizer.vocab_size)
    known = set(XLMRobertaConfig().to_dict())
    for key in config.model:
        if key not in known:
            raise unknown("key", key, known, where="model")
    if int(config.model.get("vocab_size", len(tokenizer))) < len(tokenizer):
        raise UserError(
            f"{config.model['vocab_size']} embeddings for {len(tokenizer)} pieces",
            where="model.vocab_size",
            hint="leave it out: it follows from the tokenizer",
        )
    try:
        shape = XLMRobertaConfig(
            **{
                "vocab_size": len(tokenizer),
                "max_position_embeddings": 514,
                "type_vocab_size": 1,
                "pad_token_id": tokenizer.pad_token_id,
                "bos_token_id": tokenizer.bos_token_id,
                "eos_token_id": tokenizer.eos_token_id,
                **config.model,
            }
        )
        return new_encoder(shape, tokenizer, seed=config.seed)
    except Exception as error:  # whatever transformers makes of the user's shape
        raise UserError(first_line(error), where="model", hint="these are keys of XLMRobertaConfig") from error


def train_tokenizer(texts: list[str], vocab_size: int) -> Any:
    """A BPE tokenizer with XLM-R's template and Metaspace, trained on the texts."""
    from tokenizers import Tokenizer as Fast
    from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    fast = Fast(models.BPE(unk_token="<unk>"))
    fast.normalizer = normalizers.NFKC()
    fast.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    fast.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size - 1, special_tokens=list(SPECIAL[:4]), show_progress=False)
    fast.train_from_iterator(texts, trainer)
    fast.add_special_tokens(["<mask>"])
    fast.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=fast,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=512,
        model_input_names=["input_ids", "attention_mask"],
    )


def _steps(budget: Budget, objective: MaskedLM, batch: int) -> int:
    if budget.items is not None:
        raise UserError("a pretraining budget counts lines, not items", where="budget.items")
    reading = PhaseBudget(**budget.model_dump())
    return steps_of(reading, [len(objective.lengths)], mean_tokens([objective]), batch)
