"""Every kind of attention on the same task: ``python -m benchmarks.attention [--full] [--json]``.

Trains networks that differ in nothing but their attention, exports them, compares trained model and
golden run on all held-out images, and the emitted Verilog and golden run on some. What is trained
lies in the output directory and is not trained again. Also: the energy of PVTv2-B0 as EcoFormer's
authors count it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lutformer.model.costs.published_energy import PVT, pvt_energy
from lutformer.model.linear_attention import LinearAttention, mix_linear
from lutformer.model.nn.network.vit import VisionTransformer
from lutformer.model.nn.training.export import export

from .bars import Bar
from .networks import Variants, run

__all__ = ["VARIANTS"]

VARIANTS: Variants = {
    "float softmax": {"attention": "softmax", "weights": "float"},
    "int8 softmax": {"attention": "softmax"},
    "int8 Shiftmax": {"attention": "softmax", "exponential": "shiftmax"},
    **{
        f"Hamming T={bits} {weighting}": {
            "attention": "hamming",
            "code_bits": bits,
            "weighting": weighting,
        }
        for bits in (8, 16, 32)
        for weighting in ("table", "power")
    },
    "EcoFormer b=16 kernel hash": {"attention": "linear", "code_bits": 16, "hash": "kernel"},
    "EcoFormer b=16 linear hash": {"attention": "linear", "code_bits": 16, "hash": "linear"},
}
QUICK_VARIANTS: tuple[str, ...] = (
    "float softmax",
    "int8 softmax",
    "Hamming T=16 table",
    "Hamming T=16 power",
    "EcoFormer b=16 kernel hash",
    "EcoFormer b=16 linear hash",
)


def _equal_values(model: VisionTransformer) -> dict[str, int]:
    """Count, for linear attention, equal values that do not come out as they went in (Eq. 32)."""
    network = export(model)
    layer = network.blocks[0].attention
    if not isinstance(layer, LinearAttention) or layer.form != "signed":
        return {}
    rng = np.random.default_rng(0)
    rows = (64, network.tokens, layer.heads * layer.code_bits)
    code = rng.integers(0, 2, rows)
    value = np.broadcast_to(
        rng.integers(-128, 128, (64, 1, layer.value.out_features)),
        (64, network.tokens, layer.value.out_features),
    )
    mixed = mix_linear(layer, code, code, value)
    return {"equal_values": mixed.size, "changed": int(np.count_nonzero(mixed != value))}


def _published() -> dict[str, Any]:
    """Return the energy of an image in PVTv2-B0, in billions of pJ, and EcoFormer's saving."""
    softmax, eco = (pvt_energy(PVT["B0"], ecoformer=kind).pj / 1e9 for kind in (False, True))
    saved = round(100 * (1 - eco / softmax))
    found = {"softmax": round(softmax, 2), "ecoformer": round(eco, 1), "saved_percent": saved}
    return {"pvtv2_b0_energy": found}


def bars(found: dict[str, Any]) -> list[Bar]:
    """Hold accuracies to the float ones, less what seeds differ; energy to what is published."""
    limits = [
        Bar(
            name=f"{variant}, {task}: values that linear attention changes",
            value=sum(one["changed"] for one in runs),
            at_most=0,
        )
        for task, rows in found["golden"].items()
        for variant, runs in rows.items()
        if runs and "changed" in runs[0]
    ]
    for task, rows in found["accuracy"].items():
        twin = rows.get("float softmax")
        if twin is None or len(twin["seeds"]) == 1:
            continue
        limits += [
            Bar(
                name=f"{variant}, {task}: accuracy less float softmax's, points",
                value=round(row["mean"] - twin["mean"], 2),
                at_least=-twin["spread"],
            )
            for variant, row in rows.items()
            if row is not twin
        ]
    saved = found["pvtv2_b0_energy"]["saved_percent"]
    return [*limits, Bar(name="PVTv2-B0: energy that EcoFormer saves, %", value=saved, at_least=73)]


def main(arguments: Sequence[str] | None = None) -> None:
    run(
        "attention",
        __doc__ or "",
        VARIANTS,
        QUICK_VARIANTS,
        _equal_values,
        _published(),
        bars=bars,
        arguments=arguments,
    )


if __name__ == "__main__":
    main()
