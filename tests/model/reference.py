"""A network run one integer at a time in plain Python, straight from docs/math.md.

No numpy arithmetic, no vector, no shortcut: slow, and easy to compare with the text.
"""

from math import isqrt
from typing import Any

from lutformer.model.conditional_sum import ConditionalSum
from lutformer.model.gelu_mlp import GeluMlp
from lutformer.model.hamming_attention import HammingAttention
from lutformer.model.kernel_hash import KernelHash
from lutformer.model.linear import Linear
from lutformer.model.linear_attention import LinearAttention
from lutformer.model.network.gpt import Gpt
from lutformer.model.network.transformer import Block, Transformer
from lutformer.model.network.vit import Network
from lutformer.model.softmax_attention import SoftmaxAttention
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


def heads_of(rows: list[Vector], heads: int) -> list[list[Vector]]:
    """Return the rows of each head."""
    width = len(rows[0]) // heads
    return [[row[h * width : (h + 1) * width] for row in rows] for h in range(heads)]


def joined(heads: list[list[Vector]]) -> list[Vector]:
    return [[x for head in heads for x in head[n]] for n in range(len(heads[0]))]


def signs(layer: Linear, tokens: list[Vector]) -> list[Vector]:  # Eq. 10
    return [[int(a >= 0) for a in accumulate(layer, x)] for x in tokens]


def normalised(weights: Vector, values: list[Vector], width: int) -> Vector:  # Eq. 13, 14
    r, z = reciprocal(sum(weights), width)
    sums = [
        sum(e * v for e, v in zip(weights, column, strict=True))
        for column in zip(*values, strict=True)
    ]
    return [requantize(a, r, width - 1 + RHO - z, 8) for a in sums]


def hamming_weight(layer: HammingAttention, h: int, d: int, far: int) -> int:  # Eq. 12
    entry, lost = int(layer.table[h][d]), int(layer.alibi[h]) * far
    if layer.weighting == "power":
        return 2 ** max(0, 15 - ((entry + lost + 2**7) >> 8))
    return max(1, entry >> min((lost + 2**7) >> 8, 16))


def hamming(layer: HammingAttention, tokens: list[Vector], s: int) -> dict[str, list[Vector]]:
    query, key = signs(layer.query, tokens), signs(layer.key, tokens)
    value = [scaled(layer.value, x, s, 8) for x in tokens]
    n = len(tokens)
    largest = 2**15 if layer.weighting == "power" else max(map(max, layer.table.tolist()))
    mixed = []
    parts = (heads_of(x, layer.heads) for x in (query, key, value))
    for h, (q, k, v) in enumerate(zip(*parts, strict=True)):
        rows = []
        for i in range(n):
            seen = range(i + 1) if layer.causal else range(n)
            d = [sum(a != b for a, b in zip(q[i], k[j], strict=True)) for j in seen]  # Eq. 11
            near = sorted(seen, key=lambda j, d=d: (d[j], j))[: layer.top_k or n]
            weights = [hamming_weight(layer, h, d[j], abs(i - j)) if j in near else 0 for j in seen]
            rows.append(normalised(weights, [v[j] for j in seen], bits(n * largest)))
        mixed.append(rows)
    return {"query": query, "key": key, "value": value, "mixed": joined(mixed)}


def softmax(layer: SoftmaxAttention, tokens: list[Vector], s: int) -> dict[str, list[Vector]]:
    out = {
        name: [scaled(getattr(layer, name), x, s, 8) for x in tokens]
        for name in ("query", "key", "value")
    }
    n, table, mixed = len(tokens), layer.table.tolist(), []
    for q, k, v in zip(*(heads_of(x, layer.heads) for x in out.values()), strict=True):
        rows = []
        for i in range(n):
            seen = range(i + 1) if layer.causal else range(n)
            products = [sum(a * b for a, b in zip(q[i], k[j], strict=True)) for j in seen]
            score = [requantize(a, layer.multiplier, layer.shift, 8) for a in products]  # Eq. 22
            e = [table[max(score) - x] for x in score]  # Eq. 23
            values = [v[j] for j in seen]
            if layer.exponential == "table":
                rows.append(normalised(e, values, bits(n * table[0])))  # Eq. 24
                continue
            f = (2**31 - 1) // min(sum(e), 2**31 - 1)  # Eq. 25
            y = [x * f >> 16 for x in e]
            sums = [
                sum(a * b for a, b in zip(y, column, strict=True))
                for column in zip(*values, strict=True)
            ]
            rows.append([requantize(a, 1, 15, 8) for a in sums])
        mixed.append(rows)
    return out | {"mixed": joined(mixed)}


