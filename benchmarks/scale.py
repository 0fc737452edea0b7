"""How long plans of many steps take: planned, cut into units, written and read as JSON, scheduled to the end.

    python benchmarks/scale.py --seeds 20 --severities 20

One core, nothing computed: the steps of a study of the microworld. Prints CPU seconds of each part and the peak memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

from crosswind.run.schedule import Schedule
from crosswind.run.unit import Unit
from crosswind.study.plan import make_plan
from crosswind.study.spec import parse_study

LANGUAGES = "[en, qla-Latn, qlo-Latn, qcy-Cyrl, qdv-Deva, qth-Thai]"
STUDY = """
name: scale
encoder: microworld
data: {{source: microworld}}
seeds: {seeds}
routes:
  none: []
  english: [{{tasks: [{{name: mw-reading, rows: 0-99}}], budget: {{examples: 100}}}}]
  multilingual: [{{tasks: [{{name: mw-reading, languages: {languages}, rows: 0-99}}], budget: {{examples: 100}}}}]
  completion: [{{tasks: [{{name: mw-completion, rows: 0-99}}], budget: {{examples: 100}}}}]
targets:
  languages: {languages}
  tasks:
    mw-nli: {{}}
    mw-paraphrase: {{}}
    mw-pos: {{}}
    mw-ner: {{}}
    mw-qa: {{}}
perturb: ["swap:{severities}"]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--severities", type=int, default=20)
    arguments = parser.parse_args()
    severities = ",".join(f"{(i + 1) / 100:g}" for i in range(arguments.severities))
    seeds = list(range(1, arguments.seeds + 1))
    text = STUDY.format(seeds=seeds, languages=LANGUAGES, severities=severities)
    clock = _Clock()
    study = parse_study(text)
    make_plan(parse_study(text, ["seeds=[1]", "perturb=[]"]))  # imports and code fingerprints
    clock("imports")
    plan = make_plan(study)
    clock("planned")
    schedule = Schedule(plan.graph, [*plan.graph])
    clock("scheduled")
    units = size = 0
    while (steps := schedule.take(2)) is not None:
        line = json.dumps(Unit.of(tuple(steps), plan.graph.context).to_json())
        assert [step.key for step in Unit.from_json(json.loads(line)).steps] == [step.key for step in steps]
        units, size = units + 1, size + len(line)
        schedule.settle(steps, [step.key for step in steps], {})
    clock("units cut, written, read and settled")
    assert schedule.finished
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(plan.graph):,} steps, {len(plan.cells):,} cells, {units:,} units, {size / 1e6:.0f} MB of JSON")
    print(f"{clock.total:.1f} CPU s without imports; peak {peak:,.0f} MiB")


class _Clock:
    """Prints the CPU seconds since it was asked last."""

    def __init__(self) -> None:
        self.last = time.process_time()
        self.total = 0.0

    def __call__(self, what: str) -> None:
        now = time.process_time()
        self.total += (now - self.last) * (what != "imports")
        print(f"{what}: {now - self.last:.2f} CPU s")
        self.last = now


if __name__ == "__main__":
    main()
