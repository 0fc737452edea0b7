"""`pretrain`: an encoder from raw and parallel text, masked LM and translation LM, from scratch or from a checkpoint.

Writes `model/`, a checkpoint with its masked-LM head, a card and a manifest of text hashes (`manifest.txt`), and
`training.json`. The context says where files of text, a tokenizer and the checkpoint lie (`pretrain`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crosswind.data.examples import ParallelLine, Rows, TextLine
from crosswind.data.languages import unknown_language
from crosswind.data.leakage import leakage_hashes
from crosswind.data.source import open_source
from crosswind.data.text import read_parallel, read_text
from crosswind.errors import UserError, unknown
from crosswind.perturb.spec import Spec, TextScope, parse_spec
from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind, device_needs
from crosswind.tasks.base import CORPORA
from crosswind.tasks.load import load_text
from crosswind.train.budget import Budget
from crosswind.train.settings import Training

if TYPE_CHECKING:
    from crosswind.model.encoder import Encoder
    from crosswind.train.objective import Objective

PRETRAIN_CHECKPOINT_SECONDS = 120.0
TEXT_MANIFEST = "manifest.txt"

_Lines = list[TextLine | ParallelLine]


@dataclass(frozen=True)
class TextParams:
    """A corpus by `name`, or files, which the context names by the place of this part in the list."""

    languages: tuple[str, ...]
    name: str | None = None
    rows: str | None = None


@dataclass(frozen=True)
class ContrastiveParams:
    """The noise of a contrastive pretraining, identity and severity of each perturbation of each spec, and its loss."""

    noise: tuple[tuple[tuple[str, float], ...], ...]
    weight: float
    temperature: float


@dataclass(frozen=True)
class PretrainParams:
    """What is pretrained: `model` holds keys of `XLMRobertaConfig`; without a base or tokenizer of the user's (their
    fingerprints are in the step's data) a BPE tokenizer of `vocab_size` pieces is trained on `tokenizer_lines`."""

    text: tuple[TextParams, ...]
    seed: int
    training: Training
    model: tuple[tuple[str, int | float | str | bool], ...] = ()
    vocab_size: int = 8000
    tokenizer_lines: int = 1_000_000
    tlm: float = 0.4
    budget: Budget = Budget(epochs=1)
    device: str = "cpu"
    contrastive: ContrastiveParams | None = None


def _run(job: Job[PretrainParams], worker: Worker) -> str:
    from crosswind.model.card import write_card
    from crosswind.model.device import hardware_facts, torch_device, use_one_thread
    from crosswind.train.budget import steps_of
    from crosswind.train.loop import train
    from crosswind.train.masked import training_lines
    from crosswind.train.phase import mean_tokens

    params, world = job.params, job.world["pretrain"]
    use_one_thread()
    device = torch_device(params.device, params.training.precision)
    job.fact("hardware", hardware_facts(device))
    parts = [text_of_part(params.text, i, world) for i in range(len(params.text))]
    lines = training_lines(parts, params.tlm, params.seed)
    encoder = _encoder(params, lines, job.step.data, world)
    objective = _objective(params, encoder, lines)
    if params.contrastive is not None:
        for text in _without_noise(params.contrastive, params.text):
            job.note(text)
    history = train(
        {"encoder": encoder.modules()},
        [objective],
        [1.0],
        steps_of(params.budget, [len(lines)], mean_tokens([objective]), params.training.batch_size),
        params.training,
        seed=params.seed,
        device=device,
        folder=job.partial,
        interval=PRETRAIN_CHECKPOINT_SECONDS,
        advance=job.report,
    )
    folder = job.draft.path / "model"
    encoder.save(folder)
    written = (part for part, text in zip(parts, params.text, strict=True) if not _generated(text))
    hashes = {h for part in written for line in part for h in leakage_hashes(line)}
    manifest = sorted(hashes | earlier_text(world.get("encoder")))
    (folder / TEXT_MANIFEST).write_text("\n".join(manifest) + "\n", encoding="utf-8")
    facts = history.result() | {"fresh": list(encoder.fresh)}
    (job.draft.path / "training.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    write_card(
        folder,
        title=job.step.label,
        base=world.get("encoder") or "from scratch",
        data=[f"{t.name or 'files'} (masked LM, {len(t.languages)} languages)" for t in params.text],
        seed=params.seed,
        settings=asdict(params.training),
        history=facts,
        facts=[f"{history.tokens:,} tokens in {history.seconds / 60:.1f} min (if it was stopped: since it went on)"],
    )
    job.fact("tokens", history.tokens)
    job.fact("stepping_seconds", history.stepping)
    return f"loss {history.losses[-1][1]:.3f}"


