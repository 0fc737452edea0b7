"""An encoder: a pretrained multilingual backbone, its masked-LM head where one exists, its tokenizer.

Any `AutoModel` encoder works. Weights are always float32 in memory, whatever the checkpoint stores.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    PreTrainedModel,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING
from transformers.utils import logging as hf_logging

from crosswind.errors import UserError
from crosswind.run.step import digest

# The attribute that alone maps hidden states to vocabulary logits, by architecture family: RoBERTa,
# BERT, ALBERT. Others (DistilBERT, ELECTRA, ModernBERT) spread this over several attributes.
_LM_HEADS = ("lm_head", "cls", "predictions")
_LEAST_PIECES = 8  # of a vocabulary, beside special tokens; made-up ones have up to 2


@dataclass
class Encoder:
    """`backbone` is the `AutoModel`; `lm` the masked-LM model around the same backbone, or `None`.

    `fresh` names the parts that the checkpoint lacked and that were initialised from the seed
    (`pooler`, `lm_head`).
    """

    backbone: PreTrainedModel
    lm: PreTrainedModel | None
    tokenizer: Any
    fresh: tuple[str, ...] = field(default=())

    @property
    def config(self) -> Any:
        return self.backbone.config

    @property
    def layers(self) -> int:
        """The number of hidden layers (hidden state 0 is the embedding output)."""
        return int(self.config.num_hidden_layers)

    @property
    def max_positions(self) -> int:
        """The longest input in tokens, special ones included."""
        positions = int(getattr(self.config, "max_position_embeddings", 512) or 512)
        # RoBERTa's position ids begin behind the padding id.
        embeddings = getattr(self.backbone, "embeddings", None)
        if getattr(embeddings, "padding_idx", None) is not None and self.config.model_type in _OFFSET_POSITIONS:
            positions -= int(embeddings.padding_idx) + 1  # type: ignore[union-attr]
        return min(positions, int(getattr(self.tokenizer, "model_max_length", positions) or positions))

    def modules(self) -> nn.Module:
        return self.lm if self.lm is not None else self.backbone

    def embeddings(self, ids: torch.Tensor) -> torch.Tensor:
        """The words' own embeddings `(rows, length, width)` of token ids `(rows, length)`."""
        vectors: torch.Tensor = self.backbone.get_input_embeddings()(ids)
        return vectors

    def lm_head(self) -> nn.Module | None:
        """The module from hidden states (n, width) to logits (n, vocabulary), if it stands alone."""
        if self.lm is None:
            return None
        for name in _LM_HEADS:
            head = getattr(self.lm, name, None)
            if isinstance(head, nn.Module):
                return head
        return None

    def save(self, folder: Path) -> None:
        """Write the checkpoint with its masked-LM head as plain `transformers` files."""
        folder.mkdir(parents=True, exist_ok=True)
        with quiet():
            (self.lm if self.lm is not None else self.backbone).save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)


_OFFSET_POSITIONS = {"xlm-roberta", "roberta", "camembert", "xlm-roberta-xl", "xmod", "longformer", "data2vec-text"}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' loading reports and bars off the user's terminal."""
    level = hf_logging.get_verbosity()
    bars = hf_logging.is_progress_bar_enabled()
    hf_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    hf_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        hf_logging.set_verbosity(level)
        if bars:
            hf_logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def part_seed(seed: int, part: str) -> int:
    """The seed of a part that a checkpoint lacks, from the pipeline seed and the part's name (`pooler`, `lm_head`).

    Nothing else enters, so routes and targets of one pipeline seed begin with the same part.
    """
    return int(digest([seed, part])[:15], 16)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """New parameters come from `seed`, and the caller's random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed & 0x7FFF_FFFF_FFFF_FFFF)
        yield


