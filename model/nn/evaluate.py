"""Scoring of a model on images."""

import numpy as np
import torch
from numpy.typing import NDArray

from .vit import VisionTransformer

__all__ = ["accuracy", "predict"]


def predict(
    model: VisionTransformer, images: NDArray[np.uint8], batch: int = 256
) -> NDArray[np.int64]:
    """Return the class of each image (Eq. 21), by integers if the model has them."""
    device = model.embedding.position.device
    was_training = model.training
    model.eval()
    with torch.no_grad():
        classes = [
            model(torch.from_numpy(images[n : n + batch]).to(device)).argmax(1).cpu().numpy()
            for n in range(0, len(images), batch)
        ]
    model.train(was_training)
    return np.concatenate(classes)


def accuracy(
    model: VisionTransformer, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> float:
    """Return the fraction of images whose class is right."""
    return float((predict(model, images) == labels).mean())
