"""Progress of training."""

from collections.abc import Callable

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["Report", "progress_bar", "reporter"]

Report = Callable[[int, float, float], None]
"""Called with steps done, loss, and accuracy on the training images of this epoch."""


def progress_bar(console: Console | None = None) -> Progress:
    """Return the bar that :func:`reporter` fills: steps, loss, accuracy, time, time left.

    It is shown on standard output unless a console says where.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.4f}  accuracy {task.fields[accuracy]:.1%}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def reporter(progress: Progress | None, name: str, done: int, steps: int) -> Report:
    """Return a function that updates a new line of ``progress``, if there is one."""
    if progress is None:
        return lambda step, loss, hits: None
    task = progress.add_task(name, total=steps, completed=done, loss=0.0, accuracy=0.0)
    return lambda step, loss, hits: progress.update(task, completed=step, loss=loss, accuracy=hits)
