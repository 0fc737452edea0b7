"""Which base encoder a study starts from, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path

from crosswind.errors import UserError, shown
from crosswind.model.foreign import refuse_adapter
from crosswind.reading import expanded
from crosswind.run.folders import file_hash

_TOKENIZERS = (
    "tokenizer.json",
    "tokenizer_config.json",
    "sentencepiece.bpe.model",
    "vocab.txt",
    "spiece.model",
    "spm.model",
    "tokenizer.model",
    "vocab.json",
)
_PARTS = ("config.json", *_TOKENIZERS, "merges.txt", "added_tokens.json", "crosswind.json")

# The encoders that come with the package, by the name that a study gives; a folder called so is `./NAME`.
SHIPPED: Mapping[str, Path] = {"microworld": Path(__file__).resolve().parents[1] / "encoders" / "microworld"}


def folder_of(encoder: str) -> Path:
    """The folder that an encoder's name stands for: a shipped one's, otherwise the name as a path."""
    return SHIPPED.get(encoder) or expanded(encoder, "encoder")


def encoder_fingerprint(encoder: str, revision: str | None = None) -> str:
    """The hash of a folder's configuration, tokenizer and weights; for a hub id, id and commit.

    Without a network and a cached copy the revision stands for the commit. Raises `UserError` for a
    folder without a checkpoint.
    """
    folder = folder_of(encoder)
    if folder.is_dir():
        return _folder(folder)
    if encoder.startswith((".", "/", "~")) or encoder.count("/") > 1:
        raise UserError(
            f"no folder {encoder!r}", where="encoder", hint="name a checkpoint's folder or a hub id such as owner/name"
        )
    return f"{encoder}@{_commit(encoder, revision or 'main')}"


def foreign_code_fingerprint(encoder: str, revision: str | None = None) -> str:
    """The hash of the Python files that lie in a checkpoint's folder; for a hub id, id and commit."""
    folder = folder_of(encoder)
    if not folder.is_dir():
        return encoder_fingerprint(encoder, revision)
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        total.update(f"{path.relative_to(folder).as_posix()} {file_hash(path)}\n".encode())
    return total.hexdigest()


def place_of(encoder: str) -> str:
    """Where steps find an encoder: a folder as an absolute path (`~` and relative ones too), a hub id as it is."""
    folder = folder_of(encoder)
    return str(folder.absolute()) if folder.is_dir() else encoder


def encoder_name(encoder: str) -> str:
    """What results call an encoder: a folder's own name (no path of this machine), a hub id as it is."""
    folder = folder_of(encoder)
    return folder.absolute().name if folder.is_dir() else encoder


def _folder(folder: Path) -> str:
    refuse_adapter(str(folder))
    weights = sorted(folder.glob("*.safetensors"))
    if not (folder / "config.json").exists() or not weights:
        hint = "it needs config.json and *.safetensors"
        if list(folder.glob("*.bin")):
            hint = "weights are read from safetensors only, never from pickles (*.bin)"
        raise UserError(f"no checkpoint in {str(folder)!r}", where="encoder", hint=hint)
    if not any((folder / p).exists() for p in _TOKENIZERS):
        raise UserError(
            f"no tokenizer in {str(folder)!r}",
            where="encoder",
            hint="put tokenizer.json and tokenizer_config.json there (tokenizer.save_pretrained)",
        )
    parts = [folder / p for p in _PARTS if (folder / p).exists()]
    total = hashlib.sha256()
    for path in [*parts, *weights]:
        total.update(f"{path.name} {file_hash(path)}\n".encode())
    if (folder / "modules.json").exists():  # What sentence-transformers' modules say changes vectors.
        for path in sorted({*folder.glob("*sentence*.json"), folder / "modules.json", *folder.glob("*_*/*.*")}):
            total.update(f"{path.relative_to(folder).as_posix()} {file_hash(path)}\n".encode())
    return total.hexdigest()


def _commit(encoder: str, revision: str) -> str:
    from huggingface_hub import HfApi, constants, try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = try_to_load_from_cache(encoder, "config.json", revision=revision)
    except HFValidationError:
        raise UserError(
            f"{shown(encoder)} is no folder, and no id that the hub could have",
            where="encoder",
            hint="name a checkpoint's folder or a hub id such as owner/name",
        ) from None
    if isinstance(cached, str):
        return Path(cached).parent.name
    if constants.HF_HUB_OFFLINE:
        return revision
    try:
        return str(HfApi().model_info(encoder, revision=revision, timeout=5).sha)
    except Exception:
        return revision


def describe_encoder(encoder: str) -> str:
    """Its name and, where its files are at hand, its size: `xlmr-mini: 6 layers of 384, 35.6 M parameters, …`."""
    folder = folder_of(encoder)
    if not folder.is_dir():
        return encoder
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    shapes = [shape for path in sorted(folder.glob("*.safetensors")) for shape in _shapes(path)]
    total = sum(math.prod(s) for s in shapes)
    words = max((math.prod(s) for s in shapes if s and s[0] == config.get("vocab_size") and len(s) == 2), default=0)
    layers, width = (
        next((config[k] for k in names if isinstance(config.get(k), int)), 0) for names in (_LAYERS, _WIDTH)
    )
    facts = [f"{layers} layers of {width}" if layers and width else "", f"{total / 1e6:.1f} M parameters"]
    if words:
        facts[1] += f" ({words / 1e6:.1f} M of them word embeddings)"
    pieces = config.get("vocab_size")
    facts.append(f"{pieces:,} pieces" if isinstance(pieces, int) else "")
    return f"{encoder_name(encoder)}: {', '.join(fact for fact in facts if fact)}"


# What architectures call the number of their layers and their width (transformers' attribute maps).
_LAYERS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers", "encoder_layers")
_WIDTH = ("hidden_size", "dim", "emb_dim", "n_embd", "d_model")


def _shapes(path: Path) -> list[list[int]]:
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return [value["shape"] for name, value in header.items() if name != "__metadata__"]
