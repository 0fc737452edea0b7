"""What each recipe reaches: on the same few items, at one small budget, beside random draws from its own alternatives.

    python benchmarks/recipe_effect.py ENCODER DATA --store DIR [--budget 20] [--items 18] [--out FILE.csv]

Each recipe is measured on the first kind of task that it attacks: inference (XNLI), named entities (PAN-X), retrieval
(Tatoeba, Spanish queries) or reading. Of reading it is the microworld's English and its encoder: a query of XQuAD
costs ten of the others, and `ENCODER` learns little of it from few examples. The heads are trained first. What is
finished lies in `--store`: the same call goes on. `ENCODER` is the folder of a multilingual masked language model,
`DATA` holds the official files of xnli, mnli, panx and tatoeba, muse/dictionaries and ud.

The masked language model that proposes, and the encoder that aligns words, are `ENCODER` itself, whose weights the
victims share: these recipes know more than an attacker would. `recipe_guide.py` shows what this writes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from crosswind.analysis.attacked import AttackedSet, AttackLine, attack_line, line_table
from crosswind.analysis.condition import is_control
from crosswind.attack.recipe import RECIPES, Recipe
from crosswind.cli.options import progress
from crosswind.evaluate.metrics.base import METRICS
from crosswind.perturb.replay import replay_dataset
from crosswind.run.store import Store
from crosswind.steps.attack import OUTCOMES
from crosswind.steps.cells import TABLE
from crosswind.study.attacked import control_of, read_attacks, similarities
from crosswind.study.plan import make_plan
from crosswind.study.planned import Cell, Plan
from crosswind.study.run import run_study
from crosswind.study.spec import parse_study
from crosswind.tasks.refs import library

TARGETS = {"pair": "xnli", "tagging": "panx", "query": "tatoeba", "span": "mw-qa"}
"""The target that stands for a kind."""

CLASSES = ("invisible", "homoglyph", "reorder", "deletion")

COLUMNS = (
    *("target", "language", "attack", "budget", "n", "before", "after", "after_low", "after_high", "success"),
    *("control", "gain", "gain_low", "gain_high", "gain_at_used", "queries_median", "edit_rate", "chrf"),
    *("positions", "exhausted", "without_site"),
)


def written(recipe: Recipe, encoder: str, data: Path, budget: int) -> list[str]:
    """A recipe as it is measured: with what it needs, and populations of which the first and three more generations
    use up the budget."""
    sizes = f"population={budget // 4},generations=3"
    match recipe.name:
        case "bad-characters":
            return [f"bad-characters(class={c},{sizes})" for c in CLASSES]
        case "bae" | "bert-attack" | "clare":
            return [f'{recipe.name}(model="{encoder}",victim=same)']
        case "bumblebee":
            return [f'bumblebee(embed=de,model="{encoder}")']
        case "bumblebee-derived":
            # Of other text than the test set (crosswind lexicon bilingual --languages en-de).
            phrases = data / "phrases"
            return [f'bumblebee-derived(embed=de,phrases="{phrases}")'] if phrases.is_dir() else []
        case "genetic":
            return [f'genetic(model="{encoder}",victim=same,{sizes})']
        case "morpheus":
            return [f'morpheus(tables="{data / "ud"}")']
        case "polygloss":
            return ["polygloss(embed=de)", "polygloss(embed=de,senses=reference)"]
        case "universal-trigger":
            return ["universal-trigger(examples=16)"]
        case name:
            return [name]


def measured(encoder: str, data: Path, budget: int, items: int, kinds: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The entries of `attack:`: each recipe on the first of the kinds that it attacks."""
    for recipe in sorted(RECIPES, key=lambda r: r.name):
        kind = next(k for k in TARGETS if k in recipe.kinds)
        for text in written(recipe, encoder, data, budget) if kind in kinds else ():
            yield {"recipe": text, "budget": budget, "examples": items, "targets": [TARGETS[kind]]}


