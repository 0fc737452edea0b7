"""What somebody else's checkpoint may bring: Python code, an adapter without its base, files under a hub's id.

No torch here: a study asks before anything runs.
"""

from __future__ import annotations

import json
from pathlib import Path

from crosswind.errors import UserError

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
    path = checkpoint_file(source, ADAPTER, revision)
    if path is None:
        return
    try:
        base = json.loads(path.read_text(encoding="utf-8")).get("base_model_name_or_path")
    except (OSError, ValueError, AttributeError):
        base = None
    raise UserError(
        f"{source!r} holds an adapter (LoRA or the like) for {base or 'another model'}, not a model",
        where="encoder",
        hint="merge it into its base first (`merge_and_unload` of the library peft), and name the merged folder",
    )


def checkpoint_file(source: str, name: str, revision: str | None = None) -> Path | None:
    """A file of a folder or of a repository of the hub; `None` where it has none, or is not in an offline cache."""
    if Path(source).is_dir():
        path = Path(source) / name
        return path if path.exists() else None
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


def first_line(error: BaseException) -> str:
    """What an error of a library says, short enough for a message of ours."""
    text = str(error).strip().splitlines()
    return text[0][:200] if text else type(error).__name__
