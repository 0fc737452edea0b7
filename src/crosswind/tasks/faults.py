"""What is known to be wrong with test sets, each with its source: it stands beside the task wherever it is listed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class KnownFault:
    """A sentence on what is wrong, where that is said, and the languages that it is about (none: all)."""

    what: str
    source: str
    languages: tuple[str, ...] = ()


PUBLIC = KnownFault(
    "the test set is public: frequently used multilingual benchmarks show signs of being in the training data of later"
    " language models (almost all of the seven and seven that were tested)",
    "Ahuja et al. 2024, Contamination Report for Multilingual Benchmarks, arXiv 2410.16186",
)
"""Of every data set that was published before most language models were trained."""


def faults_of(faults: Iterable[KnownFault], languages: Iterable[str]) -> Iterator[KnownFault]:
    """Those that are about some of these languages, or about all."""
    asked = set(languages)
    return (fault for fault in faults if not fault.languages or asked & set(fault.languages))
