"""Training run of a decoder of text."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...config.gpt import GptConfig, GptRecipe
from ...data.text import Text
from ...network.generation import generate
from ...network.gpt import LOGIT_FRACTION
from ...network.text_loss import held_out_loss
from ...sampling import Sampler, Sampling
from ...storage.files import write_whole
from ..network.gpt import Gpt
from .checkpoint import describe, save_checkpoint
from .curve import COLUMNS
from .export import export_gpt
from .transformer_run import TransformerRun

__all__ = ["BEST_NAME", "GptRun", "measure"]

BEST_NAME = "best.safetensors"
"""Checkpoint of the least loss on the held-out text."""
SAMPLE_TOKENS = 200
SAMPLE_TEMPERATURE = 0.8


class GptRun(TransformerRun[Gpt, GptRecipe]):
    """State of a run; an epoch is some steps on random blocks, then a look at the held-out text.

    Parameters
    ----------
    config : GptConfig
    recipe : GptRecipe
    data : Text
    device : str
        Of torch.
    """

    columns = (*COLUMNS, "validation_loss", "validation_accuracy")
    result_name = BEST_NAME

    def __init__(self, config: GptConfig, recipe: GptRecipe, data: Text, device: str) -> None:
        _check(config, data)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            model = Gpt(config).to(device).train()
        model.drop(recipe.dropout)
        self.text, self.device = data, device
        self.tokens = torch.from_numpy(data.train_tokens)
        super().__init__(model, recipe, describe(data), recipe.interval * recipe.batch, recipe.clip)

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng((self.recipe.seed, self.epoch))
        size = self.model.config.block_size
        starts = rng.integers(
            0, len(self.tokens) - size, (self.recipe.interval, self.recipe.batch, 1)
        )
        places = torch.from_numpy(starts) + torch.arange(size + 1)
        for place in places:
            blocks = self.tokens[place].to(self.device)
            yield blocks[:, :-1], blocks[:, 1:].flatten()

    def begin_epoch(self) -> None:
        super().begin_epoch()
        torch.manual_seed(1_000_003 * self.recipe.seed + self.epoch)  # what dropout leaves out

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor | float]:
        return self.model(inputs).flatten(0, 1), 0.0

    def held_out(self) -> tuple[float, ...]:
        return measure(self.model, self.text)

    def validation_losses(self) -> tuple[float, ...]:
        return tuple(self.history[:, self.columns.index("validation_loss")].tolist())

    def test_accuracy(self) -> float:
        return float(self.history[-1, self.columns.index("validation_accuracy")])

    def keep(self, folder: Path) -> None:
        """Keep the best weights by now, and a text that the network of now makes."""
        losses = self.validation_losses()
        if losses.index(min(losses)) == len(losses) - 1:
            save_checkpoint(self.checkpoint(), folder / BEST_NAME)
        if self.model.config.exact:
            name = f"step-{self.step:06d}.txt"
            write_whole(folder / "samples" / name, (self._sample() + "\n").encode())

    def _sample(self) -> str:
        """Return text of the integer network, after a line break."""
        vocabulary = self.text.vocabulary
        network = export_gpt(self.model, characters=vocabulary.characters)
        sampler = Sampler(
            Sampling(temperature=network.temperature(SAMPLE_TEMPERATURE), seed=1 + self.step)
        )
        made = generate(network, vocabulary.prompt(""), sampler)
        return vocabulary.decode(one.token for one in islice(made, SAMPLE_TOKENS))


@torch.no_grad()
def measure(model: Gpt, text: Text) -> tuple[float, float]:
    """Return loss in nats and accuracy over the held-out text, by integers if there are any."""
    device = next(model.parameters()).device
    step = model.logit_step * 2.0**-LOGIT_FRACTION if model.config.exact else 1.0
    was_training = model.training
    model.eval()
    measures = held_out_loss(
        lambda blocks: model(torch.from_numpy(blocks).to(device)).cpu().numpy(),
        text,
        model.config.block_size,
        step,
    )
    model.train(was_training)
    return measures


def _check(config: GptConfig, data: Text) -> None:
    size = data.vocabulary.size
    if size != config.vocabulary:
        raise ValueError(f"Text {data.name} has {size} characters, the network {config.vocabulary}")
    data.held_out(config.block_size)
