"""The page on which an annotator reviews perturbed texts: one HTML file, no network, its one script by its hash."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """What an annotator sees of an item: a code that says nothing, and its texts with what each is called."""

    code: str
    texts: tuple[tuple[str, str], ...]


# It reads what was chosen and saves it as a file: no request leaves the page.
_SCRIPT = """
const form = document.getElementById("review");
form.addEventListener("submit", event => {
  event.preventDefault();
  const quoted = text => '"' + text.replaceAll('"', '""') + '"';
  const data = new FormData(form);
  let left = 0;
  const rows = ["item,label,naturalness"];
  for (const field of form.querySelectorAll("fieldset")) {
    const code = field.dataset.item;
    const label = data.get(code + "-label") || "", natural = data.get(code + "-natural") || "";
    if (!label || !natural) left += 1;
    rows.push([code, label, natural].map(quoted).join(","));
  }
  document.getElementById("left").textContent = left ? left + " items are not answered yet" : "";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([rows.join("\\n") + "\\n"], {type: "text/csv"}));
  link.download = "answers-" + form.dataset.annotator + ".csv";
  link.click();
});
"""


def review_page(
    items: Sequence[ReviewItem],
    *,
    annotator: str,
    language: str,
    instructions: str,
    question: str,
    choices: Sequence[str],
) -> str:
    """The page of one annotator; without `choices` the answer is written."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("crosswind.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    return environment.get_template("review.html.j2").render(
        items=items,
        annotator=annotator,
        language=language,
        instructions=instructions,
        question=question,
        choices=choices,
        script=Markup(_SCRIPT),
        hash=Markup(f"'sha256-{digest}'"),
    )
