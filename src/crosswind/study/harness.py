"""Test sets as tasks of lm-evaluation-harness: items as JSON lines, and the YAML file that declares the task.

Keys of the YAML file as in the harness's own guide (EleutherAI/lm-evaluation-harness, docs/task_guide.md, v0.4). The
prompts are plain beginnings, in English: whoever evaluates a language model will want their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_never

from crosswind.data.examples import (
    ChoiceExample,
    Dataset,
    Example,
    PairExample,
    QueryExample,
    SpanExample,
    TaggingExample,
)
from crosswind.errors import UserError
from crosswind.plain_yaml import dump_yaml
from crosswind.study.planned import CellCondition
from crosswind.tasks.base import Task

_PAIR = {"doc_to_text": "{{first}}\n{{second}}\nLabel:", "output_type": "multiple_choice"}
_CHOICE = {"doc_to_text": "{{context}}\n{{question}}\n", "output_type": "multiple_choice"}
_CHOSEN = {"doc_to_choice": "{{choices}}", "doc_to_target": "label", "metric_list": [{"metric": "acc"}]}
_TAGGED = {
    "doc_to_text": "Words: {{words | join(' ')}}\nTags, one a word:",
    "doc_to_target": "{{tags | join(' ')}}",
}
_ANSWERED = {
    "doc_to_text": "{{context}}\n\nQuestion: {{question}}\nAnswer:",
    "doc_to_target": "{{answers[0] if answers else ''}}",
}
_GENERATED = {
    "output_type": "generate_until",
    "generation_kwargs": {"until": ["\n"]},
    "metric_list": [{"metric": "exact_match", "ignore_case": True}],
}


def harness_files(task: Task, dataset: Dataset, condition: CellCondition, folder: Path) -> dict[str, str]:
    """The text of `TASK-LANGUAGE.jsonl` and `TASK-LANGUAGE.yaml`, which names the first below `folder`.

    Each item has its id, task, language, condition, draw and protection, so that the harness's log of samples
    (`--log_samples`) is a file for `crosswind evaluate --predictions`. Raises `UserError` for retrieval.
    """
    name = f"{task.name}-{dataset.language}"
    said = {
        "task": task.name,
        "language": dataset.language,
        "condition": condition.label if condition.attack == "none" else condition.name,
        "draw": condition.draw,
        "protection": condition.protection,
    }
    lines = [json.dumps({"id": e.id, **said, **_item(e, task)}, ensure_ascii=False) for e in dataset.examples]
    called = re.sub(r"[^A-Za-z0-9]+", "_", f"crosswind {task.name} {dataset.language} {condition.label}").strip("_")
    draw = f"_draw{condition.draw}" if condition.draw > 1 else ""
    protected = f"_{condition.protection}_protected" if condition.protection != "none" else ""
    declared: dict[str, Any] = {
        "task": f"{called}{draw}{protected}",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str((folder / f"{name}.jsonl").absolute())}},
        "test_split": "test",
        "num_fewshot": 0,
        **_prompt(task),
        "metadata": {"version": 1.0, "licence": task.licence, "citation": task.citation},
    }
    return {f"{name}.jsonl": "".join(f"{line}\n" for line in lines), f"{name}.yaml": dump_yaml(declared)}


def _prompt(task: Task) -> Mapping[str, Any]:
    match task.kind:
        case "pair":
            return {**_PAIR, **_CHOSEN}
        case "choice":
            return {**_CHOICE, **_CHOSEN}
        case "tagging":
            return {**_GENERATED, **_TAGGED}
        case "span":
            return {**_GENERATED, **_ANSWERED}
        case "query":
            raise UserError(
                f"{task.name} is retrieval, which the harness does not evaluate",
                where="--format",
                hint="export it with --format hf: queries, and the pool beside them",
            )
        case _:
            assert_never(task.kind)


def _item(example: Example, task: Task) -> dict[str, Any]:
    match example:
        case PairExample():
            texts = {"first": example.first, "second": example.second}
            return {**texts, "choices": list(task.labels), "label": example.label}
        case ChoiceExample():
            texts = {"context": example.context, "question": example.question}
            return {**texts, "choices": list(example.choices), "label": example.label}
        case TaggingExample():
            return {"words": list(example.words), "tags": list(example.tags or ())}
        case SpanExample():
            texts = {"context": example.context, "question": example.question}
            return {**texts, "answers": list(dict.fromkeys(example.answer_texts))}
        case QueryExample():
            return {"query": example.query}
        case _:
            assert_never(example)
