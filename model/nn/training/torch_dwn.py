"""Models trained with torch-dwn, read without running anything that their files may hold.

What makes one, by the rules of its release (Bacellar et al., 2024): a bit is a feature above its
threshold, strictly and in float32; a table reads the inputs of its wiring, slot 0 as the least
significant address bit; its output is ``luts > 0``; wiring that was learned is the argmax of its
weights over the inputs; classes are counted over contiguous groups of the last layer, padded with
zeros.
"""

import json
import math
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lutformer.errors import UsageError

from ... import lut_layer
from ...lut_layer import MAX_FAN_IN
from ...network.weightless_classifier import FeatureEncoder, WeightlessClassifier, group_counts
from ...network.words import encoder_of, grid_encoder
from .checkpoint import CheckpointError

__all__ = ["TorchDwn", "load_torch_dwn"]

LUTS, WIRING, LEARNED = "luts", "mapping", "mapping.weights"
UNUSED = "_LUTLayer__dummy_mapping"
"""Of a layer with learned wiring; it only counts up."""

HOW = (
    "save torch.save({'state_dict': model.state_dict(), 'thermometer': thermometer.thresholds, "
    "'num_classes': N}, FILE)"
)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Wiring [N, n] and real entries [N, 2**n] of a layer."""

    wires: NDArray[np.int64]
    luts: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TorchDwn:
    """A model as torch-dwn computes it.

    Attributes
    ----------
    thresholds : float32 [features, z]
    layers : tuple of Layer
    classes : int
    scale : float or None
        By which raw integer features are divided before they are compared; None if they are not.
    """

    thresholds: NDArray[np.float32]
    layers: tuple[Layer, ...]
    classes: int
    scale: float | None = None

    def network(
        self,
        rows: NDArray[np.float64] | None = None,
        class_names: tuple[str, ...] = (),
        origin: Mapping[str, object] | None = None,
    ) -> WeightlessClassifier:
        """Return the integer network.

        Parameters
        ----------
        rows : [rows, features] or None
            From which the format of words is chosen; without them, and without a scale, features
            are taken to lie on the grid of the thresholds.
        class_names : tuple of str
        origin : mapping or None
        """
        inputs = self.thresholds.size
        layers = []
        for layer in self.layers:
            bits = (layer.luts > 0).astype(np.uint8)
            layers.append(lut_layer.LutLayer(inputs=inputs, mapping=layer.wires, tables=bits))
            inputs = len(bits)
        return WeightlessClassifier(
            encoder=self._encoder(rows),
            layers=tuple(layers),
            class_names=class_names or tuple(str(n) for n in range(self.classes)),
            origin=json.dumps(dict(origin or {}), sort_keys=True),
        )

    def _encoder(self, rows: NDArray[np.float64] | None) -> FeatureEncoder:
        if self.scale is not None:
            return grid_encoder(self._raw_thresholds(), 0)
        thresholds = self.thresholds.astype(np.float64)
        if rows is not None:
            return encoder_of(thresholds, rows.astype(np.float32).astype(np.float64))
        return grid_encoder(thresholds)

    def _raw_thresholds(self) -> NDArray[np.float64]:
        """Return the largest integers that, divided by the scale, are not above the thresholds."""
        assert self.scale is not None
        guess = np.floor(self.thresholds.astype(np.float64) * self.scale) + 1
        for _ in range(2):
            guess -= np.float32(guess / self.scale) > self.thresholds
        return guess

    def integers(self, rows: NDArray[np.float64]) -> dict[str, NDArray[np.integer]]:
        """Return every bit and count over rows of real features, as torch-dwn makes them."""
        features = (rows if self.scale is None else rows / self.scale).astype(np.float32)
        bits = (features[:, :, None] > self.thresholds).reshape(len(rows), -1).astype(np.int64)
        out: dict[str, NDArray[np.integer]] = {"encoder": bits}
        for n, layer in enumerate(self.layers):
            address = sum(bits[:, slot] << place for place, slot in enumerate(layer.wires.T))
            bits = (layer.luts[np.arange(len(layer.luts)), address] > 0).astype(np.int64)
            out[f"layers.{n}"] = bits
        out["counts"] = group_counts(bits, self.classes)
        out["class"] = np.argmax(out["counts"], axis=-1)
        return out


def load_torch_dwn(
    path: Path,
    thermometer: Path | None = None,
    classes: int | None = None,
    scale: float | None = None,
) -> TorchDwn:
    """Read a model.

    Parameters
    ----------
    path : Path
        Written by ``torch.save``: a ``state_dict``, or a dictionary with one as ``state_dict`` or
        ``model`` and, as far as is known, ``thermometer`` and ``num_classes``. Or a ``.json`` file
        with ``thresholds``, ``layers`` of ``wiring`` and ``tables``, and ``classes``.
    thermometer : Path or None
        Thresholds [features, z], if ``path`` has none: a ``.npy`` file or one of ``torch.save``.
    classes : int or None
        If ``path`` does not say.
    scale : float or None
        By which integer features were divided before the thermometer saw them (255 for bytes).

    Raises
    ------
    CheckpointError
        If a file cannot be read safely, or what it holds is no such model.
    UsageError
        If the scale is not a positive number.
    """
    if scale is not None and not (math.isfinite(scale) and scale > 0):
        raise UsageError(f"--scale must be a positive number, not {scale:g}")
    whole = _read_json(path) if path.suffix.lower() == ".json" else _read_torch(path)
    check = _Check(path)
    if whole.get("scaler") is not None:
        raise check.error("scales its features first, which hardware would not: fold that in")
    state = whole.get("state_dict", whole.get("model", whole))
    check(isinstance(state, Mapping), "holds no state_dict; " + HOW)
    found = _thermometer(thermometer) if thermometer else whole.get("thermometer")
    thresholds = _thresholds(found, _Check(thermometer or path))
    layers = _layers(state, thresholds.size, check)
    told = whole.get("num_classes") or whole.get("config", {}).get("num_classes")
    count = classes or _integer(told)
    check(isinstance(count, int), "does not say how many classes there are; give --classes")
    check(
        2 <= count <= len(layers[-1].luts),
        f"has {len(layers[-1].luts)} tables in its last layer, which cannot tell {count} classes",
    )
    return TorchDwn(thresholds=thresholds, layers=layers, classes=count, scale=scale)


def _integer(value: Any) -> Any:
    """Return the number in a tensor of one integer; anything else as it is."""
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_floating_point():
        return int(value)
    return value


class _Check:
    """Refusals of a file's contents, naming the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, condition: bool, message: str) -> None:
        if not condition:
            raise self.error(message)

    def error(self, message: str) -> CheckpointError:
        """Return the refusal."""
        return CheckpointError(f"{self.path} {message}")


