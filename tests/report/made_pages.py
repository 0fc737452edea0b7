"""Contents of pages for tests: one that has everything, and a text that would do harm if it could."""

from __future__ import annotations

import polars as pl

from crosswind.analysis.claims import Claim, ClaimScope, Finding, JudgedClaim
from crosswind.analysis.summary import Summary
from crosswind.report.content import (
    AuditRow,
    DataLicence,
    ExampleSample,
    JudgedFile,
    Provenance,
    ReportContent,
    StepCost,
    StoredExample,
)

FACTS = {"encoder": "mini", "pipeline seeds": "1"}
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\x00" + "w" * 10_000


def example(name: str = "xnli/test/1", **changes: object) -> StoredExample:
    values: dict[str, object] = {
        "id": name,
        "target": "xnli",
        "language": "de",
        "perturbation": "keyboard",
        "condition": "keyboard:0.1",
        "fields": [("first", "ein Satz hier", "ein Staz hier"), ("second", "und noch einer", None)],
        "gold": "neutral",
        "said": [("none", "neutral", "entailment", True), ("multi & lingual", "neutral", "neutral", False)],
    }
    return StoredExample(**{**values, **changes})  # type: ignore[arg-type]


def full(summary: Summary) -> ReportContent:
    judged = JudgedClaim(
        Claim(id="c1", statement="it <helps>", source="somebody", scope=ClaimScope(), checks=()),
        "refuted",
        (Finding("refuted", "gain −1.0"),),
    )
    statements = {"c1": "with mini (1.0 M parameters): it <helps>"}
    return ReportContent(
        "A <study>",
        summary,
        facts=FACTS,
        notes=["</script><script>alert(1)</script>"],
        claims=[JudgedFile("mine", "what is claimed", [judged], {"c1": "agrees: 1.0"}, statements)],
        audit=[AuditRow("seeds", "Are there enough?", False, "one"), AuditRow("floors", "Above?", True, "all")],
        curves=pl.DataFrame(
            {
                "route": ["none"] * 4, "defence": ["none"] * 4, "target": ["xnli"] * 4, "language": ["de"] * 4,
                "attack": ["deepwordbug"] * 2 + ["deepwordbug.random"] * 2, "control": [False, False, True, True],
                "selection": ["english"] * 4, "context_language": [""] * 4, "protection": ["none"] * 4,
                "pipeline_seed": [1] * 4, "budget": [10] * 4, "n": [8] * 4, "at": [0, 10, 0, 10],
                "score": [75.0, 25.0, 75.0, 50.0],
            }
        ),
        examples=ExampleSample([example(), example("xnli/test/2", language="ar")], 500, ["Of pipeline seed 1."]),
        provenance=Provenance(
            [StepCost("train", 2, 60.0, 70.0)], ["a processor (3 steps)"], [("accuracy|v1", 12)], [("model", "ab12")],
            [DataLicence("xnli", "target", "CC BY-NC", "Conneau et al. 2018")], "name: s\n", "0.1", "mini",
        ),
        missing=["audit: something"],
    )  # fmt: skip
