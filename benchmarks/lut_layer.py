"""Speed of the trainable LUT layer against a plain loop over its address bits.

    python -m benchmarks.lut_layer [--full] [--json] [--device cuda]

The loop does what DWN's definition says, with indexing and autograd of PyTorch; both compute the
same bits and gradients. Times are the best of some runs of forward and backward, of the process's
CPU on a CPU; a ratio above 1 means that the layer is faster.
Quick by default: the smallest layer.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from benchmarks.bars import Bar, add_full, json_text
from lutformer.console import table
from lutformer.model.nn.lut_layer import LutLayer
from lutformer.model.nn.mapping import MAPPINGS, CandidateMapping
from lutformer.model.nn.surrogate import SURROGATES

SHAPES = ((192, 200, 4), (384, 1024, 4), (384, 1024, 6))  # inputs, LUTs, inputs of each
SAMPLES = 256
RUNS = 5
WIRINGS = ("random", "candidates")


def loop(layer: LutLayer, bits: Tensor, grad: Tensor) -> tuple[Tensor, ...]:
    """Return bits out and the gradients of tables, bits and choices, one address bit at a time."""
    wires, tables = layer.mapping.wiring(), layer.tables.detach()
    number = torch.arange(len(tables), device=bits.device)
    sample = torch.arange(len(bits), device=bits.device)[:, None]
    address = torch.zeros(len(bits), len(tables), dtype=torch.long, device=bits.device)
    for place in range(wires.shape[1]):
        address = address + ((bits[:, wires[:, place]] > 0.5).long() << place)
    grad_tables, grad_bits = torch.zeros_like(tables), torch.zeros_like(bits)
    grad_tables.index_put_((number.expand_as(address), address), grad, accumulate=True)
    slopes = SURROGATES[layer.surrogate].slopes(tables)
    worth = []
    for place in range(wires.shape[1]):
        slope = slopes[place][number, address] * grad
        where = (sample, wires[:, place].expand_as(address))
        grad_bits.index_put_(where, slope, accumulate=True)
        if isinstance(layer.mapping, CandidateMapping):
            for chosen in layer.mapping.candidates[..., place]:
                worth.append(((2 * bits[:, chosen] - 1) * slope).sum(0))
    return (tables[number, address] > 0).to(bits.dtype), grad_tables, grad_bits, *worth


def vectorised(layer: LutLayer, bits: Tensor, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    bits = bits.detach().requires_grad_()
    layer.tables.grad = None
    out = layer(bits)
    out.backward(grad)
    assert layer.tables.grad is not None
    assert bits.grad is not None
    return out.detach(), layer.tables.grad, bits.grad


def seconds(work: Callable[[], object], device: str) -> float:
    """Return the least time of some runs."""
    clock = time.perf_counter if device == "cuda" else time.process_time
    times = []
    for _ in range(RUNS):
        start = clock()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(clock() - start)
    return min(times)


def measured(inputs: int, luts: int, fan_in: int, mapping: str, device: str) -> dict[str, Any]:
    torch.manual_seed(0)
    wiring = MAPPINGS[mapping](inputs, luts, fan_in, 8)
    layer = LutLayer(inputs, luts, fan_in, mapping=wiring).to(device)
    bits = torch.randint(0, 2, (SAMPLES, inputs), device=device).float()
    grad = torch.randn(SAMPLES, luts, device=device)
    ours, theirs = vectorised(layer, bits, grad), loop(layer, bits, grad)
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(ours[:2], theirs, strict=False))
    fast = seconds(lambda: vectorised(layer, bits, grad), device)
    slow = seconds(lambda: loop(layer, bits, grad), device)
    return {
        "inputs": inputs,
        "luts": luts,
        "fan_in": fan_in,
        "wiring": mapping,
        "layer_ms": round(fast * 1e3, 2),
        "loop_ms": round(slow * 1e3, 2),
        "ratio": round(slow / fast, 2),
    }


def bars(rows: Sequence[dict[str, Any]]) -> list[Bar]:
    return [
        Bar(
            name=f"{r['luts']:,} tables of {r['fan_in']} inputs, {r['wiring']}: loop / layer",
            value=r["ratio"],
            at_least=1.0,
        )
        for r in rows
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    add_full(parser, "all layers")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    shapes = SHAPES if chosen.full else SHAPES[:1]
    rows = [measured(*shape, mapping, chosen.device) for shape in shapes for mapping in WIRINGS]
    if chosen.json:
        print(json_text(bars(rows), rows, device=chosen.device, samples=SAMPLES))
        return
    table(tuple(rows[0]), [tuple(row.values()) for row in rows])


if __name__ == "__main__":
    main()
