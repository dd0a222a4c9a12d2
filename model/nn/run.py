"""One training run: model, optimiser and history, from any epoch to any later one."""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from ..config import TrainConfig, VitConfig
from ..data import Dataset
from .batches import batches
from .checkpoint import Checkpoint, CheckpointError, describe, fingerprint
from .curve import COLUMNS
from .distillation import attention_maps, check_teacher, divergence, teacher_maps
from .optimizer import Optimizer
from .progress import Report
from .schedule import Schedule
from .vit import VisionTransformer

__all__ = ["Run"]

REPORT_STEPS = 10


class Run:
    """State of a run.

    Parameters
    ----------
    config : VitConfig
    train_config : TrainConfig
    data : Dataset
    device : str
        Of torch.
    teacher : VisionTransformer or None
        Whose attention is distilled, moved to ``device``; no part of the state.
    """

    def __init__(
        self,
        config: VitConfig,
        train_config: TrainConfig,
        data: Dataset,
        device: str,
        teacher: VisionTransformer | None = None,
    ) -> None:
        check_teacher(config, train_config, teacher.config if teacher else None)
        self.teacher = teacher.to(device).eval() if teacher else None
        self.teacher_print = fingerprint(teacher) if teacher else None
        self.train_config, self.data, self.device = train_config, data, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(train_config.seed)
            self.model = VisionTransformer(config).to(device).train()
        self.optimizer = Optimizer(self.model, train_config)
        self.schedule = Schedule(train_config, -(-len(data.train_labels) // train_config.batch))
        self.epoch = 0
        self.history = torch.empty(0, len(COLUMNS), dtype=torch.float64)

    @property
    def step(self) -> int:
        """Steps done, at the end of an epoch."""
        return self.epoch * self.schedule.steps_per_epoch

    def train_epoch(self, report: Report) -> None:
        """Go once through the training images."""
        if self.epoch < self.train_config.hash_epochs:
            generator = torch.Generator().manual_seed(self.train_config.seed + 1000 * self.epoch)
            self.model.relearn_hashes(generator)
        losses: list[Tensor] = []
        hits: list[Tensor] = []
        rate = 0.0
        for images, labels in batches(self.data, self.train_config, self.epoch, self.device):
            step = self.step + len(losses)
            rate, self.model.ramp.value = self.schedule.rate(step), self.schedule.ramp(step)
            logits, pull = self._forward(images)
            loss = functional.cross_entropy(logits, labels)
            self.optimizer.descend(loss + pull, rate)
            losses.append(loss.detach())
            hits.append((logits.detach().argmax(1) == labels).float().mean())
            if len(losses) % REPORT_STEPS == 0:
                report(step, float(losses[-1]), float(torch.stack(hits).mean()))
        self.epoch += 1
        means = float(torch.stack(losses).mean()), float(torch.stack(hits).mean())
        report(self.step, *means)
        lr = self.train_config.lr * rate
        row = torch.tensor([[self.epoch, self.step, lr, self.model.ramp.value, *means]])
        self.history = torch.cat([self.history, row.double()])

    def _forward(self, images: Tensor) -> tuple[Tensor, Tensor | float]:
        """Return the logits, and the loss of attending to other things than the teacher."""
        if self.teacher is None:
            return self.model(images), 0.0
        with attention_maps(self.model) as maps:
            logits = self.model(images)
        pull = divergence(teacher_maps(self.teacher, images), maps)
        return logits, self.train_config.distill * pull

    def checkpoint(self) -> Checkpoint:
        """Return everything that :meth:`restore` needs to go on from here."""
        return Checkpoint(
            config=self.model.config,
            train=self.train_config,
            data=describe(self.data),
            epoch=self.epoch,
            model=self.model.state_dict(),
            optimizer=self.optimizer.state(),
            history=self.history,
            teacher=self.teacher_print,
        )

    def restore(self, checkpoint: Checkpoint, path: Path) -> None:
        """Continue from ``checkpoint`` (read from ``path``), which must be of this very run."""
        mine = (self.model.config, self.train_config, describe(self.data))
        if (checkpoint.config, checkpoint.train, checkpoint.data) != mine:
            raise CheckpointError(
                f"{path} belongs to another run (other network, recipe or data); "
                "give another folder, or delete it"
            )
        if checkpoint.teacher != self.teacher_print:
            raise CheckpointError(
                f"{path} was trained with another teacher; give that one, or another folder"
            )
        self.model.load_state_dict(checkpoint.model)
        self.optimizer.restore(checkpoint.optimizer)
        self.epoch, self.history = checkpoint.epoch, checkpoint.history
        self.model.ramp.value = self.schedule.ramp(self.step)
