"""What somebody else's checkpoint may bring: Python code, an adapter without its base, files under a hub's id.

No torch here: a study asks before anything runs.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from crosswind.errors import UserError, shown
from crosswind.reading import json_file

ADAPTER = "adapter_config.json"


def needs_foreign_code(error: BaseException) -> bool:
    """Whether transformers refused to run Python code that a checkpoint brings."""
    return "trust_remote_code=True" in str(error)


def foreign_code(source: str) -> UserError:
    """The refusal of a checkpoint that works only with Python code of its own."""
    return UserError(
        f"{source!r} brings Python code of its own, which is not run",
        where="encoder",
        hint="read that code; to run it say `trust_remote_code: true` beside `encoder` in a study file",
    )


def refuse_adapter(source: str, revision: str | None = None) -> None:
    """A `UserError` for the weights of an adapter (LoRA and the like), which are no model without their base."""
    adapter = checkpoint_json(source, ADAPTER, revision)
    if adapter is None:
        return
    base = adapter.get("base_model_name_or_path")
    named = base[:200] if isinstance(base, str) and base else "another model"
    raise UserError(
        f"{source!r} holds an adapter (LoRA or the like) for {named}, not a model",
        where="encoder",
        hint="merge it into its base first (`merge_and_unload` of the library peft), and name the merged folder",
    )


def checkpoint_file(source: str, name: str, revision: str | None = None) -> Path | None:
    """A file of a folder or of a repository of the hub; `None` where it has none, or is not in an offline cache."""
    if os.path.isdir(source):
        path = Path(source) / name
        return path if os.path.exists(path) else None  # False too for a name that no file can have
    from huggingface_hub import hf_hub_download, is_offline_mode
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(source, name, revision=revision))
    except (OSError, ValueError, EntryNotFoundError) as error:
        # Without a network, or with none allowed, the cache's not having it looks like a failed connection.
        absent = isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError)
        if absent or is_offline_mode():
            return None
        raise UserError(
            f"cannot look for {name} in {source!r} ({first_line(error)})",
            where="MODEL",
            hint="name a folder or hub id; with HF_HUB_OFFLINE=1 only what is cached is read",
        ) from error


def checkpoint_json(source: str, name: str, revision: str | None = None) -> dict[str, Any] | None:
    """The JSON object that a file of a checkpoint holds; `None` where there is no such file.

    A `UserError` for what cannot be read or is no object.
    """
    value = _json_of(source, name, revision)
    if value is not None and not isinstance(value, dict):
        raise malformed(source, name, "is no JSON object")
    return value


def checkpoint_json_list(source: str, name: str, revision: str | None = None) -> list[dict[str, Any]] | None:
    """The JSON list of objects that a file of a checkpoint holds, as `checkpoint_json`."""
    value = _json_of(source, name, revision)
    if value is not None and not (isinstance(value, list) and all(isinstance(part, dict) for part in value)):
        raise malformed(source, name, "is no list of JSON objects")
    return value


def malformed(source: str, name: str, what: str) -> UserError:
    """The refusal of a file of a checkpoint that says what it cannot mean."""
    return UserError(what, where=f"{source}/{name}", hint="fetch the checkpoint again, or mend this file")


def _json_of(source: str, name: str, revision: str | None) -> Any:
    path = checkpoint_file(source, name, revision)
    if path is None:
        return None
    value = json_file(path)
    if value is None:
        raise malformed(source, name, f"holds nothing but {shown('null')}")
    return value


def first_line(error: BaseException) -> str:
    """What an error of a library says, short enough for a message of ours."""
    text = str(error).strip().splitlines()
    return text[0][:200] if text else type(error).__name__