def _read_torch(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist")
    if not zipfile.is_zipfile(path):  # whatever else could be read would be a bare pickle
        raise CheckpointError(f"{path} is not a complete file of torch.save; {HOW}")
    try:
        whole = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} holds Python objects, which could run arbitrary code and are not loaded; {HOW}"
        ) from error
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, AttributeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise CheckpointError(f"{path} is not a readable file of torch.save ({reason})") from error
    return dict(whole) if isinstance(whole, Mapping) else {"thermometer": whole}


def _read_json(path: Path) -> dict[str, Any]:
    """Return a neutral description in the words of a state_dict."""
    try:
        whole = json.loads(path.read_text())
        state: dict[str, Tensor] = {}
        for n, layer in enumerate(whole["layers"]):
            state[f"{n}.{LUTS}"] = torch.tensor(layer["tables"], dtype=torch.float32)
            state[f"{n}.{WIRING}"] = torch.tensor(layer["wiring"])
        thresholds = torch.tensor(whole["thresholds"], dtype=torch.float32)
        return {"state_dict": state, "thermometer": thresholds, "num_classes": whole["classes"]}
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is not a .json file of thresholds, layers and classes ({error})"
        ) from error


def _thermometer(path: Path) -> object:
    if path.suffix.lower() != ".npy":
        return _read_torch(path).get("thermometer")
    try:
        return torch.from_numpy(np.load(path, allow_pickle=False))
    except (OSError, ValueError, TypeError, EOFError) as error:
        raise CheckpointError(f"{path} is not a readable .npy file ({error})") from error


