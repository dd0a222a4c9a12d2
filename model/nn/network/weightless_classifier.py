"""The DWN in training, twin of ``model/network/weightless_classifier.py`` (Eq. 36 and 37)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...config.classifier import ClassifierConfig
from ...network.weightless_classifier import FeatureEncoder
from ..lut_layer import LutLayer
from ..mapping import MAPPINGS

__all__ = ["WeightlessClassifier"]


class WeightlessClassifier(nn.Module):
    """Words [rows, features] in, logits [rows, classes] out.

    In training, logits are the counts divided by a temperature. In eval mode they are the counts,
    equal to those of the golden run.

    Parameters
    ----------
    config : ClassifierConfig
    encoder : FeatureEncoder or None
        With None its place is kept for that of a checkpoint.
    useful : int64 tensor or None
        Bits of the thermometers that the first layer may read; all if None.
    """

    def __init__(
        self,
        config: ClassifierConfig,
        encoder: FeatureEncoder | None = None,
        useful: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        thresholds = torch.zeros(config.features, config.thermometer_bits, dtype=torch.int64)
        word = torch.tensor([1, 0, 0])
        if encoder is not None:
            thresholds = torch.from_numpy(encoder.thresholds.copy())
            word = torch.tensor([encoder.bits, encoder.signed, encoder.fraction])
        self.thresholds: Tensor
        self.word: Tensor
        self.register_buffer("thresholds", thresholds)
        self.register_buffer("word", word)
        self.useful: Tensor
        self.register_buffer(
            "useful", torch.arange(thresholds.numel()) if useful is None else useful
        )
        self.layers = nn.ModuleList(self._layers())

    def _layers(self) -> list[LutLayer]:
        config = self.config
        widths = (len(self.useful), *config.luts)
        kinds = (config.mapping, *[config.inner_mapping] * len(config.luts))
        layers = []
        for inputs, luts, kind in zip(widths, config.luts, kinds, strict=False):
            mapping = MAPPINGS[kind](inputs, luts, config.fan_in, config.candidates)
            layers.append(LutLayer(inputs, luts, config.fan_in, config.surrogate, mapping))
        return layers

    @property
    def encoder(self) -> FeatureEncoder:
        """Thresholds and the format of words."""
        bits, signed, fraction = self.word.tolist()
        thresholds = self.thresholds.cpu().numpy()
        return FeatureEncoder(
            thresholds=thresholds, bits=bits, signed=bool(signed), fraction=fraction
        )

    def wiring(self) -> list[Tensor]:
        """Return the input of every address bit of each layer, [N, n]."""
        first, *others = (layer.mapping.wiring() for layer in self.layers)  # type: ignore[union-attr,operator]
        return [self.useful[first], *others]

    def forward(self, words: Tensor) -> Tensor:
        if not self.training:
            return self.integers(words)["counts"]
        features = self.useful // self.config.thermometer_bits
        above = words.T[features] > self.thresholds.flatten()[self.useful][:, None]
        rows = above.to(self.layers[0].tables.dtype)  # type: ignore[arg-type]
        for layer in self.layers:
            rows = layer.lookup(rows)  # type: ignore[operator]
        return self._counts(rows.T) / self.config.temperature

    def _counts(self, bits: Tensor) -> Tensor:
        """Sum contiguous groups of [rows, N] to [rows, classes] (Eq. 37)."""
        classes = self.config.classes
        group = -(-bits.shape[1] // classes)
        padded = functional.pad(bits, (0, group * classes - bits.shape[1]))
        return padded.reshape(len(bits), classes, group).sum(-1)

    @torch.no_grad()
    def integers(self, words: Tensor) -> dict[str, Tensor]:
        """Return every integer that a run over ``words`` makes, named as in the golden run."""
        bits = (words[..., None] > self.thresholds).long().flatten(-2)
        out = {"encoder": bits}
        bits = bits[:, self.useful]
        for n, layer in enumerate(self.layers):
            out[f"layers.{n}"] = bits = layer.integers(bits)  # type: ignore[operator]
        out["counts"] = self._counts(bits)
        out["class"] = out["counts"].argmax(-1)
        return out
