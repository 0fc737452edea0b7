r"""How much faster DeepWordBug is here than TextAttack's, on English, with one model and one thread.

    python -m venv TEXTATTACK
    TEXTATTACK/bin/pip install uv torch==2.13.0            (the build without accelerators, where the index has it)
    TEXTATTACK/bin/uv pip install --python TEXTATTACK/bin/python \
        torch==2.13.0 textattack==0.3.10 'transformers<5' 'datasets>=3'
    TEXTATTACK/bin/python -m nltk.downloader -d TEXTATTACK/nltk_data stopwords
    python benchmarks/textattack_ratio.py CHECKPOINT --textattack TEXTATTACK/bin/python [--data DIR] [--examples 20]
                                          [--budget 60] [--longest 128,0]

TextAttack runs in an environment of its own, which has none of our packages: this script calls itself there with
`--inside`. Version 0.3.10 does not import with transformers 5, imports flair whatever is attacked, and reads NLTK's
English stop words when it is imported (without a network: a file `nltk_data/corpora/stopwords/english` of them, a word
a line, in that environment). pip's resolver does not end with its dependencies; uv's takes seconds.

CHECKPOINT is a fine-tuned NLI model with a fast tokenizer that transformers loads as a sequence classifier. Both ways
are given the same pairs, whose hypothesis alone is attacked, the same budget of queries (with the one for the clean
text, which TextAttack counts), and one thread. What is compared is CPU seconds a query; imports and loading are left
out on both sides. The recipes draw their changes differently: what they reach stands beside and is not compared.

TextAttack pads every text to one length, the tokenizer's largest (512 of most): `--longest` gives it others, each a run
of its own; 0 is the least that holds all pairs and eight tokens more, which no user has without looking.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def inside(given: Any) -> None:
    """In TextAttack's environment: read pairs from stdin, write seconds, queries and what became of them."""
    import torch
    from textattack import AttackArgs, Attacker  # type: ignore[import-not-found]
    from textattack.attack_recipes import DeepWordBugGao2018  # type: ignore[import-not-found]
    from textattack.constraints.pre_transformation import (  # type: ignore[import-not-found]
        InputColumnModification,
    )
    from textattack.datasets import Dataset  # type: ignore[import-not-found]
    from textattack.models.wrappers import HuggingFaceModelWrapper  # type: ignore[import-not-found]
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerFast

    torch.set_num_threads(1)
    try:
        tokenizer = AutoTokenizer.from_pretrained(given.model)
    except ValueError:  # transformers 5 names a class that version 4 does not know
        tokenizer = PreTrainedTokenizerFast.from_pretrained(given.model)
    model = AutoModelForSequenceClassification.from_pretrained(given.model).eval()
    pairs = json.load(sys.stdin)
    lengths = [len(tokenizer(p["first"], p["second"])["input_ids"]) for p in pairs]
    tokenizer.model_max_length = int(given.longest) or max(lengths) + 8
    classes = {name.strip().lower(): int(i) for i, name in model.config.id2label.items()}
    columns = ["premise", "hypothesis"]
    data = Dataset([((p["first"], p["second"]), classes[p["class"]]) for p in pairs], input_columns=columns)
    attack = DeepWordBugGao2018.build(HuggingFaceModelWrapper(model, tokenizer))
    # As in TextAttack's own recipes for entailment: the premise stays.
    attack.pre_transformation_constraints.append(InputColumnModification(columns, {"premise"}))
    options = AttackArgs(
        num_examples=len(pairs), query_budget=given.budget + 1, disable_stdout=True, silent=True, random_seed=1
    )
    begun = time.process_time()
    results = Attacker(attack, data, options).attack_dataset()
    seconds = time.process_time() - begun
    kinds = [type(result).__name__ for result in results]
    answer = {
        "seconds": seconds,
        "queries": sum(result.num_queries for result in results),
        "right": sum(kind != "SkippedAttackResult" for kind in kinds),
        "broken": kinds.count("SuccessfulAttackResult"),
        "longest": tokenizer.model_max_length,
        "mean": sum(lengths) / len(lengths),
    }
    print(json.dumps(answer))


def ours(given: Any) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """What it costs here, and the pairs that were attacked."""
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
    names = [name.strip().lower() for name in classes(task)]
    pairs = [{"first": e.first, "second": e.second, "class": names[e.label]} for e in examples]
    answer = {
        "seconds": seconds,
        "queries": sum(o.queries for o in outcomes) + len(outcomes),  # TextAttack counts the clean text as well
        "right": sum(o.end != "wrong before" for o in outcomes),
        "broken": sum(o.end == "success" for o in outcomes),
    }
    return answer, pairs


def shown(name: str, answer: dict[str, Any]) -> str:
    each = 1000 * answer["seconds"] / answer["queries"]
    done = f"{answer['broken']} of {answer['right']} right ones broken"
    return f"{name:28} {each:8.2f} CPU ms a query  ({answer['queries']} queries, {done})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--textattack", help="the Python of TextAttack's environment")
    parser.add_argument("--nltk", help="where its stop words lie, if not in that environment or at home")
    parser.add_argument("--data", type=Path, help="official files with XNLI; without: the microworld's English")
    parser.add_argument("--examples", type=int, default=20)
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--longest", default="128,0", help="lengths that TextAttack pads to, one run each")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        inside(given)
        return
    mine, pairs = ours(given)
    print(shown("here", mine), flush=True)
    if given.textattack is None:
        print("TextAttack  not run: name its Python with --textattack")
        return
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    environment |= {"NLTK_DATA": given.nltk} if given.nltk else {}
    for longest in given.longest.split(","):
        command = [given.textattack, __file__, given.model, "--budget", str(given.budget), "--longest", longest]
        answer = subprocess.run(
            [*command, "--inside"],
            input=json.dumps(pairs),
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        if answer.returncode:
            sys.exit(f"TextAttack failed: {answer.stderr.strip()[-2000:]}")
        theirs = json.loads(answer.stdout.strip().splitlines()[-1])
        print(shown(f"TextAttack, padded to {theirs['longest']}", theirs))
        ratio = theirs["seconds"] / theirs["queries"] / (mine["seconds"] / mine["queries"])
        print(f"{'':28} ratio {ratio:.2f} (the pairs have {theirs['mean']:.0f} tokens on average)", flush=True)


if __name__ == "__main__":
    main()
