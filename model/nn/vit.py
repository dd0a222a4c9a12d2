"""Vision transformer: quantised or float, in training and in integers."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ..arithmetic import RESIDUAL_BITS
from ..config import BlockConfig, VitConfig
from ..linear import MULTIPLIER_BITS
from .arithmetic import clamp
from .attention import Attention
from .embedding import Embedding
from .gelu_mlp import GeluMlp
from .hamming_attention import HammingAttention
from .kernel_hash import KernelHash
from .layer_norm import LayerNorm
from .linear import INITIAL_STD, Linear
from .linear_attention import LinearAttention
from .pooling import Pooling
from .quantizer import ACTIVATION_STEP, Ramp, saturate
from .softmax_attention import SoftmaxAttention
from .weightless_mlp import WeightlessMlp

__all__ = ["Block", "VisionTransformer"]

MAX_SHIFT = 30
ATTENTIONS: dict[str, type[Attention]] = {
    "hamming": HammingAttention,
    "linear": LinearAttention,
    "softmax": SoftmaxAttention,
}
MLPS: dict[str, type[GeluMlp] | type[WeightlessMlp]] = {
    "gelu": GeluMlp,
    "weightless": WeightlessMlp,
}


class Block(nn.Module):
    """``x += attention(norm(x)); x += mlp(norm(x))``."""

    def __init__(self, config: BlockConfig, ramp: Ramp) -> None:
        super().__init__()
        rounding = None if config.weights == "float" else ramp
        self.norm1, self.norm2 = LayerNorm(config.dim, rounding), LayerNorm(config.dim, rounding)
        output_std = INITIAL_STD * (2 * config.depth) ** -0.5  # so that the increments stay small
        self.attention = ATTENTIONS[config.attention](config, ramp, output_std=output_std)  # type: ignore[call-arg]
        self.mlp = MLPS[config.mlp](config, ramp, output_std=output_std)

    def forward(self, x: Tensor) -> Tensor:
        x = saturate(x + self.attention(self.norm1(x)), RESIDUAL_BITS)
        return saturate(x + self.mlp(self.norm2(x)), RESIDUAL_BITS)

    def integers(self, x: Tensor, shift: int) -> dict[str, Tensor]:
        """Return every integer of the block, by the names of the golden run."""
        out = {"norm1": self.norm1.integers(x)}
        out |= self.attention.integers(out["norm1"], shift)
        out["attention"] = clamp(x + out.pop("increment"), RESIDUAL_BITS)
        out["norm2"] = self.norm2.integers(out["attention"])
        out |= self.mlp.integers(out["norm2"], shift)
        out["mlp"] = clamp(out["attention"] + out.pop("increment"), RESIDUAL_BITS)
        return out


class VisionTransformer(nn.Module):
    """Bytes [images, height, width, channels] in, logits [images, classes] out.

    In training mode, and always for a model with no integer form, logits are real. In eval mode
    they are the accumulators of the integer network, equal to those of the golden run.

    Parameters
    ----------
    config : VitConfig

    Attributes
    ----------
    ramp : Ramp
        Its ``value`` goes from 0 to 1 during training.
    """

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.config, self.ramp = config, Ramp()
        rounding = None if config.weights == "float" else self.ramp
        self.embedding = Embedding(config, self.ramp)
        self.blocks = nn.ModuleList(Block(config, self.ramp) for _ in range(config.depth))
        self.pooling = Pooling(config.pooling, rounding)
        self.norm = LayerNorm(config.dim, rounding)
        self.head = Linear(
            config.dim,
            config.classes,
            kind=config.weights,
            ramp=self.ramp,
            input_step=ACTIVATION_STEP,
            shared=True,
        )

    def forward(self, images: Tensor) -> Tensor:
        if self.config.exact and not self.training:
            return self.integers(images)["logits"]
        x = self.embedding(images)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(self.pooling(x)))

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

    @torch.no_grad()
    def integers(self, images: Tensor) -> dict[str, Tensor]:
        """Return every integer that a run over ``images`` makes, named as in ``golden``, int64."""
        shift = self.requant_shift
        x = self.embedding.integers(images, shift)
        out = {"embedding": x}
        for n, block in enumerate(self.blocks):
            integers = block.integers(x, shift)  # type: ignore[operator]
            out |= {f"blocks.{n}.{name}": value for name, value in integers.items()}
            x = integers["mlp"]
        out["pooled"] = self.pooling.integers(x)
        out["norm"] = self.norm.integers(out["pooled"])
        out["logits"] = self.head.accumulate(out["norm"])  # Eq. 20
        return out
