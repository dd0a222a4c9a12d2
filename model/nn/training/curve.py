"""The loss curve as CSV and as a picture."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from ...storage.files import write_whole

__all__ = ["COLUMNS", "save_curve"]

COLUMNS = ("epoch", "step", "lr", "ramp", "loss", "train_accuracy")
"""Of the history of every run, one row an epoch; loss and accuracy are means over it."""


def save_curve(history: Tensor, columns: Sequence[str], folder: Path) -> None:
    """Write ``curve.csv`` and ``curve.png`` of these columns into ``folder``."""
    rows = [",".join(f"{value:.6g}" for value in row) for row in history.tolist()]
    write_whole(folder / "curve.csv", "\n".join([",".join(columns), *rows, ""]).encode())
    _save_picture(dict(zip(columns, history.T.tolist(), strict=True)), folder / "curve.png")


def _save_picture(column: dict[str, list[float]], path: Path) -> None:
    import io  # both slow to import, and of no use until here

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    left = figure.add_subplot()
    left.plot(column["epoch"], column["loss"], color="tab:blue")
    left.set(xlabel="epoch", ylabel="training loss")
    if "validation_loss" in column:
        left.plot(column["epoch"], column["validation_loss"], color="tab:blue", linestyle="--")
        left.set(ylabel="training loss, and on held-out text (dashed)")
    left.yaxis.label.set_color("tab:blue")
    right = left.twinx()
    right.plot(
        column["epoch"], column["train_accuracy"], color="tab:orange", label="training accuracy"
    )
    right.plot(
        column["epoch"], column["ramp"], color="tab:gray", linestyle=":", label="quantisation"
    )
    right.set(ylim=(0, 1.02))
    right.legend(loc="center right")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    write_whole(path, buffer.getvalue())
