"""Rows of a data set on the Hugging Face hub, or of its local cache, through `datasets`.

Code from a repository is never run. `datasets` and `huggingface_hub` are imported when a row or a
commit is asked for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crosswind.errors import UserError
from crosswind.run.step import digest

TIMEOUT = 10.0  # seconds that a question about a commit may take


@dataclass(frozen=True)
class Address:
    """A split of a configuration of a repository (`owner/name`, or a local folder)."""

    repo: str
    config: str | None
    split: str

    def __str__(self) -> str:
        return f"{self.repo} ({self.config or 'default'}, {self.split})"


def rows(address: Address, commit: str, *, where: str, cache: Path | None = None) -> Iterator[Mapping[str, Any]]:
    """The rows of a split at a commit, class labels as names, the configuration under `_config`.

    Raises `UserError` that names the declaration `where` if the hub can't be reached or has no such
    repository, configuration or split.
    """
    import datasets

    local = Path(address.repo).is_dir()
    try:
        table = datasets.load_dataset(
            address.repo,
            address.config,
            split=address.split,
            revision=None if local else commit,
            cache_dir=str(cache) if cache else None,
        )
    except Exception as error:
        raise _unreachable(str(address), error, where) from error
    found = loaded_commits(table.info.download_checksums or {})
    if not local and found - {commit}:
        raise UserError(
            f"the cache holds {address} of commit {', '.join(sorted(found))}, not of {commit}",
            where=where,
            hint="load it once with a network, or name the cached commit as the `revision` of its `HubSource`",
        )
    decode = {name: _names(feature) for name, feature in table.features.items()}
    for row in table:
        yield {**{name: decode[name](value) for name, value in row.items()}, "_config": address.config}


def commit(repo: str, revision: str, *, where: str, ask: bool = True) -> str:
    """The commit that a revision resolves to: asked of the hub, or of the local cache when offline.

    Without `ask` only the cache is looked into. A local folder's "commit" is the hash of its files.
    """
    if Path(repo).is_dir():
        return _folder_hash(Path(repo))
    if re.fullmatch(r"[0-9a-f]{40}", revision):
        return revision
    import huggingface_hub

    try:
        if not ask:
            raise ConnectionError("no answer from the hub")
        sha = huggingface_hub.HfApi().dataset_info(repo, revision=revision, timeout=TIMEOUT).sha
    except Exception as error:
        folder = huggingface_hub.constants.HF_HUB_CACHE
        reference = Path(folder) / f"datasets--{repo.replace('/', '--')}" / "refs" / revision
        if not reference.is_file():
            raise _unreachable(f"{repo} ({revision})", error, where) from error
        sha = reference.read_text().strip()
    return str(sha)


def answered(error: BaseException | None) -> bool:
    """Whether a failure is the hub's answer (no such repository), not the lack of one."""
    from huggingface_hub.errors import HfHubHTTPError

    return isinstance(error, HfHubHTTPError)


def loaded_commits(checksums: Iterable[str]) -> set[str]:
    """The commits that files were downloaded from, read off their addresses (`hf://datasets/a/b@COMMIT/…`).

    Offline, `datasets` takes whatever it has cached and passes over the revision asked for.
    """
    found = (re.search(r"@([0-9a-f]{40})/", address) for address in checksums)
    return {match.group(1) for match in found if match}


def fingerprint(addresses: list[Address], commit: str) -> str:
    """SHA-256 of repository, commit, configurations and split."""
    parts = [[a.repo if not Path(a.repo).is_dir() else "", a.config, a.split] for a in addresses]
    return digest({"hub": parts, "commit": commit})


def _names(feature: Any) -> Callable[[Any], Any]:
    """How a column's values become names: class labels are numbers in the files."""
    import datasets

    inner = getattr(feature, "feature", feature)
    if not isinstance(inner, datasets.ClassLabel):
        return lambda value: value

    def name(value: Any) -> Any:
        if isinstance(value, list):
            return [name(v) for v in value]
        return inner.int2str(value) if value is not None and value >= 0 else value

    return name


def _folder_hash(folder: Path) -> str:
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    return digest([[str(p.relative_to(folder)), hashlib.sha256(p.read_bytes()).hexdigest()] for p in paths])


def _unreachable(address: str, error: Exception, where: str) -> UserError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return UserError(
        f"can't load {address} from the hub: {reason}",
        where=where,
        hint="without a network, use official files (data: {source: files, root: DIR}); "
        "if the repository has moved, change its `HubSource` in this file",
    )
