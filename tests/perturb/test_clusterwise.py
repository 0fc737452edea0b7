"""Alternatives of single grapheme clusters."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from crosswind.perturb.clusterwise import clusterwise
from crosswind.perturb.codes import BETWEEN_TEXTS, TextBatch
from crosswind.perturb.columns import is_columnar
from crosswind.perturb.draw import Sieve
from crosswind.perturb.passage import Passage


def test_what_stands_between_the_texts_of_a_batch_is_no_site_whatever_a_table_knows() -> None:
    """Somebody's table may change every character, be it a control that a text holds as well."""
    every = clusterwise(lambda cluster: (cluster + cluster,))
    texts = ["ab", "", f"c{BETWEEN_TEXTS}d", "é!"]
    assert is_columnar(every)
    for batch in (TextBatch(texts), TextBatch(texts, Sieve(np.arange(4, dtype=np.uint64), 1.0))):
        assert batch.simple
        starts, first = every.columns(batch).starts, batch.first.tolist()
        of_texts = [[s - low for s in starts.tolist() if low <= s < high] for low, high in pairwise(first)]
        alone = every.sites([Passage.line(text, "en", "1") for text in texts])
        assert of_texts == [list(range(len(text))) for text in texts] == [list(sites.starts) for sites in alone]
