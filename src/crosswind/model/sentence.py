"""Checkpoints of sentence-transformers: how their module files say that a text becomes a vector.

Read are Transformer, Pooling (one of `cls` and `mean`), Dense and Normalize, and the prompt that every text gets.
What else there is would change vectors: it is refused, not left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import nn

from crosswind.errors import UserError
from crosswind.model.foreign import checkpoint_file
from crosswind.model.pooling import Pooling

_MODES = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean"}
_ACTIVATIONS = {"Tanh": nn.Tanh, "Identity": nn.Identity, "ReLU": nn.ReLU, "GELU": nn.GELU}


@dataclass(frozen=True)
class SentenceModules:
    """The pooling and prompt, the layers behind it, and the longest input (tokens), as the module files say.

    `prompts` are the names of prompts of which the files call none their default: no text gets one.
    """

    pooling: Pooling
    dense: nn.Sequential
    longest: int | None
    prompts: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of a result should know."""
        notes = ["Texts are pooled as the checkpoint's sentence-transformers files say."]
        if self.prompts:
            notes.append(
                f"The checkpoint has prompts ({', '.join(self.prompts)}) and calls none its default, so no text got "
                "one: --prefix names one (in a study: pooling.prefix)."
            )
        return tuple(notes)


def sentence_modules(source: str, revision: str | None = None) -> SentenceModules | None:
    """What the module files of a checkpoint say; `None` where it has none. A `UserError` for what is not read here."""
    path = checkpoint_file(source, "modules.json", revision)
    if path is None:
        return None
    modules = [(str(m["type"]).rpartition(".")[2], str(m["path"])) for m in _json(path)]
    prompt, others = _prompts(source, revision)
    pooling, dense = Pooling("mean", None, prompt), nn.Sequential()
    for kind, folder in modules:
        match kind:
            case "Transformer":
                continue
            case "Normalize":
                continue  # Vectors are compared by their cosine, whether they say so or not.
            case "Pooling":
                pooling = _pooling(_config(source, folder, revision), source, prompt)
            case "Dense":
                dense.append(_dense(source, folder, revision))
            case _:
                raise _unread(source, f"a module {kind!r}")
    settings = checkpoint_file(source, "sentence_bert_config.json", revision)
    facts = _json(settings) if settings is not None else {}
    if facts.get("do_lower_case"):
        raise _unread(source, "texts in lower case (do_lower_case)")
    return SentenceModules(pooling, dense, facts.get("max_seq_length"), others)


def _pooling(config: Any, source: str, prompt: str) -> Pooling:
    modes = [name for name, value in config.items() if name.startswith("pooling_mode") and value]
    names = [_MODES.get(m, m) if isinstance(config[m], bool) else str(config[m]) for m in modes]
    if len(names) != 1 or names[0] not in ("cls", "mean"):
        raise _unread(source, f"the pooling {' and '.join(names) or 'of none'}")
    if prompt and config.get("include_prompt") is False:
        raise _unread(source, "a prompt that is left out of the pooling")
    return Pooling("cls" if names[0] == "cls" else "mean", None, prompt)


def _prompts(source: str, revision: str | None) -> tuple[str, tuple[str, ...]]:
    """The default prompt; without one, the names of those that there are."""
    path = checkpoint_file(source, "config_sentence_transformers.json", revision)
    facts = _json(path) if path is not None else {}
    prompts, name = facts.get("prompts") or {}, facts.get("default_prompt_name")
    if name:
        return str(prompts.get(name, "")), ()
    return "", tuple(sorted(str(key) for key, text in prompts.items() if text))


def _dense(source: str, folder: str, revision: str | None) -> nn.Module:
    config = _config(source, folder, revision)
    name = str(config.get("activation_function", "Identity")).rpartition(".")[2]
    weights = checkpoint_file(source, f"{folder}/model.safetensors", revision)
    if name not in _ACTIVATIONS or weights is None:
        raise _unread(source, f"a dense layer with {name}" if weights else "a dense layer that is not in safetensors")
    layer = nn.Linear(int(config["in_features"]), int(config["out_features"]), bias=bool(config.get("bias", True)))
    layer.load_state_dict({key.removeprefix("linear."): value.float() for key, value in load_file(weights).items()})
    return nn.Sequential(layer, _ACTIVATIONS[name]())


def _config(source: str, folder: str, revision: str | None) -> Any:
    path = checkpoint_file(source, f"{folder}/config.json", revision)
    if path is None:
        raise _unread(source, f"a module without its configuration ({folder}/config.json)")
    return _json(path)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError("is no JSON that can be read", where=str(path), hint="fetch the checkpoint again") from error


def _unread(source: str, what: str) -> UserError:
    return UserError(
        f"{source!r} is a model of sentence-transformers with {what}, which is not read here",
        where="encoder",
        hint="without its modules.json its vectors would be others: remove it to pool as you say (pooling)",
    )
