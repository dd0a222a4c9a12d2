"""Every kind of MLP on the same task: ``python -m benchmarks.mlp [--full] [--json]``.

Trains networks with int8 softmax attention that differ in nothing but their MLPs, exports them, and
compares trained model, golden run and emitted Verilog. ``removed`` is the share of the baseline's
multiplications that weightless MLPs spare, as QuWeiT's authors count it.
"""

from collections.abc import Sequence
from typing import Any

from lutformer.model.costs.published_share import removed_share
from lutformer.model.nn.network.vit import VisionTransformer
from lutformer.model.nn.training.export import export

from .bars import Bar
from .networks import Variants, run

__all__ = ["VARIANTS"]

ATTENTION = {"attention": "softmax"}
LUTS = 8
"""Of a layer, for each channel."""


def _weightless(readout: str, *luts: int, fan_in: int = 4, **changes: str) -> dict[str, Any]:
    shape = {"mlp": "weightless", "luts_per_channel": luts, "fan_in": fan_in, "readout": readout}
    return ATTENTION | shape | changes


VARIANTS: Variants = {
    "GELU": ATTENTION,
    **{f"dense, n={n}": _weightless("dense", LUTS, fan_in=n) for n in (2, 3, 4, 5, 6)},
    "dense, n=4, half": _weightless("dense", LUTS // 2),
    "dense, n=4, candidates": _weightless("dense", LUTS, mapping="candidates"),
    "dense, n=4, fd": _weightless("dense", LUTS, surrogate="fd"),
    "grouped, n=4": _weightless("grouped", LUTS),
    "grouped, n=4, candidates": _weightless("grouped", LUTS, mapping="candidates"),
    "grouped, n=4, learnable": _weightless("grouped", LUTS, mapping="learnable"),
    "grouped, n=4, four times": _weightless("grouped", 4 * LUTS),
    "grouped, n=4, two layers": _weightless("grouped", 2 * LUTS, LUTS),
}
QUICK_VARIANTS = ("GELU", "dense, n=4", "grouped, n=4")


def _removed(model: VisionTransformer) -> dict[str, float]:
    return {"removed": round(removed_share(export(model)), 4)}


PUBLISHED_SHARE = 0.55
"""Of the multiplications, that QuWeiT's weightless MLPs spare in DeiT-T."""


def bars(found: dict[str, Any]) -> list[Bar]:
    return [
        Bar(
            name=f"{variant}, {task}: share of multiplications spared",
            value=runs[0]["removed"],
            at_least=PUBLISHED_SHARE,
        )
        for task, rows in found["golden"].items()
        for variant, runs in rows.items()
        if task != "digits" and variant != "GELU"
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    run(
        "mlp",
        __doc__ or "",
        VARIANTS,
        QUICK_VARIANTS,
        _removed,
        bars=bars,
        arguments=arguments,
    )


if __name__ == "__main__":
    main()
