"""An encoder: a pretrained multilingual backbone, its masked-LM head where one exists, its tokenizer.

Any `AutoModel` encoder works. Weights are always float32 in memory, whatever the checkpoint stores.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    PreTrainedModel,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MASKED_LM_MAPPING
from transformers.utils import logging as hf_logging

from crosswind.errors import UserError
from crosswind.model.foreign import checkpoint_json, first_line, foreign_code, needs_foreign_code, refuse_adapter
from crosswind.model.layers import refuse_layers_beyond
from crosswind.model.offsets import template
from crosswind.model.recorded import CONFIG, class_count
from crosswind.run.step import digest

# The attribute that alone maps hidden states to vocabulary logits, by architecture family: RoBERTa,
# BERT, ALBERT. Others (DistilBERT, ELECTRA, ModernBERT) spread this over several attributes.
_LM_HEADS = ("lm_head", "cls", "predictions")
_NO_END = 1 << 16  # tokens, where neither the model nor its tokenizer declares a longest input
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
    longest: int | None = None  # tokens, where a checkpoint says less than its positions

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
        declared = getattr(self.config, "max_position_embeddings", None)
        # Relative positions have no end: T5 declares none, XLNet -1.
        positions = int(declared) if declared is not None and int(declared) > 0 else _NO_END
        # RoBERTa's position ids begin behind the padding id.
        embeddings = getattr(getattr(self.backbone, "embeddings", None), "position_embeddings", None)
        if isinstance(embeddings, nn.Embedding) and embeddings.padding_idx is not None:
            positions -= int(embeddings.padding_idx) + 1
        longest = self.longest or positions
        return min(positions, longest, int(getattr(self.tokenizer, "model_max_length", positions) or positions))

    def modules(self) -> nn.Module:
        return self.lm if self.lm is not None else self.backbone

    def embeddings(self, ids: torch.Tensor) -> torch.Tensor:
        """The words' own embeddings `(rows, length, width)` of token ids `(rows, length)`."""
        vectors: torch.Tensor = self.backbone.get_input_embeddings()(ids)
        return vectors

    @property
    def summary(self) -> Literal["first", "last"]:
        """Which token of a row stands for the whole of it: the first special one, or the last.

        The last one where a row begins with a word (XLNet, T5) or where no token sees those behind it (GPT).
        """
        kind = type(self.config)
        causal = kind in MODEL_FOR_CAUSAL_LM_MAPPING and kind not in MODEL_FOR_MASKED_LM_MAPPING
        return "first" if template(self.tokenizer).head and not causal else "last"

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


def load_tokenizer(source: str, revision: str | None = None, *, trusted: bool = False) -> Any:
    """The tokenizer beside a checkpoint; a `UserError` where there is none, or none that can pad.

    Python code that lies beside a checkpoint runs only where the user has `trusted` it, here and below.
    """
    missing = f"no tokenizer beside the encoder {source!r}"
    hint = "put tokenizer.json and tokenizer_config.json into its folder (tokenizer.save_pretrained)"
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=trusted)
    except Exception as error:
        if needs_foreign_code(error):
            raise foreign_code(source) from error
        # transformers names the library that it tried last: tiktoken, where these two are not there.
        asks = any(name in str(error) for name in ("sentencepiece", "tiktoken", "protobuf"))
        if asks and (find_spec("sentencepiece") is None or find_spec("google") is None):
            raise UserError(
                f"the tokenizer of {source!r} is a SentencePiece model, whose libraries are not installed",
                where="encoder",
                hint="pip install 'crosswind[sentencepiece]', or put its tokenizer.json into the folder",
            ) from error
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


def load_config(source: str, revision: str | None = None, *, trusted: bool = False) -> Any:
    """The configuration of a checkpoint from a folder or the hub; `UserError` where it cannot be read."""
    refuse_adapter(source, revision)
    class_count(checkpoint_json(source, CONFIG, revision) or {}, source)
    try:
        config = AutoConfig.from_pretrained(source, revision=revision, trust_remote_code=trusted)
    except Exception as error:
        if needs_foreign_code(error):
            raise foreign_code(source) from error
        raise UserError(
            f"cannot read the encoder {source!r} ({first_line(error)})",
            where="encoder",
            hint="name a hub id that can be reached from here, or a folder with config.json and model.safetensors",
        ) from error
    # BigBird leaves sparse attention for good at the first short row: what came before would be in every score.
    if getattr(config, "attention_type", None) == "block_sparse":
        config.attention_type = "original_full"
    return config


def load_encoder(source: str, *, seed: int = 0, revision: str | None = None, trusted: bool = False) -> Encoder:
    """Load a checkpoint from a folder or the hub, in float32; a part that it lacks is drawn from `part_seed`.

    Raises `UserError` for an unreadable checkpoint or one without a tokenizer.
    """
    config = load_config(source, revision, trusted=trusted)
    tokenizer = load_tokenizer(source, revision, trusted=trusted)
    know_padding(config, tokenizer)
    options: dict[str, Any] = {"dtype": torch.float32, "revision": revision, "use_safetensors": True, "config": config}
    fresh: list[str] = []
    try:
        with quiet():
            with seeded(part_seed(seed, "pooler")):
                backbone, info = AutoModel.from_pretrained(
                    source, output_loading_info=True, trust_remote_code=trusted, **options
                )
            refuse_layers_beyond(backbone, info["unexpected_keys"], source)
            if _lacks_pooler(info["missing_keys"], source):
                fresh.append("pooler")
            lm = None
            if type(config) in MODEL_FOR_MASKED_LM_MAPPING:
                with seeded(part_seed(seed, "lm_head")):
                    lm, info = AutoModelForMaskedLM.from_pretrained(
                        source, output_loading_info=True, trust_remote_code=trusted, **options
                    )
                if any(not k.startswith(lm.base_model_prefix + ".") for k in info["missing_keys"]):
                    fresh.append("lm_head")
                setattr(lm, lm.base_model_prefix, backbone)
                lm.tie_weights()
    except UserError:
        raise
    except Exception as error:
        if needs_foreign_code(error):
            raise foreign_code(source) from error
        raise UserError(
            f"cannot load the weights of {source!r} ({first_line(error)})",
            where="encoder",
            hint="weights must be safetensors of an AutoModel encoder; pickled weights are refused",
        ) from error
    check_vocabulary(tokenizer, backbone, source)
    return Encoder(backbone, lm, tokenizer, tuple(fresh))


def know_padding(config: Any, tokenizer: Any) -> None:
    """Name the padding in a configuration without one: some heads look for the last token that is none."""
    if getattr(config, "pad_token_id", None) is None:
        config.pad_token_id = tokenizer.pad_token_id


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
        backbone = AutoModel.from_config(config, trust_remote_code=False)  # type: ignore[no-untyped-call]
        lm = AutoModelForMaskedLM.from_config(config, trust_remote_code=False)  # type: ignore[no-untyped-call]
        setattr(lm, lm.base_model_prefix, backbone)
        lm.tie_weights()
    return Encoder(backbone, lm, tokenizer, ("pooler", "lm_head"))
