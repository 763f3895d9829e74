# SPDX-License-Identifier: Apache-2.0
"""A table of figures: in Markdown, and plotted as bars."""
from html import escape
from typing import NamedTuple

PANEL, BAR, LABELS, VALUES, GAP = 460, 18, 170, 80, 34  # pixels: a panel's width, and within it
COLOURS = {True: "#c0504d", False: "#8a9bb0"}  # ours, others


class Table(NamedTuple):
    name: str  # of the plot's file
    title: str
    note: str  # what the figures are, in a sentence or two
    head: str  # over the names of the rows
    columns: list
    rows: dict  # name: a figure for each column, None where there is none
    form: str = None  # without it: three digits or more

    def text(self, figure):
        if figure is None:
            return "–"
        is_short = abs(figure) < 100 and figure != int(figure)
        return (self.form or ("{:,.1f}" if is_short else "{:,.0f}")).format(figure)

    def markdown(self, plot):
        """plot: the path of its picture, as a link."""
        lines = [["", self.head, *self.columns, ""], ["", "---", *("---" for _ in self.columns), ""]]
        lines += [["", name, *map(self.text, figures), ""] for name, figures in self.rows.items()]
        table = "\n".join(" | ".join(cells).strip() for cells in lines)
        return f"### {self.title}\n{self.note}\n\n{table}\n\n![{self.title}]({plot})\n"

    def svg(self):
        """A panel for each row, with a scale of its own."""
        panels, y = [], GAP
        for name, figures in self.rows.items():
            known = [(column, figure) for column, figure in zip(self.columns, figures) if figure is not None]
            panels.append(f'<text x="0" y="{y}" font-weight="bold">{escape(name)}</text>')
            panels += [self.bar(y + 6 + i * BAR, column, figure, known) for i, (column, figure) in enumerate(known)]
            y += len(known) * BAR + GAP
        size = f'width="{PANEL}" height="{y}" viewBox="0 0 {PANEL} {y}" font-family="sans-serif" font-size="12"'
        title = f'<text x="0" y="14" font-weight="bold">{escape(self.title)}</text>'
        style = '<rect width="100%" height="100%" fill="white"/>'
        body = "\n".join([style, title, *panels])
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{body}\n</svg>\n'

    def bar(self, y, column, figure, known):
        most = max(abs(other) for _, other in known) or 1
        width = max(figure, 0) / most * (PANEL - LABELS - VALUES)
        colour = COLOURS[column.startswith("ours")]
        return (
            f'<text x="{LABELS - 6}" y="{y + 13}" text-anchor="end">{escape(column)}</text>'
            f'<rect x="{LABELS}" y="{y + 2}" width="{width:.1f}" height="{BAR - 4}" fill="{colour}"/>'
            f'<text x="{LABELS + width + 4:.1f}" y="{y + 13}">{self.text(figure)}</text>'
        )