def _objective(params: PretrainParams, encoder: Encoder, lines: _Lines) -> Objective:
    from crosswind.train.contrastive import contrastive_masked_lm
    from crosswind.train.masked import masked_lm

    max_length = min(params.training.length(()), encoder.max_positions)
    if params.contrastive is None:
        return masked_lm("mlm", encoder, lines, max_length=max_length, seed=params.seed)
    return contrastive_masked_lm(
        "mlm",
        encoder,
        lines,
        noise_specs(params.contrastive),
        weight=params.contrastive.weight,
        temperature=params.contrastive.temperature,
        max_length=max_length,
        seed=params.seed,
        batch_size=params.training.batch_size,
    )


def noise_specs(contrastive: ContrastiveParams) -> list[Spec]:
    """The perturbations that positives are drawn by."""
    return [parse_spec("+".join(f"{identity}:{severity!r}" for identity, severity in n)) for n in contrastive.noise]


def _without_noise(contrastive: ContrastiveParams, text: Sequence[TextParams]) -> Iterator[str]:
    """Which of the noise some language does not have: there the positive of a line is the line itself."""
    for language in dict.fromkeys(code for part in text for code in part.languages):
        for spec in noise_specs(contrastive):
            reason = spec.applies(TextScope(language))
            if reason is not None:
                yield f"{spec} in {language}: {reason}; lines that it falls to are their own positives."


def text_of_part(text: Sequence[TextParams], index: int, world: Mapping[str, Any]) -> _Lines:
    """The lines of one part of the text; a `UserError` for a corpus or language that does not exist."""
    part, where = text[index], f"text[{index}]"
    if part.name is None:
        paths = [Path(path) for path in world["files"][index]]
        if len(paths) == 1 and len(part.languages) == 1:
            return list(read_text(paths[0], "text", part.languages[0]))
        return list(read_parallel(paths, list(part.languages), "text"))
    corpus = CORPORA.get(part.name, where=where)
    for code in part.languages:
        if code not in corpus.languages:
            raise unknown_language(code, corpus.languages, where=f"{where}.languages")
    rows = Rows.parse(part.rows, where) if part.rows else None
    return list(load_text(corpus, part.languages, open_source(world["data"]), rows))


def earlier_text(encoder: str | None) -> frozenset[str]:
    """Text hashes of what an encoder of ours was pretrained on, if its folder says (one a line of its manifest)."""
    path = Path(encoder) / TEXT_MANIFEST if encoder else None
    return frozenset(path.read_text(encoding="utf-8").split()) if path is not None and path.is_file() else frozenset()


def _generated(text: TextParams) -> bool:
    """Generated corpora hold no example's text (tests/tasks), so their lines are in no manifest."""
    return text.name is not None and CORPORA[text.name].generated is not None


def _encoder(params: PretrainParams, lines: _Lines, data: Mapping[str, str], world: Mapping[str, Any]) -> Encoder:
    from transformers import XLMRobertaConfig

    from crosswind.model.encoder import load_encoder, load_tokenizer, new_encoder
    from crosswind.model.foreign import first_line
    from crosswind.model.tokenizer import train_tokenizer

    if "encoder" in data:
        return load_encoder(world["encoder"], seed=params.seed)
    if "tokenizer" in data:
        tokenizer = load_tokenizer(world["tokenizer"])
    else:
        some = lines[:: -(-len(lines) // params.tokenizer_lines)]
        tokenizer = train_tokenizer([t for line in some for t in _texts(line)], params.vocab_size)
    model = dict(params.model)
    known = set(XLMRobertaConfig().to_dict())
    for key in model:
        if key not in known:
            raise unknown("key", key, known, where="model")
    if int(model.get("vocab_size", len(tokenizer))) < len(tokenizer):
        raise UserError(
            f"{model['vocab_size']} embeddings for {len(tokenizer)} pieces",
            where="model.vocab_size",
            hint="leave it out: it follows from the tokenizer",
        )
    defaults: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 514,
        "type_vocab_size": 1,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    try:
        return new_encoder(XLMRobertaConfig(**{**defaults, **model}), tokenizer, seed=params.seed)
    except Exception as error:  # whatever transformers makes of the user's shape
        raise UserError(first_line(error), where="model", hint="these are keys of XLMRobertaConfig") from error


def _texts(line: TextLine | ParallelLine) -> list[str]:
    return [line.text] if isinstance(line, TextLine) else [t for _, t in line.texts]


def pretraining_defaults() -> Training:
    """Training settings of pretraining, where they are not set: a high rate, with warm-up."""
    return replace(Training(), learning_rate=1e-3, warmup=0.05)


PRETRAIN: StepKind[PretrainParams] = StepKind(
    name="pretrain",
    version=2,
    params=PretrainParams,
    run=_run,
    needs=device_needs,
    cost=lambda params: 3.0 * float(params.budget.tokens or 30 * (params.budget.examples or 100_000)),
    droppable=("*.safetensors",),
)