def load_tokenizer(source: str, revision: str | None = None) -> Any:
    """The tokenizer beside a checkpoint; a `UserError` where there is none, or none that can pad."""
    missing = f"no tokenizer beside the encoder {source!r}"
    hint = "put tokenizer.json and tokenizer_config.json into its folder (tokenizer.save_pretrained)"
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(source, revision=revision)
    except Exception as error:
        raise UserError(f"{missing} ({first_line(error)})", where="encoder", hint=hint) from error
    # Without its files transformers makes up a tokenizer of special tokens, which reads all words as unknown.
    if len(tokenizer) < len(tokenizer.all_special_ids) + _LEAST_PIECES:
        raise UserError(f"{missing} (it has no vocabulary)", where="encoder", hint=hint)
    if tokenizer.pad_token_id is None:
        raise UserError(
            f"the tokenizer of {source!r} has no padding token",
            where="encoder",
            hint="name one as pad_token in tokenizer_config.json",
        )
    return tokenizer


def load_config(source: str, revision: str | None = None) -> Any:
    """The configuration of a checkpoint from a folder or the hub; `UserError` where it cannot be read."""
    try:
        return AutoConfig.from_pretrained(source, revision=revision)
    except Exception as error:
        raise UserError(
            f"cannot read the encoder {source!r} ({first_line(error)})",
            where="encoder",
            hint="name a hub id that can be reached from here, or a folder with config.json and model.safetensors",
        ) from error


def load_encoder(source: str, *, seed: int = 0, revision: str | None = None) -> Encoder:
    """Load a checkpoint from a folder or the hub, in float32; a part that it lacks is drawn from `part_seed`.

    Raises `UserError` for an unreadable checkpoint or one without a tokenizer.
    """
    config = load_config(source, revision)
    tokenizer = load_tokenizer(source, revision)
    options: dict[str, Any] = {"dtype": torch.float32, "revision": revision, "use_safetensors": True}
    fresh: list[str] = []
    try:
        with quiet():
            with seeded(part_seed(seed, "pooler")):
                backbone, info = AutoModel.from_pretrained(source, output_loading_info=True, **options)
            if _lacks_pooler(info["missing_keys"], source):
                fresh.append("pooler")
            lm = None
            if type(config) in MODEL_FOR_MASKED_LM_MAPPING:
                with seeded(part_seed(seed, "lm_head")):
                    lm, info = AutoModelForMaskedLM.from_pretrained(source, output_loading_info=True, **options)
                if any(not k.startswith(lm.base_model_prefix + ".") for k in info["missing_keys"]):
                    fresh.append("lm_head")
                setattr(lm, lm.base_model_prefix, backbone)
                lm.tie_weights()
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"cannot load the weights of {source!r} ({first_line(error)})",
            where="encoder",
            hint="weights must be safetensors of an AutoModel encoder; pickled weights are refused",
        ) from error
    check_vocabulary(tokenizer, backbone, source)
    return Encoder(backbone, lm, tokenizer, tuple(fresh))


def _lacks_pooler(missing: Collection[str], source: str) -> bool:
    """Whether a checkpoint lacks its pooler; a `UserError` where it lacks anything else."""
    lost = sorted(k for k in missing if not k.startswith("pooler."))
    if lost:
        raise UserError(
            f"the weights of {source!r} lack {len(lost)} of the encoder's tensors ({lost[0]})",
            where="encoder",
            hint="config.json describes another architecture, or the checkpoint is incomplete",
        )
    return len(missing) > 0


def check_vocabulary(tokenizer: Any, backbone: PreTrainedModel, source: str) -> None:
    """A tokenizer that knows more pieces than the model has embeddings belongs to another model."""
    size = getattr(backbone.config, "vocab_size", None)
    if size is not None and len(tokenizer) > size:
        raise UserError(
            f"the tokenizer of {source!r} has {len(tokenizer)} pieces, its model {size} embeddings",
            where="encoder",
            hint="the tokenizer belongs to another checkpoint",
        )


def new_encoder(config: Any, tokenizer: Any, *, seed: int) -> Encoder:
    """A randomly initialised encoder with a masked-LM head, for pretraining."""
    with quiet(), seeded(seed):
        backbone = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
        lm = AutoModelForMaskedLM.from_config(config)  # type: ignore[no-untyped-call]
        setattr(lm, lm.base_model_prefix, backbone)
        lm.tie_weights()
    return Encoder(backbone, lm, tokenizer, ("pooler", "lm_head"))


def first_line(error: BaseException) -> str:
    """What an error of a library says, short enough for a message of ours."""
    text = str(error).strip().splitlines()
    return text[0][:200] if text else type(error).__name__
