"""What a plan consists of: models, cells, the conditions that they are evaluated under, and the steps behind them."""

from __future__ import annotations

from dataclasses import dataclass, field

from crosswind.analysis.left_out import LeftOut
from crosswind.analysis.results import Familiarity
from crosswind.errors import UserError
from crosswind.run.step import Graph, Step
from crosswind.steps.cells import CellParams
from crosswind.steps.parameters import examples_of
from crosswind.steps.train import TRAIN, TrainParams
from crosswind.study.target_plans import TargetPlan
from crosswind.study.translation import Translation
from crosswind.tasks.refs import DataRef

ATTACK_PREFIX = "attack:"
"""Before the name of a recipe among what a condition is made of."""


@dataclass(frozen=True)
class CellCondition:
    """How a test set was changed, as the columns of results say it; `CellCondition()` is the clean one.

    `made_of` names the perturbations that it draws from or searches, and for an attack the recipe (`attack:NAME`).
    """

    perturbation: str = "clean"
    severity: float = 0.0
    protection: str = "none"
    draw: int = 0
    attack: str = "none"
    budget: int = 0
    made_of: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing was changed."""
        return self.perturbation == "clean" and self.attack == "none"

    @property
    def label(self) -> str:
        """What files of items and predictions call it: `clean`, `keyboard:0.1`, `swap:0.1+keyboard:0.2`."""
        if not self.severity or "+" in self.perturbation:  # the name of joined ones holds their severities
            return self.perturbation
        short = f"{self.severity:g}"
        return f"{self.perturbation}:{short if float(short) == self.severity else repr(self.severity)}"

    @property
    def name(self) -> str:
        """The label with all that tells conditions apart: `keyboard:0.1, draw 2, answers protected`."""
        parts = [self.label]
        parts += [f"draw {self.draw}"] if self.draw > 1 else []
        parts += [f"{self.protection} protected"] if self.protection != "none" else []
        parts += [f"{self.attack}, {self.budget} queries"] if self.attack != "none" else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Cell:
    """A model on a test set under one condition, with what the results say of it.

    `key` is its `predict` step, `judged` the `judge` step of each metric, the task's first one first. `excluded` names
    the exclusion list of a cell that is judged without some of its items: the same predictions are judged on all, too.
    `familiarity` says whether the model's defence was made for the condition.
    """

    key: str
    judged: tuple[tuple[str, str], ...]
    route: str
    seed: int
    defence: str
    target: str
    data: DataRef
    selection: str
    exposure: str
    condition: CellCondition = CellCondition()
    rewrite: str | None = None
    excluded: str = ""
    familiarity: Familiarity = "none"

    @property
    def attack_columns(self) -> dict[str, object]:
        """What both tables of attacks say of it."""
        return {
            "route": self.route,
            "defence": self.defence,
            "selection": self.selection,
            "context_language": self.data.context_language or "",
            "protection": self.protection,
            "pipeline_seed": self.seed,
        }

    @property
    def perturbation(self) -> str:
        """Its condition's column."""
        return self.condition.perturbation

    @property
    def severity(self) -> float:
        """Its condition's column."""
        return self.condition.severity

    @property
    def protection(self) -> str:
        """Its condition's column."""
        return self.condition.protection

    @property
    def draw(self) -> int:
        """Its condition's column."""
        return self.condition.draw


@dataclass
class Plan:
    """The steps, the cells that are wanted, and notes for the reader (what was left out and why).

    `training` holds the phases of every route that has some, with their steps under the first seed;
    `diagnostic` names the perturbations under which labels need not hold.
    """

    graph: Graph
    cells: list[Cell]
    notes: list[str] = field(default_factory=list)
    training: dict[str, list[tuple[str, TrainParams]]] = field(default_factory=dict)
    diagnostic: frozenset[str] = frozenset()
    asked: tuple[str, ...] = ()
    encoder: str = ""  # what results call it
    left_out: tuple[LeftOut, ...] = ()  # what the study asks for and has no cell

    @property
    def wanted(self) -> list[str]:
        """The keys of predictions, their statistics and rewrites, and of what stages ask for besides (`asked`)."""
        judged = (key for cell in self.cells for _, key in cell.judged)
        rewrites = (cell.rewrite for cell in self.cells if cell.rewrite)  # they are copied into the run folder
        return list(dict.fromkeys([*(cell.key for cell in self.cells), *judged, *rewrites, *self.asked]))

    def trained(self) -> list[TrainParams]:
        """The parameters of every step that trains on labelled data or text."""
        return [params for _, params in self.training_steps()]

    def training_steps(self) -> list[tuple[Step, TrainParams]]:
        """Every step that trains on labelled data or text, with its parameters."""
        return [(step, TRAIN.load(step.params)) for step in self.graph.values() if step.kind == TRAIN.name]


@dataclass(frozen=True)
class EvaluatedModel:
    """A model to evaluate: the step that made it, or the base checkpoint (key None); its steps' affinity."""

    key: str | None
    affinity: str


@dataclass(frozen=True)
class Evaluated:
    """A clean cell, for stages to add conditions to.

    `embed` is the step of its pool's vectors, for retrieval, `layer` the step that chose the layer, if one did.
    `translation` makes its test set from the original one, where the model reads a translation (translate-test).
    """

    target: TargetPlan
    model: EvaluatedModel
    clean: Cell
    reading: CellParams
    embed: str | None
    translation: Translation | None = None
    layer: str | None = None


def count_examples(plan: Plan) -> int:
    """Examples that all cells predict, clean and perturbed."""
    return sum(examples_of(c.data) for c in plan.cells if not c.excluded)


def no_cells(plan: Plan) -> UserError:
    """The error of a study that evaluates nothing."""
    return UserError("the study has no cell to evaluate", where="targets", hint="name targets and languages")
