"""Training run of a decoder of text."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..files import write_whole
from ..generation import generate
from ..gpt import LOGIT_FRACTION
from ..gpt_config import GptConfig, GptRecipe
from ..sampling import Sampler, Sampling
from ..text import Text, text_loss
from .checkpoint import describe, save_checkpoint
from .curve import COLUMNS
from .export import export_gpt
from .gpt import Gpt
from .transformer_run import TransformerRun

__all__ = ["BEST_NAME", "GptRun", "measure"]

BEST_NAME = "best.safetensors"
"""Checkpoint of the least loss on the held-out text."""
BATCH = 24
"""Blocks of the held-out text at a time."""
SAMPLE_TOKENS = 200
SAMPLE_TEMPERATURE = 0.8


class GptRun(TransformerRun):
    """State of a run; an epoch is some steps on random blocks, then a look at the held-out text.

    Parameters
    ----------
    config : GptConfig
    recipe : GptRecipe
    data : Text
    device : str
        Of torch.
    """

    model: Gpt
    recipe: GptRecipe
    columns = (*COLUMNS, "validation_loss", "validation_accuracy")

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

    @property
    def validation_loss(self) -> float:
        return float(self.history[-1, self.columns.index("validation_loss")])

    def test_accuracy(self) -> float:
        return float(self.history[-1, self.columns.index("validation_accuracy")])

    def keep(self, folder: Path) -> None:
        """Keep the best weights by now, and a text that the network of now makes."""
        losses = self.history[:, self.columns.index("validation_loss")]
        if int(losses.argmin()) == len(losses) - 1:
            save_checkpoint(self.checkpoint(), folder / BEST_NAME)
        if self.config.exact:
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
    """Return loss in nats and accuracy over the whole held-out text, in blocks that do not overlap.

    By integers if the model has them.
    """
    inputs, following = text.held_out(model.config.block_size)
    device = next(model.parameters()).device
    step = model.logit_step * 2.0**-LOGIT_FRACTION if model.config.exact else 1.0
    was_training = model.training
    model.eval()
    loss = hits = 0.0
    for start in range(0, len(inputs), BATCH):
        batch = torch.from_numpy(inputs[start : start + BATCH]).to(device)
        logits, true = model(batch).cpu().numpy(), following[start : start + BATCH]
        loss += float(text_loss(logits, true, step).sum())
        hits += float((logits.argmax(-1) == true).sum())
    model.train(was_training)
    return loss / following.size, hits / following.size


def _check(config: GptConfig, data: Text) -> None:
    size = data.vocabulary.size
    if size != config.vocabulary:
        raise ValueError(f"Text {data.name} has {size} characters, the network {config.vocabulary}")
    data.held_out(config.block_size)
