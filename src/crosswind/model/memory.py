"""Running out of memory is an error that says what did, and what to lower."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from crosswind.errors import UserError


@contextlib.contextmanager
def names_memory(what: str, *, where: str, hint: str) -> Iterator[None]:
    """Turn a failed allocation, on a GPU or a CPU, into a `UserError`: out of memory while computing `what`."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise UserError(f"out of memory while computing {what}", where=where, hint=hint) from error


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; torch has a type for it on GPUs only."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(
        text in str(error) for text in ("can't allocate memory", "not enough memory", "could not allocate")
    )
