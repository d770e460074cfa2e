"""Tables as text and as Markdown, and the files that a script leaves behind."""

import json
import os


def text_table(headings, rows):
    """Columns as wide as they have to be."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    lines = []
    for row in [headings, *rows]:
        lines.append("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    return lines


def markdown_table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |", "|" + " --- |" * len(headings)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def text(tables, conditions):
    """A report of (title, headings, rows), with what a reader must know at its end."""
    parts = []
    for title, headings, rows in tables:
        parts += ["", title, "", *text_table(headings, rows)]
    return "\n".join([*parts, "", *conditions])


def markdown(title, tables, conditions):
    parts = [f"# {title}", "", *conditions]
    for heading, headings, rows in tables:
        parts += ["", f"## {heading}", "", *markdown_table(headings, rows)]
    return "\n".join(parts) + "\n"


def machine_line(machine):
    return (
        f"- {machine['time']}; {machine['cpu']}, {machine['cores']} cores; Linux {machine['kernel']}; "
        f"load average at the start {machine['load_average'][0]:.2f}"
    )


def write(directory, name, raw, markdown):
    """Writes NAME.json and NAME.md; gives their paths."""
    os.makedirs(directory, exist_ok=True)
    paths = [os.path.join(directory, f"{name}.{ending}") for ending in ("json", "md")]
    with open(paths[0], "w") as file:
        json.dump(raw, file, indent=1)
    with open(paths[1], "w") as file:
        file.write(markdown)
    return paths
