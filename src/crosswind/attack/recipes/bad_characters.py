"""Bad Characters: a few encodings that the eye does not see, by differential evolution."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.differential import differential_evolution
from crosswind.perturb.perturbation import Param

UNICODE_CLASSES = {
    "invisible": "invisible",
    "homoglyph": "homoglyph",
    "reorder": "bidi",
    "deletion": "deletion-control",
}


def _specs(setting: AttackSetting) -> Sequence[str]:
    return [UNICODE_CLASSES[str(setting.params["class"])]]


def _search(setting: AttackSetting) -> Search:
    return differential_evolution(
        int(setting.number("edits")), int(setting.number("population")), int(setting.number("generations"))
    )


BAD_CHARACTERS = Recipe(
    name="bad-characters",
    summary="invisible characters, look-alikes, reordering or deletion controls, up to a few of them",
    source="Boucher et al. 2022 (Bad Characters: Imperceptible NLP Attacks), §IV-V, algorithm 1",
    languages="by class: look-alikes need a script that has some, reordering one whose letters do not join",
    specs=_specs,
    search=_search,
    params=(
        Param("class", "text", "which of the four", default="invisible", choices=tuple(UNICODE_CLASSES)),
        Param("edits", "integer", "most changes", default=5, low=1, high=64),
        Param("population", "integer", "members of a generation", default=32, low=4, high=1024),
        Param("generations", "integer", "generations after the first", default=10, low=1, high=1000),
    ),
    most_edits=lambda setting: float("inf"),
    most_changes=lambda setting: int(setting.number("edits")),
    variant="class",
    published={"edits": 5, "population": 32, "generations": 10},
    differences=(
        "A vector holds a place among the alternatives, not any offset: invisible characters stand inside words.",
        "Look-alikes are those of UTS #39; the paper's are of the Unicode `intentional` list.",
        "The joiners ZWJ and ZWNJ are left out where they are spelling (Persian, Indic scripts).",
        "The population is that of a generation; the paper's code gives its 32 to SciPy, which multiplies them by the "
        "numbers of a vector (two for each edit of most classes). A generation is asked about as a whole; SciPy lets a "
        "better member count at once, spreads the first ones evenly, and ends where they converge.",
        "Every edit changes something, as far as they go together; in the code one may be left out.",
        "The paper's generations are 3 (large models) to 10: setting=published takes 10.",
    ),
)
