"""Which base encoder a study starts from, and its fingerprint."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from crosswind.attack.endpoint import address_shown, is_address
from crosswind.errors import UserError, shown
from crosswind.model.foreign import checkpoint_json, refuse_adapter
from crosswind.reading import decoded, expanded, json_value, opened
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
    "sentencepiece.model",
    "source.spm",
    "bpe.codes",
)

# What a checkpoint's folder may hold that no result depends on; anything else may be read, so it counts.
_NO_PART = (
    *(".*", "README*", "LICENSE*", "*.md", "*.py", "*.pyc", "__pycache__"),
    *("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack", "*.ot", "*.onnx", "*.onnx_data", "*.tflite", "*.gguf"),
    *("*.log", "events.out.tfevents*", "trainer_state.json", "checkpoint-*", "runs"),
)

# The encoders that come with the package, by the name that a study gives; a folder called so is `./NAME`.
SHIPPED: Mapping[str, Path] = {"microworld": Path(__file__).resolve().parents[1] / "encoders" / "microworld"}


def folder_of(encoder: str) -> Path:
    """The folder that an encoder's name stands for: a shipped one's, otherwise the name as a path."""
    return SHIPPED.get(encoder) or expanded(encoder, "encoder")


def encoder_fingerprint(encoder: str, revision: str | None = None) -> str:
    """The hash of a folder's files; for a hub id, id and commit.

    Every file of the folder and of those in it counts, but hidden ones, documents (README, LICENSE, `*.md`), Python
    code, weights in formats that are not read (`*.bin`, `*.onnx`, …), logs, and what training keeps for itself
    (`checkpoint-*/`, `runs/`, `trainer_state.json`). Without a network and a cached copy the revision stands for the
    commit. Raises `UserError` for a folder without a checkpoint.
    """
    if is_address(encoder):
        hint = "name a checkpoint's folder or a hub id; crosswind attack asks models behind addresses"
        raise UserError(f"an address is no checkpoint ({address_shown(encoder)})", where="encoder", hint=hint)
    folder = folder_of(encoder)
    if folder.is_dir():
        return _folder(folder)
    require_named(encoder, "encoder")
    return f"{encoder}@{_commit(encoder, revision or 'main')}"


def require_named(encoder: str, where: str) -> None:
    """A `UserError` for a name that is neither a folder nor what a hub could have."""
    if (encoder.startswith((".", "/", "~")) or encoder.count("/") > 1) and not folder_of(encoder).is_dir():
        hint = "name a checkpoint's folder or a hub id such as owner/name"
        raise UserError(f"no folder {encoder!r}", where=where, hint=hint)


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
    total = hashlib.sha256()
    for path in _parts(folder):
        hint = "every file of a checkpoint's folder counts: may you read it?"
        if not path.is_file():
            raise UserError("is no file", where=str(path), hint=hint)
        try:
            total.update(f"{path.relative_to(folder).as_posix()} {file_hash(path)}\n".encode())
        except OSError as error:
            raise UserError(f"can't be read: {error.strerror or error}", where=str(path), hint=hint) from None
    return total.hexdigest()


def _parts(folder: Path) -> list[Path]:
    """The files of a checkpoint's folder that results may depend on, in the order of their names."""
    paths: list[Path] = []
    for top, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _is_no_part(name)]
        paths += [Path(top) / name for name in names if not _is_no_part(name)]
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix())


def _is_no_part(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in _NO_PART)


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
    config = checkpoint_json(str(folder), "config.json") or {}
    shapes = _all_shapes(folder)
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


def parameter_count(encoder: str) -> int | None:
    """How many parameters an encoder has, by its files; `None` where these are not at hand."""
    folder = folder_of(encoder)
    shapes = _all_shapes(folder) if folder.is_dir() else []
    return sum(math.prod(s) for s in shapes) or None


def _all_shapes(folder: Path) -> list[list[int]]:
    return [shape for path in sorted(folder.glob("*.safetensors")) for shape in _shapes(path)]


# What architectures call the number of their layers and their width (transformers' attribute maps).
_LAYERS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers", "encoder_layers")
_WIDTH = ("hidden_size", "dim", "emb_dim", "n_embd", "d_model")
_HEADER_LIMIT = 100_000_000  # bytes, by the format of safetensors
_MOST_AXES = 16


def _shapes(path: Path) -> list[list[int]]:
    """The shapes of a file's tensors, by its header."""
    with opened(path) as file:
        size = int.from_bytes(file.read(8), "little")
        text = file.read(min(size, _HEADER_LIMIT))
    header = json_value(decoded(text, str(path)), str(path))
    tensors = header if isinstance(header, dict) else {"": None}
    shapes = [_shape(value) for name, value in tensors.items() if name != "__metadata__"]
    if any(shape is None for shape in shapes):
        raise UserError("has no header of safetensors", where=str(path), hint="fetch the checkpoint again")
    return [shape for shape in shapes if shape is not None]


def _shape(value: Any) -> list[int] | None:
    shape = value.get("shape") if isinstance(value, dict) else None
    if not isinstance(shape, list) or len(shape) > _MOST_AXES:
        return None
    return shape if all(type(size) is int and 0 <= size < 1 << 40 for size in shape) else None
