"""How much faster DeepWordBug is here than TextAttack's, on English, with one model and one thread.

    python -m venv TEXTATTACK && TEXTATTACK/bin/pip install textattack torch 'transformers<5'
    python benchmarks/textattack_ratio.py CHECKPOINT --textattack TEXTATTACK/bin/python [--data DIR] [--examples 20]
                                          [--budget 60]

CHECKPOINT is a fine-tuned NLI model with a fast tokenizer. TextAttack runs in an environment of its own, which has none
of our packages: this script calls itself there with `--inside`. Both ways are given the same pairs, whose hypothesis
is attacked, and the same budget; each reports its queries and its seconds, and what is compared is seconds a query
(TextAttack counts a query as a text that its model is asked about). The recipes draw their changes differently: what
they reach is printed beside, and is not what this compares.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def inside(given: Any) -> None:
    """In TextAttack's environment: read pairs from stdin, write seconds, queries and successes."""
    import torch
    from textattack import AttackArgs, Attacker  # type: ignore[import-not-found]
    from textattack.attack_recipes import DeepWordBugGao2018  # type: ignore[import-not-found]
    from textattack.datasets import Dataset  # type: ignore[import-not-found]
    from textattack.models.wrappers import HuggingFaceModelWrapper  # type: ignore[import-not-found]
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(given.model)
    model = AutoModelForSequenceClassification.from_pretrained(given.model).eval()
    pairs = json.load(sys.stdin)
    data = Dataset([((p["first"], p["second"]), p["label"]) for p in pairs], input_columns=["premise", "hypothesis"])
    attack = DeepWordBugGao2018.build(HuggingFaceModelWrapper(model, tokenizer))
    options = AttackArgs(
        num_examples=len(pairs), query_budget=given.budget, disable_stdout=True, silent=True, random_seed=1
    )
    begun = time.process_time()
    results = Attacker(attack, data, options).attack_dataset()
    seconds = time.process_time() - begun
    queries = sum(result.num_queries for result in results)
    broken = sum(type(result).__name__ == "SuccessfulAttackResult" for result in results)
    json.dump({"seconds": seconds, "queries": queries, "broken": broken}, sys.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--textattack", help="the Python of TextAttack's environment")
    parser.add_argument("--data", type=Path, help="official files with XNLI; without: the microworld's English")
    parser.add_argument("--examples", type=int, default=20)
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        inside(given)
        return

    import torch

    from crosswind.attack.recipe import parse_recipe, unattackable
    from crosswind.attack.run import AttackBudget, attack_examples
    from crosswind.attack.victim import ModelVictim
    from crosswind.data.source import open_source
    from crosswind.evaluate.metrics.base import METRICS
    from crosswind.evaluate.predict import Predictor
    from crosswind.model.checkpoint import load_head
    from crosswind.perturb.lexicons import environment_of
    from crosswind.tasks.base import TASKS, classes
    from crosswind.tasks.load import load

    torch.set_num_threads(1)
    task = TASKS["xnli" if given.data else "mw-nli"]
    source = open_source({"source": "files", "root": str(given.data)} if given.data else {"source": "microworld"})
    examples: Any = load(task, "en", "test", source, limit=given.examples).examples
    encoder, head = load_head(given.model, "pair", classes(task))
    victim = ModelVictim(Predictor(encoder, head, max_length=128), METRICS["accuracy"])
    call = parse_recipe("deepwordbug")
    setting = call.setting(task, "en", environment_of(None if given.data else "microworld"))
    unattackable(call, setting)  # reads the registries
    begun = time.process_time()
    outcomes = attack_examples(victim, examples, call, setting, AttackBudget(given.budget))
    seconds = time.process_time() - begun
    queries = sum(o.queries for o in outcomes) + len(outcomes)  # TextAttack counts the clean text as well
    ours = seconds / queries
    broken = sum(o.end == "success" for o in outcomes)
    print(f"here        {1000 * ours:8.2f} ms a query  ({queries} queries, {broken} of {len(outcomes)} broken)")
    if given.textattack is None:
        print("TextAttack  not run: name its Python with --textattack")
        return
    pairs = [{"first": e.first, "second": e.second, "label": e.label} for e in examples]
    command = [given.textattack, __file__, given.model, "--budget", str(given.budget), "--inside"]
    answer = subprocess.run(command, input=json.dumps(pairs), capture_output=True, text=True, check=False)
    if answer.returncode:
        sys.exit(f"TextAttack failed: {answer.stderr.strip().splitlines()[-1] if answer.stderr.strip() else ''}")
    theirs = json.loads(answer.stdout.strip().splitlines()[-1])
    each = theirs["seconds"] / theirs["queries"]
    print(f"TextAttack  {1000 * each:8.2f} ms a query  ({theirs['queries']} queries, {theirs['broken']} broken)")
    print(f"ratio {each / ours:.2f}")


if __name__ == "__main__":
    main()
