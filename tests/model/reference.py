"""A network run one integer at a time in plain Python, straight from docs/math.md.

No numpy arithmetic, no vector, no shortcut: slow, and easy to compare with the text.
"""

from math import isqrt
from typing import Any

from lutformer.model.conditional_sum import ConditionalSum
from lutformer.model.hamming_attention import HammingAttention
from lutformer.model.linear import Linear
from lutformer.model.network import Block, Network
from lutformer.model.weightless_mlp import WeightlessMlp

Vector = list[int]
RHO = 12
KAPPA = 12


def bits(v: int) -> int:
    return len(bin(v)) - 2 if v else 0


def clamp(v: int, b: int) -> int:  # Eq. 1
    return min(max(v, -(2 ** (b - 1))), 2 ** (b - 1) - 1)


def requantize(a: int, m: int, s: int, b: int) -> int:  # Eq. 2
    return clamp((a * m + 2 ** (s - 1)) >> s, b)


def reciprocal(v: int, w: int) -> tuple[int, int]:  # Eq. 3
    z = w - bits(v)
    return (2 ** (w - 1 + RHO) - 1) // (v << z), z


def accumulate(layer: Linear, x: Vector) -> Vector:  # Eq. 4
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [b + sum(w * v for w, v in zip(row, x, strict=True)) for row, b in rows]


def scaled(layer: Linear, x: Vector, s: int, b: int) -> Vector:  # Eq. 5
    pairs = zip(accumulate(layer, x), layer.multiplier.tolist(), strict=True)
    return [requantize(a, m, s, b) for a, m in pairs]


def layer_norm(x: Vector, fraction: int) -> Vector:
    d = len(x)
    s1, s2 = sum(x), sum(v * v for v in x)
    u = d * s2 - s1 * s1  # Eq. 6
    largest = (d // 2) * ((d + 1) // 2) * 65535**2  # half the channels at each end
    w = max(bits(largest) + bits(largest) % 2, 2 * KAPPA)
    e = (w - bits(max(u, 1))) >> 1  # Eq. 7
    root = isqrt((max(u, 1) << 2 * e) >> (w - 2 * KAPPA))  # Eq. 8
    r, z = reciprocal(root, KAPPA)
    assert z == 0
    return [requantize(d * v - s1, r, RHO - 1 + w // 2 - e - fraction, 8) for v in x]  # Eq. 9


def attention(layer: HammingAttention, tokens: list[Vector], s: int) -> dict[str, list[Vector]]:
    query = [[int(a >= 0) for a in accumulate(layer.query, x)] for x in tokens]  # Eq. 10
    key = [[int(a >= 0) for a in accumulate(layer.key, x)] for x in tokens]
    value = [scaled(layer.value, x, s, 8) for x in tokens]
    table = layer.table.tolist()
    width = bits(len(tokens) * max(map(max, table)))  # Eq. 13
    mixed = []
    for q in query:
        row: Vector = []
        for h in range(layer.heads):
            code = slice(h * layer.code_bits, (h + 1) * layer.code_bits)
            weight = [
                table[h][sum(a != b for a, b in zip(q[code], k[code], strict=True))]  # Eq. 11, 12
                for k in key
            ]
            r, z = reciprocal(sum(weight), width)
            for c in range(h * layer.head_width, (h + 1) * layer.head_width):
                total = sum(e * v[c] for e, v in zip(weight, value, strict=True))
                row.append(requantize(total, r, width - 1 + RHO - z, 8))  # Eq. 14
        mixed.append(row)
    return {"query": query, "key": key, "value": value, "mixed": mixed}


def conditional_sum(layer: ConditionalSum, x: Vector) -> Vector:  # Eq. 17
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [
        (beta + sum(w for w, b in zip(row, x, strict=True) if b)) << layer.shift
        for row, beta in rows
    ]


def mlp(layer: WeightlessMlp, x: Vector) -> tuple[Vector, Vector]:
    thresholds = layer.thermometer.thresholds.tolist()
    word = [int(v > t) for v, row in zip(x, thresholds, strict=True) for t in row]  # Eq. 15
    for luts in layer.layers:  # Eq. 16
        word = [
            table[sum(word[source] << place for place, source in enumerate(wires))]
            for table, wires in zip(luts.tables.tolist(), luts.mapping.tolist(), strict=True)
        ]
    return word, conditional_sum(layer.readout, word)


def add(x: Vector, y: Vector) -> Vector:
    return [clamp(a + b, 16) for a, b in zip(x, y, strict=True)]


def embedding(network: Network, image: Any) -> list[Vector]:  # Eq. 18
    e = network.embedding
    tokens: list[Vector] = [[0] * network.width] if e.class_token else []
    for top in range(0, e.height, e.patch_height):
        for left in range(0, e.width, e.patch_width):
            pixels = [
                int(image[top + i][left + j][c]) - 128
                for i in range(e.patch_height)
                for j in range(e.patch_width)
                for c in range(e.channels)
            ]
            tokens.append(scaled(e.patch, pixels, network.requant_shift, 16))
    return [add(x, p) for x, p in zip(tokens, e.position.tolist(), strict=True)]


def run_block(network: Network, block: Block, x: list[Vector]) -> dict[str, list[Vector]]:
    s = network.requant_shift
    out = {"norm1": [layer_norm(v, network.fraction) for v in x]}
    out |= attention(block.attention, out["norm1"], s)
    after = [scaled(block.attention.output, v, s, 16) for v in out["mixed"]]
    out["attention"] = [add(a, b) for a, b in zip(x, after, strict=True)]
    out["norm2"] = [layer_norm(v, network.fraction) for v in out["attention"]]
    results = [mlp(block.mlp, v) for v in out["norm2"]]
    out["bits"] = [word for word, _ in results]
    out["mlp"] = [add(a, y) for a, (_, y) in zip(out["attention"], results, strict=True)]
    return out


def run(network: Network, image: Any) -> dict[str, Any]:
    """Return every integer of one image, by the names of ``golden``."""
    x = embedding(network, image)
    out: dict[str, Any] = {"embedding": x}
    for n, block in enumerate(network.blocks):
        integers = run_block(network, block, x)
        out |= {f"blocks.{n}.{name}": value for name, value in integers.items()}
        x = integers["mlp"]
    if network.embedding.class_token:
        out["pooled"] = x[0]
    else:  # Eq. 19
        k = bits(len(x) - 1)
        half = 2 ** (k - 1) if k else 0
        out["pooled"] = [(sum(column) + half) >> k for column in zip(*x, strict=True)]
    out["norm"] = layer_norm(out["pooled"], network.fraction)
    out["logits"] = accumulate(network.head, out["norm"])  # Eq. 20
    return out
