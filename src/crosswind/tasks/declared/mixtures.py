"""Mixtures that come with Crosswind."""

from __future__ import annotations

from crosswind.tasks.mixture import Mixture

ANLI_PLUS = Mixture(
    name="anli+",
    summary="English natural language inference: SNLI, MNLI and the three rounds of ANLI under one head",
    members=("snli", "mnli", "anli"),
    citation="Phang et al. 2020, English Intermediate-Task Training Improves Zero-Shot Cross-Lingual Transfer Too",
)