def _thresholds(found: object, check: _Check) -> NDArray[np.float32]:
    if isinstance(found, Mapping):
        found = found.get("thresholds")
    if not isinstance(found, Tensor):
        raise check.error(
            "has no thermometer, which torch-dwn models do not include: give its thresholds with "
            "--thermometer, or " + HOW
        )
    check(
        found.ndim == 2 and found.numel() > 0,
        f"has thresholds of shape {tuple(found.shape)}, which must be (features, z)",
    )
    thresholds = found.float().numpy()
    check(bool(np.isfinite(thresholds).all()), "has thresholds that are NaN or infinite")
    check(bool((np.diff(thresholds) >= 0).all()), "has thresholds that do not ascend")
    return thresholds


def _layers(state: Mapping[str, Any], inputs: int, check: _Check) -> tuple[Layer, ...]:
    """Return the layers in the order of the file; each reads the output of the previous one."""
    names = [name.removesuffix(LUTS) for name in state if name.split(".")[-1] == LUTS]
    check(names != [], "has no tensor named like 0.luts: it is no torch-dwn model")
    known = {name + part for name in names for part in (LUTS, WIRING, LEARNED, UNUSED)}
    other = [name for name in state if name not in known]
    check(not other, f"has layers that are no lookup tables ({', '.join(map(str, other[:3]))})")
    layers = []
    for name in names:
        layers.append(_layer(state, name, inputs, check))
        inputs = len(layers[-1].luts)
    return tuple(layers)


def _layer(state: Mapping[str, Any], name: str, inputs: int, check: _Check) -> Layer:
    luts = _numbers(state[name + LUTS], name + LUTS, check)
    count, entries = luts.shape
    fan_in = entries.bit_length() - 1
    check(entries == 1 << fan_in >= 2, f"has tables of {entries} entries ({name}{LUTS}), not 2**n")
    check(fan_in <= MAX_FAN_IN, f"has tables of n={fan_in} inputs ({name}{LUTS}); the most are 6")
    if name + LEARNED in state:
        weights = _numbers(state[name + LEARNED], name + LEARNED, check)
        _shape(weights, (inputs, count * fan_in), name + LEARNED, check)
        return Layer(wires=weights.argmax(0).reshape(count, fan_in), luts=luts)
    check(name + WIRING in state, f"has no wiring {name}{WIRING}")
    wires = _numbers(state[name + WIRING], name + WIRING, check).astype(np.int64)
    _shape(wires, (count, fan_in), name + WIRING, check)
    check(
        wires.min() >= 0 and wires.max() < inputs,
        f"has wiring ({name}{WIRING}) to input {wires.max()}, where there are {inputs}",
    )
    return Layer(wires=wires, luts=luts)


def _numbers(tensor: object, name: str, check: _Check) -> NDArray[np.float64]:
    if not isinstance(tensor, Tensor) or tensor.ndim != 2 or tensor.numel() == 0:
        shape = tuple(tensor.shape) if isinstance(tensor, Tensor) else type(tensor).__name__
        raise check.error(f"has {name} of shape {shape}, which must have two dimensions")
    values = tensor.detach().double().numpy()
    check(not np.isnan(values).any(), f"has NaN in {name}")
    return values


def _shape(array: NDArray[Any], shape: tuple[int, int], name: str, check: _Check) -> None:
    check(array.shape == shape, f"has {name} of shape {array.shape}, which must be {shape}")
