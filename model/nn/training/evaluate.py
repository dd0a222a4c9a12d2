"""Scoring of a model on images or words."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

__all__ = ["accuracy", "predict"]


def predict(model: nn.Module, inputs: NDArray[Any], batch: int = 256) -> NDArray[np.int64]:
    """Return the class of each input (Eq. 21), by integers if the model has them."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    with torch.no_grad():
        classes = [
            model(torch.from_numpy(inputs[n : n + batch]).to(device)).argmax(1).cpu().numpy()
            for n in range(0, len(inputs), batch)
        ]
    model.train(was_training)
    return np.concatenate(classes)


def accuracy(model: nn.Module, inputs: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """Return the fraction of inputs whose class is right."""
    return float((predict(model, inputs) == labels).mean())
