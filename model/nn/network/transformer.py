"""The common part of transformers of all families in training: blocks and one shift."""

from collections.abc import Iterator
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...arithmetic import RESIDUAL_BITS
from ...config.transformer import BlockConfig
from ...kinds.registry import ATTENTIONS, MLPS
from ...linear import MULTIPLIER_BITS
from ..arithmetic import clamp
from ..attention import Attention
from ..kernel_hash import KernelHash
from ..layer_norm import LayerNorm
from ..linear import INITIAL_STD, Linear
from ..mlp import Mlp
from ..quantizer import ACTIVATION_STEP, Ramp, saturate

__all__ = ["Block", "Transformer"]

Shape = TypeVar("Shape", bound=BlockConfig)

MAX_SHIFT = 30


class Block(nn.Module):
    """``x += attention(norm(x)); x += mlp(norm(x))``.

    Attributes
    ----------
    dropout : float
        Share of the increments that are left out in training.
    """

    def __init__(self, config: BlockConfig, ramp: Ramp) -> None:
        super().__init__()
        rounding = None if config.weights == "float" else ramp
        self.norm1, self.norm2 = LayerNorm(config.dim, rounding), LayerNorm(config.dim, rounding)
        output_std = INITIAL_STD * (2 * config.depth) ** -0.5  # so that the increments stay small
        attention = ATTENTIONS.named(config.attention).load_training()
        mlp = MLPS.named(config.mlp).load_training()
        self.attention: Attention = attention(config, ramp, output_std=output_std)
        self.mlp: Mlp = mlp(config, ramp, output_std=output_std)
        self.dropout = 0.0

    def forward(self, x: Tensor) -> Tensor:
        x = saturate(x + self._dropped(self.attention(self.norm1(x))), RESIDUAL_BITS)
        return saturate(x + self._dropped(self.mlp(self.norm2(x))), RESIDUAL_BITS)

    def _dropped(self, increment: Tensor) -> Tensor:
        if not self.dropout:
            return increment
        return functional.dropout(increment, self.dropout, self.training)

    def integers(self, x: Tensor, shift: int) -> dict[str, Tensor]:
        """Return every integer of the block, by the names of the golden run."""
        out = {"norm1": self.norm1.integers(x)}
        out |= self.attention.integers(out["norm1"], shift)
        out["attention"] = clamp(x + out.pop("increment"), RESIDUAL_BITS)
        out["norm2"] = self.norm2.integers(out["attention"])
        out |= self.mlp.integers(out["norm2"], shift)
        out["mlp"] = clamp(out["attention"] + out.pop("increment"), RESIDUAL_BITS)
        return out


class Transformer(nn.Module, Generic[Shape]):
    """Base of the transformers of all families.

    A subclass makes the parameters of what comes before the blocks, then calls :meth:`add_blocks`.

    Parameters
    ----------
    config : BlockConfig

    Attributes
    ----------
    ramp : Ramp
        Its ``value`` goes from 0 to 1 during training.
    """

    def __init__(self, config: Shape) -> None:
        super().__init__()
        self.config: Shape = config
        self.ramp = Ramp()
        self.rounding = None if config.weights == "float" else self.ramp

    def add_blocks(self, outputs: int) -> None:
        """Make the blocks, the last layer norm and a head of so many rows."""
        config = self.config
        self.blocks = nn.ModuleList(Block(config, self.ramp) for _ in range(config.depth))
        self.norm = LayerNorm(config.dim, self.rounding)
        self.head = Linear(
            config.dim,
            outputs,
            kind=config.weights,
            ramp=self.ramp,
            input_step=ACTIVATION_STEP,
            shared=True,
        )

    @property
    def requant_shift(self) -> int:
        """S of Eq. 2: the largest with which every multiplier fits its word."""
        top = max(float(layer.gain().max()) for layer in self._scaled())
        limit = 2 ** (MULTIPLIER_BITS - 1) - 1
        shift = next((s for s in range(MAX_SHIFT, 0, -1) if int(top * 2.0**s + 0.5) <= limit), None)
        if shift is None:
            raise OverflowError(
                f"Weights must stay below 2**14 of a step, not reach a gain of {top:.3g}"
            )
        return shift

    def _scaled(self) -> Iterator[Linear]:
        """Yield the linear layers whose outputs are requantised."""
        for module in self.modules():
            if isinstance(module, Linear) and module.requantised:
                yield module

    def relearn_hashes(self, generator: torch.Generator) -> None:
        """Have every kernel hash learned from the next batch that comes in training."""
        for module in self.modules():
            if isinstance(module, KernelHash):
                module.relearn(generator)

    def run_blocks(self, x: Tensor, shift: int) -> dict[str, Tensor]:
        """Return every integer of the blocks over int64 tokens, by the names of the golden run."""
        out = {}
        for n, block in enumerate(self.blocks):
            integers = block.integers(x, shift)  # type: ignore[operator]
            out |= {f"blocks.{n}.{name}": value for name, value in integers.items()}
            x = integers["mlp"]
        return out
