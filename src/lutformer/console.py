"""Terminal output: tables, sentences and progress; plain text if it is not a terminal."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

__all__ = ["Advance", "next_step", "notes", "out", "progress", "table"]

Advance = Callable[[int], None]
"""Called with how much is done by now."""

out = Console(highlight=False, soft_wrap=True)
"""Standard output: results."""

notes = Console(stderr=True, highlight=False)
"""Standard error: what goes on, for whoever watches."""


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
    """Print rows under ``columns``: ruled on a terminal, else aligned by spaces."""
    texts = [[str(cell) for cell in row] for row in rows]
    if out.is_terminal:
        ruled = Table(*columns, title=title or None, title_justify="left")
        for row in texts:
            ruled.add_row(*row)
        out.print(ruled)
        return
    lines = [list(columns), *texts] if any(columns) else texts
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if title:
        out.print(title, markup=False)
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        out.print("  ".join(padded).rstrip(), markup=False)


def next_step(*words: object) -> None:
    """Print the command that usually comes next."""
    out.print(f"Next: {shlex.join(map(str, words))}", markup=False)


@contextmanager
def progress(name: str, total: int) -> Iterator[Advance]:
    """Show a bar from 0 to ``total`` on a terminal; yield the function that advances it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, *times, console=notes, disable=not notes.is_terminal) as bar:
        task = bar.add_task(name, total=total)
        yield lambda done: bar.update(task, completed=done)
