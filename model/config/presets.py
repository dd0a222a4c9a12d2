"""Named networks with the recipe and the data that suit them."""

from dataclasses import dataclass, replace

from lutformer.errors import UsageError

from .classifier import ClassifierConfig, ClassifierRecipe
from .gpt import GptConfig, GptRecipe
from .transformer import Recipe, TrainConfig, VitConfig

__all__ = ["PRESETS", "Preset", "preset"]


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A network, its recipe and its dataset."""

    summary: str
    model: VitConfig | ClassifierConfig | GptConfig
    train: Recipe
    data: str


_DWN_28 = ClassifierConfig(
    features=784, luts=(2000, 1000), fan_in=4, surrogate="hybrid", temperature=6.0
)
_DWN_28_RECIPE = ClassifierRecipe(epochs=30, batch=100, wiring_steps=8)

_TEXT = GptConfig(
    dim=128,
    depth=4,
    heads=4,
    attention="linear",
    form="and",
    code_bits=32,
    luts=(1024,),
    surrogate="fd",
    positions="none",
)
"""nanoGPT's configuration for CPUs, without a multiplication in projections, attention and MLP.

Decay tells it how far a token is back, so it needs no positions, and its context never ends.
"""

PRESETS = {
    "digits": Preset(
        summary="8x8 digits for the iCEBreaker: everything in the block RAM of a UP5K",
        model=VitConfig(height=8, width=8),
        train=TrainConfig(epochs=120, lr=8e-3, ramp=0.4),
        data="digits",
    ),
    "tiny": Preset(
        summary="8x8 digits, as small as it can be: trains in seconds, for tests",
        model=VitConfig(
            height=8,
            width=8,
            patch_height=4,
            patch_width=4,
            dim=16,
            depth=1,
            code_bits=8,
            luts=(32,),
        ),
        train=TrainConfig(epochs=3, warmup=10),
        data="digits",
    ),
    "fashion": Preset(
        summary="28x28 clothes (Fashion-MNIST), for ECP5 boards",
        model=VitConfig(
            height=28,
            width=28,
            patch_height=4,
            patch_width=4,
            dim=64,
            depth=3,
            heads=4,
            code_bits=16,
            luts=(512,),
        ),
        train=TrainConfig(epochs=10, batch=128, lr=3e-3),
        data="fashion-mnist",
    ),
    "cifar": Preset(
        summary="32x32 colour images (give CIFAR-10 as an .npz file), for large ECP5 boards",
        model=VitConfig(
            height=32,
            width=32,
            channels=3,
            patch_height=4,
            patch_width=4,
            dim=64,
            depth=4,
            heads=4,
            code_bits=16,
            luts=(512,),
        ),
        train=TrainConfig(epochs=30, batch=128, lr=3e-3, shift=2),
        data="cifar-10",
    ),
    "dwn-digits": Preset(
        summary="8x8 digits without any arithmetic but counting, for LUT4 fabrics",
        model=ClassifierConfig(
            encoding="uniform",
            thermometer_bits=5,
            luts=(270,),
            fan_in=4,
            surrogate="hybrid",
            temperature=1.6,
        ),
        train=ClassifierRecipe(epochs=40, batch=32, lr=2e-2),
        data="digits",
    ),
    "dwn-mnist": Preset(
        summary="28x28 digits (give MNIST as an .npz file), for LUT4 fabrics",
        model=_DWN_28,
        train=_DWN_28_RECIPE,
        data="mnist",
    ),
    "dwn-mnist-paper": Preset(
        summary="28x28 digits (give MNIST as an .npz file), of the size of DWN's paper",
        model=replace(_DWN_28, fan_in=6),
        train=_DWN_28_RECIPE,
        data="mnist",
    ),
    "dwn-fashion": Preset(
        summary="28x28 clothes (Fashion-MNIST), for LUT4 fabrics",
        model=_DWN_28,
        train=_DWN_28_RECIPE,
        data="fashion-mnist",
    ),
    "gpt-tiny": Preset(
        summary="smallest of all, for tests",
        model=replace(_TEXT, dim=16, depth=1, heads=2, block_size=16, code_bits=8, luts=(32,)),
        train=GptRecipe(epochs=2, interval=30, warmup=10),
        data="pydoc",
    ),
    "gpt-icebreaker": Preset(
        summary="smallest text worth reading, for the iCEBreaker",
        model=replace(
            _TEXT,
            dim=64,
            depth=2,
            attention="hamming",
            weighting="power",
            alibi=True,
            code_bits=16,
            luts=(128,),
            block_size=32,
        ),
        train=GptRecipe(epochs=20, batch=24),
        data="pydoc",
    ),
    "gpt-ulx3s": Preset(
        summary="text (nanoGPT's configuration for CPUs), for large ECP5 boards",
        model=replace(_TEXT, mapping="shared"),  # 4,096 tables find their wires more easily
        train=GptRecipe(),
        data="pydoc",
    ),
}


def preset(name: str) -> Preset:
    """Return a preset by name.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    if name not in PRESETS:
        raise UsageError(f"There is no preset {name!r}; the presets are {', '.join(PRESETS)}")
    return PRESETS[name]
