"""Tables as LaTeX, for the package booktabs."""

from __future__ import annotations

from crosswind.report.inert import inert
from crosswind.report.parts import TextTable

_SPECIAL = {
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "−": "$-$",
    "≈": r"$\approx$",
    "●": r"$\bullet$",
    "†": r"\textdagger{}",
    "‡": r"\textdaggerdbl{}",
    "±": r"$\pm$",
    "[": "{[}",
    "]": "{]}",
    "*": r"\textasteriskcentered{}",
}


def latex_text(text: str) -> str:
    """A text that LaTeX sets as it is."""
    return "".join(_SPECIAL.get(c, c) for c in inert(text))


def latex_table(table: TextTable) -> str:
    """A `table` environment with `\\toprule`, `\\midrule` and `\\bottomrule`; numbers are right-aligned."""
    columns = "".join("r" if column.kind == "number" else "l" for column in table.columns)
    head = " & ".join(latex_text(column.title) for column in table.columns)
    rows = "".join(" & ".join(map(latex_text, row)) + " \\\\\n" for row in table.rows)
    return (
        "% \\usepackage{booktabs}\n\\begin{table}\n\\centering\n"
        f"\\caption{{{latex_text(table.caption)}}}\n\\label{{tab:{table.name}}}\n"
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{head} \\\\\n\\midrule\n{rows}\\bottomrule\n"
        "\\end{tabular}\n\\end{table}\n"
    )
