"""The optimiser of every model: AdamW, lookup tables apart from the rest."""

import torch
from torch import Tensor, nn

from ...config.transformer import Recipe

__all__ = ["Optimizer"]

STATE = ("step", "exp_avg", "exp_avg_sq")


class Optimizer:
    """AdamW with a learning rate of its own for tables, which stay in [-1, 1].

    Only weight matrices decay. Gradients of tables and of their wiring are not clipped.

    Parameters
    ----------
    model : nn.Module
    config : Recipe
    clip : float or None
        Largest norm of the gradient of all others; None for any.
    """

    def __init__(self, model: nn.Module, config: Recipe, clip: float | None = None) -> None:
        self.clip = clip
        self.parameters = dict(model.named_parameters())
        self.tables = self._named(".tables")
        matrices = self._named(".weight")
        wiring = self._named(".mapping.weights")
        known = {id(p) for p in self.tables + matrices + wiring}
        rest = [p for p in self.parameters.values() if id(p) not in known]
        self.clipped = matrices + rest
        groups = [
            {"params": self.tables, "base": config.lr_tables, "weight_decay": 0.0},
            {"params": matrices, "base": config.lr, "weight_decay": config.weight_decay},
            {"params": wiring, "base": config.lr, "weight_decay": 0.0},
            {"params": rest, "base": config.lr, "weight_decay": 0.0},
        ]
        self.adam = torch.optim.AdamW(
            [g for g in groups if g["params"]], betas=(0.9, 0.99), fused=True
        )

    def _named(self, ending: str) -> list[nn.Parameter]:
        return [p for name, p in self.parameters.items() if name.endswith(ending)]

    def descend(self, loss: Tensor, rate: float) -> None:
        """Take one step down ``loss``, at ``rate`` times the learning rates."""
        for group in self.adam.param_groups:
            group["lr"] = group["base"] * rate
        self.adam.zero_grad()
        loss.backward()
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.clipped, self.clip)
        self.adam.step()
        with torch.no_grad():
            for table in self.tables:
                table.clamp_(-1, 1)

    def state(self) -> dict[str, Tensor]:
        """Return its memory, by ``parameter.state``; empty before the first step."""
        return {
            f"{name}.{key}": value
            for name, p in self.parameters.items()
            for key, value in self.adam.state.get(p, {}).items()
        }

    def restore(self, state: dict[str, Tensor]) -> None:
        """Restore the state that :meth:`state` returned."""
        for name, p in self.parameters.items():
            for key in STATE:
                value = state[f"{name}.{key}"]
                self.adam.state[p][key] = (
                    value.clone() if key == "step" else value.to(p.device, copy=True)
                )