def study_of(encoder: str, data: Path, budget: int, items: int, kinds: Sequence[str]) -> dict[str, Any]:
    """The study of an encoder: no intermediate phase, heads as in `real-settings.yaml` and `real.yaml`."""
    mnli = {"name": "mnli", "split": "dev"}
    targets: dict[str, Any] = {
        "xnli": {
            "languages": ["en"],
            "limit": items,
            "train": {
                "tasks": [{**mnli, "rows": "4000-15999"}],
                "budget": {"examples": 6400},
                "select": {**mnli, "rows": "18000-18399"},
                "training": {"learning_rate": 8.0e-5, "evaluate_every": 50},
            },
        },
        "panx": {
            "languages": ["en"],
            "split": "dev",
            "limit": items,
            "train": {
                "tasks": [{"name": "panx", "rows": "0-2399"}],
                "budget": {"examples": 2400},
                "training": {"learning_rate": 2.0e-4},
            },
        },
        "tatoeba": {
            "languages": ["es"],
            "limit": items,
            "train": [],
            "pooling": {"mode": "mean", "prefix": "query: "},
        },
    }
    return {
        "name": "recipes",
        "encoder": encoder,
        "data": {"source": "files", "root": str(data)},
        "lexicons": "muse/dictionaries",
        "seeds": [11],
        "training": {
            "batch_size": 32,
            "learning_rate": 1.0e-4,
            "warmup": 0.1,
            "max_length": 128,
            "precision": "fp32",
            "freeze": "embeddings",
            "dropout": 0.0,
            "micro_tokens": 1536,
        },
        "routes": {"none": []},
        "targets": {"tasks": {name: targets[name] for kind, name in TARGETS.items() if kind in kinds}},
        "attack": [*measured(encoder, data, budget, items, kinds)],
    }


def reading(budget: int, items: int) -> dict[str, Any]:
    """The study of reading, on the microworld."""
    return {
        "name": "recipes-reading",
        "encoder": "microworld",
        "data": {"source": "microworld"},
        "seeds": [11],
        "training": {"batch_size": 16, "learning_rate": 1.0e-3, "warmup": 0.1, "max_length": 160, "micro_tokens": 2048},
        "routes": {"none": []},
        "targets": {
            "tasks": {
                "mw-qa": {
                    "languages": ["en"],
                    "limit": items,
                    "train": {"tasks": [{"name": "mw-qa", "rows": "0-1499"}], "budget": {"epochs": 1}},
                }
            }
        },
        "attack": [*measured("microworld", Path(), budget, items, ["span"])],
    }


def lines_of_outcomes(plan: Plan, store: Store) -> Iterator[AttackLine]:
    """The lines of attacks of an accuracy, from how each example ended alone: nothing is predicted again."""
    metric = METRICS["accuracy"]
    data = library(plan.graph.context["data"])

    def outcomes_of(cell: Cell) -> AttackedSet | None:
        if cell.rewrite is None or not store.has(cell.rewrite):
            return None
        dataset = data.dataset(cell.data)
        rows = pl.read_parquet(store.path(cell.rewrite) / OUTCOMES)
        perturbed = replay_dataset(dataset, pl.read_parquet(store.path(cell.rewrite) / TABLE))
        clusters = [e.cluster for e in dataset.examples]
        clean, after = (
            np.array([[float(right > 0), 1.0, 0.0] for right in rows[name]]) for name in ("clean_right", "right")
        )
        similar = similarities(dataset.examples, perturbed)
        return AttackedSet(cell.condition.attack, cell.condition.budget, rows, clusters, clean, after, similar)

    made = {c.condition.attack: outcomes_of(c) for c in plan.cells if c.condition.attack != "none"}
    language = plan.cells[0].data.language
    for name, one in made.items():
        if one is not None and not is_control(name):
            control = made.get(control_of(name))
            if control is not None or control_of(name) not in made:
                yield attack_line("xnli", language, one, metric, binary=True, control=control)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder")
    parser.add_argument("data", type=Path)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--budget", type=int, default=20)
    parser.add_argument("--items", type=int, default=18)
    parser.add_argument("--kinds", default=",".join(TARGETS), help="some of them, in several calls with one store")
    parser.add_argument("--as-is", action="store_true", help="compute nothing: what attacks of inference gave so far")
    parser.add_argument("--out", type=Path, default=Path("docs/results/recipes.csv"))
    given = parser.parse_args()
    store, tables = Store(given.store), []
    for kind in given.kinds.split(","):
        if kind == "span":
            study = reading(given.budget, given.items)
        else:
            study = study_of(given.encoder, given.data, given.budget, given.items, [kind])
        parsed = parse_study(yaml.safe_dump(study))
        if given.as_is:
            tables.append(line_table([*lines_of_outcomes(make_plan(parsed), store)] if kind == "pair" else []))
            continue
        with progress(False) as reporter:
            finished = run_study(parsed, out=given.store / f"run-{kind}", store=store, reporter=reporter)
        for note in (*finished.plan.notes, *finished.notes, *finished.plan.left_out):
            print(note)
        tables.append(line_table(read_attacks(finished.plan, store).lines))
    shown = pl.col("attack")
    for folder in (f'"{given.encoder}"', given.encoder):  # where it lies is no part of what was measured
        shown = shown.str.replace_all(folder, "ENCODER", literal=True)
    pl.concat(tables).with_columns(shown).select(COLUMNS).write_csv(given.out, float_precision=2)


if __name__ == "__main__":
    main()
