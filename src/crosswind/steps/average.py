"""`average`: a trained model whose weights are the mean of a phase's last checkpoints (Izmailov et al. 2018, SWA; as a
way of choosing a checkpoint for zero-shot transfer, Schmidt et al. 2023, "Free Lunch").

Input: `model`, the train step, which wrote the mean beside the checkpoint that development data chose. Writes `model/`.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass

from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind

AVERAGED_FOLDER = "averaged"  # the folder of the mean, beside `model/`, of a train step with `average`


@dataclass(frozen=True)
class AverageParams:
    """The number of checkpoints is the train step's."""


def _run(job: Job[AverageParams], worker: Worker) -> str:
    trained = job.inputs["model"].path
    shutil.copytree(trained / AVERAGED_FOLDER, job.draft.path / "model")
    history = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    steps = history["averaged"]
    text = f"the mean of the weights after {len(steps)} checkpoints: steps {', '.join(map(str, steps))}"
    job.note(f"The selection `averaged` is {text} of {history['steps']}.")
    return text


AVERAGE: StepKind[AverageParams] = StepKind(
    name="average",
    version=1,
    params=AverageParams,
    run=_run,
    inherits=("model",),
    droppable=("*.safetensors",),
)
