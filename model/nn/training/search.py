"""Choice of a learning rate without looking at the test images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.progress import Progress

from ...config.transformer import TrainConfig, VitConfig
from ...data.images import Dataset, validation_split
from .train import train

__all__ = ["RATES", "RateSearch", "search_rate"]

RATES = (1e-3, 2e-3, 4e-3, 8e-3)


@dataclass(frozen=True, kw_only=True)
class RateSearch:
    """The result of a search.

    Attributes
    ----------
    best : float
    accuracy : dict of float to float
        On the validation images, by learning rate.
    """

    best: float
    accuracy: dict[float, float]


def search_rate(
    config: VitConfig,
    train_config: TrainConfig,
    data: Dataset,
    rates: Sequence[float] = RATES,
    progress: Progress | None = None,
) -> RateSearch:
    """Train once with each learning rate on three quarters of the training images.

    The best is the one with the most hits on the fourth quarter, the lowest of equals.
    """
    split = validation_split(data)
    accuracy = {}
    for rate in sorted(rates):
        recipe = replace(train_config, lr=rate)
        result = train(config, recipe, split, progress=progress, name=f"lr {rate:g}")
        accuracy[rate] = result.test_accuracy
    return RateSearch(best=max(accuracy, key=accuracy.__getitem__), accuracy=accuracy)
