"""Checkpoints of sentence-transformers: how their module files say that a text becomes a vector.

Read are Transformer, Pooling (one of `cls` and `mean`), Dense and Normalize, and the prompt that every text gets.
What else there is would change vectors: it is refused, not left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from crosswind.errors import UserError, shown
from crosswind.model.foreign import checkpoint_file, checkpoint_json, checkpoint_json_list, first_line, malformed
from crosswind.model.pooling import Pooling

MODULES = "modules.json"
_LONGEST_NAME, _WIDEST = 200, 1 << 15  # characters of a path or a class; features of a layer
# Whose name the file with the length and the case of texts may have; it was always that of the first architecture.
_ARCHITECTURES = ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
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
    listed = checkpoint_json_list(source, MODULES, revision)
    if listed is None:
        return None
    modules = [(_text(m, "type", source).rpartition(".")[2], _text(m, "path", source)) for m in listed]
    prompt, others = _prompts(source, revision)
    pooling, dense, transformer = Pooling("mean", None, prompt), nn.Sequential(), ""
    for kind, folder in modules:
        match kind:
            case "Transformer":
                transformer = folder
            case "Normalize":
                continue  # Vectors are compared by their cosine, whether they say so or not.
            case "Pooling":
                pooling = _pooling(_config(source, folder, revision), source, prompt)
            case "Dense":
                dense.append(_dense(source, folder, revision))
            case _:
                raise _unread(source, f"a module {shown(kind)}")
    return SentenceModules(pooling, dense, _longest(source, transformer, revision), others)


def _longest(source: str, folder: str, revision: str | None) -> int | None:
    """The longest input in tokens, by the first of the files that sentence-transformers looks for."""
    facts: dict[str, Any] = {}
    for architecture in _ARCHITECTURES:
        name = f"{folder}/sentence_{architecture}_config.json".removeprefix("/")
        read = checkpoint_json(source, name, revision)
        if read is not None:
            facts = read
            break
    if facts.get("do_lower_case"):
        raise _unread(source, "texts in lower case (do_lower_case)")
    longest = facts.get("max_seq_length")
    if longest is not None and (type(longest) is not int or longest < 1):
        raise malformed(source, name, f"`max_seq_length` is {shown(longest)}, no number of tokens")
    return longest


def _text(module: Mapping[str, Any], key: str, source: str) -> str:
    value = module.get(key)
    outside = key == "path" and isinstance(value, str) and (value[:1] == "/" or ".." in PurePosixPath(value).parts)
    if not isinstance(value, str) or outside or len(value) > _LONGEST_NAME:
        what = "no folder of the checkpoint" if key == "path" else "no class's name"
        raise malformed(source, MODULES, f"`{key}` is {shown(value)}, {what}")
    return value


def _pooling(config: Mapping[str, Any], source: str, prompt: str) -> Pooling:
    modes = [name for name, value in config.items() if name.startswith("pooling_mode") and value]
    names = [_MODES.get(m, m) if isinstance(config[m], bool) else str(config[m]) for m in modes]
    if len(names) != 1 or names[0] not in ("cls", "mean"):
        raise _unread(source, f"the pooling {' and '.join(names)[:200] or 'of none'}")
    if prompt and config.get("include_prompt") is False:
        raise _unread(source, "a prompt that is left out of the pooling")
    return Pooling("cls" if names[0] == "cls" else "mean", None, prompt)


def _prompts(source: str, revision: str | None) -> tuple[str, tuple[str, ...]]:
    """The default prompt; without one, the names of those that there are."""
    file = "config_sentence_transformers.json"
    facts = checkpoint_json(source, file, revision) or {}
    prompts, name = facts.get("prompts") or {}, facts.get("default_prompt_name")
    if not isinstance(prompts, dict) or not all(text is None or isinstance(text, str) for text in prompts.values()):
        raise malformed(source, file, f"`prompts` is {shown(prompts)}, not names with their texts")
    if name:
        if not isinstance(name, str):
            raise malformed(source, file, f"`default_prompt_name` is {shown(name)}, no name")
        return prompts.get(name) or "", ()
    return "", tuple(sorted(str(key) for key, text in prompts.items() if text))


def _dense(source: str, folder: str, revision: str | None) -> nn.Module:
    config = _config(source, folder, revision)
    name = str(config.get("activation_function", "Identity")).rpartition(".")[2]
    weights = checkpoint_file(source, f"{folder}/model.safetensors", revision)
    if name not in _ACTIVATIONS or weights is None:
        what = f"with {name[:80]}" if weights else "that is not in safetensors"
        raise _unread(source, f"a dense layer {what}")
    width, out = config.get("in_features"), config.get("out_features")
    if type(width) is not int or type(out) is not int or not (0 < width <= _WIDEST and 0 < out <= _WIDEST):
        raise malformed(source, f"{folder}/config.json", "`in_features` or `out_features` is no number of features")
    layer = nn.Linear(width, out, bias=bool(config.get("bias", True)))
    try:
        layer.load_state_dict({key.removeprefix("linear."): value.float() for key, value in load_file(weights).items()})
    except (OSError, RuntimeError, SafetensorError) as error:
        what = f"does not fit the layer's config.json ({first_line(error)})"
        raise malformed(source, f"{folder}/model.safetensors", what) from error
    return nn.Sequential(layer, _ACTIVATIONS[name]())


def _config(source: str, folder: str, revision: str | None) -> dict[str, Any]:
    config = checkpoint_json(source, f"{folder}/config.json", revision)
    if config is None:
        raise _unread(source, f"a module without its configuration ({folder}/config.json)")
    return config


def _unread(source: str, what: str) -> UserError:
    return UserError(
        f"{source!r} is a model of sentence-transformers with {what}, which is not read here",
        where="encoder",
        hint="without its modules.json its vectors would be others: remove it to pool as you say (pooling)",
    )