def kernel_hash(layer: KernelHash, tokens: list[Vector], s: int) -> dict[str, list[Vector]]:
    projected = [scaled(layer.project, x, s, 8) for x in tokens]
    w = bits(layer.anchors.shape[2] * 2**14)
    w = max(w + w % 2, 2 * KAPPA)
    codes = []
    for h, vectors in enumerate(heads_of(projected, layer.heads)):
        rows = []
        for p in vectors:
            u = max(sum(x * x for x in p), 1)  # Eq. 26
            e = (w - bits(u)) >> 1
            r, _ = reciprocal(isqrt((u << 2 * e) >> (w - 2 * KAPPA)), KAPPA)
            t = [
                sum(a * x for a, x in zip(row, p, strict=True)) for row in layer.anchors[h].tolist()
            ]
            cosine = [requantize(x, r, RHO - 1 + w // 2 - e, 8) for x in t]  # Eq. 27
            kernel = [int(layer.table[h][x + 128]) for x in cosine]  # Eq. 28
            pairs = zip(layer.hash[h].tolist(), layer.bias[h].tolist(), strict=True)
            rows.append(
                [
                    int(b + sum(a * x for a, x in zip(row, kernel, strict=True)) >= 0)
                    for row, b in pairs
                ]
            )  # Eq. 29
        codes.append(rows)
    return {"projected": projected, "query": joined(codes)}


def linear_mix(layer: LinearAttention, h: int, q: list[Vector], k: list[Vector], v: list[Vector]):
    """Return the mixed values of a head, state by state (Eq. 30 to 34)."""
    n, b, fraction, s = len(v), layer.code_bits, layer.fraction, int(layer.decay[h])
    low = 0 if layer.form == "and" else -1

    def signed(code: Vector) -> Vector:
        return [1 if bit else low for bit in code]

    reaches = [min(n, 2 ** int(x) + 1) if x else n for x in layer.decay]
    width = bits((b * 2**fraction + max(layer.bias, 2**fraction)) * max(reaches))
    state = [[0] * (len(v[0]) + 1) for _ in range(b + 1)]
    sums = []

    def read(i: int) -> None:
        row = [*signed(q[i]), 1]
        sums.append(
            [
                sum(g * x for g, x in zip(row, column, strict=True))
                for column in zip(*state, strict=True)
            ]
        )

    for j in range(n):
        gains = [g * 2**fraction for g in signed(k[j])] + [layer.bias]
        for r, gain in enumerate(gains):
            for c, x in enumerate([*v[j], 1]):
                lost = (state[r][c] + 2 ** (s - 1)) >> s if s else 0
                state[r][c] += gain * x - lost
        if layer.causal:
            read(j)
    if not layer.causal:
        for i in range(n):
            read(i)
    out = []
    for i, (*above, below) in enumerate(sums):
        if layer.form == "own":  # Eq. 33
            seen = v[: i + 1] if layer.causal else v
            above = [
                a + layer.bias * (v[i][c] - sum(row[c] for row in seen))
                for c, a in enumerate(above)
            ]
        r, z = reciprocal(below, width)
        out.append([requantize(a, r, width - 1 + RHO - z, 8) for a in above])
    return out


def linear(layer: LinearAttention, tokens: list[Vector], s: int) -> dict[str, list[Vector]]:
    if isinstance(layer.hash, KernelHash):
        out = kernel_hash(layer.hash, tokens, s)
    else:
        names = ("query", "key")[: len(layer.hash.projections)]
        parts = zip(names, layer.hash.projections, strict=True)
        out = {name: signs(part, tokens) for name, part in parts}
    value = [scaled(layer.value, x, s, 8) for x in tokens]
    rows = (out["query"], out.get("key", out["query"]), value)
    parts = zip(*(heads_of(x, layer.heads) for x in rows), strict=True)
    mixed = [linear_mix(layer, h, q, k, v) for h, (q, k, v) in enumerate(parts)]
    return out | {"value": value, "mixed": joined(mixed)}


ATTENTIONS = {HammingAttention: hamming, LinearAttention: linear, SoftmaxAttention: softmax}


def conditional_sum(layer: ConditionalSum, x: Vector) -> Vector:  # Eq. 17
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    size = layer.weight.shape[1]
    own = [x[n : n + size] for n in range(0, len(x), size)] * (1 if layer.grouped else len(x))
    return [
        (beta + sum(w for w, b in zip(row, bits, strict=True) if b)) << layer.shift
        for (row, beta), bits in zip(rows, own, strict=False)
    ]


def weightless(layer: WeightlessMlp, x: Vector) -> dict[str, Vector]:
    thresholds = layer.thermometer.thresholds.tolist()
    word = [int(v > t) for v, row in zip(x, thresholds, strict=True) for t in row]  # Eq. 15
    for luts in layer.layers:  # Eq. 16
        word = [
            table[sum(word[source] << place for place, source in enumerate(wires))]
            for table, wires in zip(luts.tables.tolist(), luts.mapping.tolist(), strict=True)
        ]
    return {"bits": word, "increment": conditional_sum(layer.readout, word)}


def gelu(layer: GeluMlp, x: Vector, s: int) -> dict[str, Vector]:  # Eq. 35
    hidden = scaled(layer.hidden, x, s, 8)
    active = [int(layer.table[v + 128]) for v in hidden]
    return {"hidden": hidden, "active": active, "increment": scaled(layer.output, active, s, 16)}


def mlp(layer: Any, x: Vector, s: int) -> dict[str, Vector]:
    return gelu(layer, x, s) if isinstance(layer, GeluMlp) else weightless(layer, x)


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


def run_block(network: Transformer, block: Block, x: list[Vector]) -> dict[str, list[Vector]]:
    s = network.requant_shift
    out = {"norm1": [layer_norm(v, network.fraction) for v in x]}
    attention = ATTENTIONS[type(block.attention)]
    out |= attention(block.attention, out["norm1"], s)  # type: ignore[arg-type]
    after = [scaled(block.attention.output, v, s, 16) for v in out["mixed"]]
    out["attention"] = [add(a, b) for a, b in zip(x, after, strict=True)]
    out["norm2"] = [layer_norm(v, network.fraction) for v in out["attention"]]
    results = [mlp(block.mlp, v, s) for v in out["norm2"]]
    out |= {name: [result[name] for result in results] for name in results[0]}
    pairs = zip(out["attention"], out.pop("increment"), strict=True)
    out["mlp"] = [add(a, y) for a, y in pairs]
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


def run_text(network: Gpt, tokens: Vector) -> dict[str, Any]:
    """Return every integer of one context, by the names of ``gpt``."""
    e = network.embedding
    x = [e.token.tolist()[v] for v in tokens]  # Eq. 38
    positions = e.position.tolist() or [[0] * network.width] * len(x)
    x = [add(v, p) for v, p in zip(x, positions, strict=False)]
    out: dict[str, Any] = {"embedding": x}
    for n, block in enumerate(network.blocks):
        integers = run_block(network, block, x)
        out |= {f"blocks.{n}.{name}": value for name, value in integers.items()}
        x = integers["mlp"]
    out["norm"] = [layer_norm(v, network.fraction) for v in x]
    out["logits"] = [accumulate(network.head, v) for v in out["norm"]]  # Eq. 39
    return out
