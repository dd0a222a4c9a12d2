"""The operations of each layer for one inference, counted from shapes.

Counted is what docs/math.md says, densely: a zero weight is added too, as an engine does it. Of
causal attention only the pairs that count: token i sees i + 1 keys.
"""

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

from ..arithmetic import ACTIVATION_BITS, RECIPROCAL_BITS, RESIDUAL_BITS
from ..embedding import Embedding
from ..gelu_mlp import ENTRIES, GeluMlp
from ..hamming_attention import POWER_TOP, HammingAttention
from ..kernel_hash import COSINES, KernelHash
from ..layer_norm import ROOT_BITS, LayerNormConfig
from ..linear import MULTIPLIER_BITS, Linear
from ..linear_attention import LinearAttention, LinearHash
from ..network.gpt import Gpt
from ..network.stored_network import StoredNetwork
from ..network.transformer import Transformer
from ..network.vit import Network
from ..network.weightless_classifier import WeightlessClassifier
from ..softmax_attention import SCORES, SoftmaxAttention
from ..weightless_mlp import WeightlessMlp
from .operations import Operations, adds, multiplies

__all__ = [
    "HIDDEN_RATIO",
    "Items",
    "account",
    "baseline",
    "count",
    "itemize",
    "normalise",
    "pairs",
    "total",
]

HIDDEN_RATIO = 4
"""Hidden channels of the baseline's MLP for each channel of the residual stream."""
BIAS_BITS = 32
TABLE_BITS = 16
"""Of an entry of a table of attention: a weight, an exponent, an exponential."""
EXPONENTIAL_BITS = 12
"""Of the baseline's exponentials (Eq. 23)."""

Items = dict[str, Operations]
"""Operations by the name of what does them."""


@singledispatch
def account(network: StoredNetwork) -> Items:
    """Return the operations of one inference by layer, such as ``blocks.0.attention.scores``.

    Of a decoder, those of all tokens of a block.
    """
    raise TypeError(f"{type(network).__name__} is of no known family")


@account.register
def _(network: Network) -> Items:
    items = {"embedding": count(network.embedding, network.tokens)}
    return items | _blocks(network, network.tokens) | _end(network, network.head.kind)


@account.register
def _(network: Gpt) -> Items:
    return _text(network, _blocks(network, network.block_size), network.head.kind)


@account.register
def _(network: WeightlessClassifier) -> Items:
    encoder, last = network.encoder, network.layers[-1].luts
    bits = encoder.thresholds.size
    items = {"thermometer": adds(bits, encoder.bits) + Operations(weight_bits=encoder.bits * bits)}
    for place, layer in enumerate(network.layers):  # Eq. 16; the mapping is wires
        items[f"tables.{place}"] = Operations(lookups=layer.luts, table_bits=layer.tables.size)
    items["counts"] = Operations(bits=last)  # Eq. 37
    return items | {"class": adds(network.classes - 1, network.group.bit_length())}


@singledispatch
def baseline(network: StoredNetwork) -> Items:
    """Return the same of the int8 softmax/GELU network of the same shape, which needs no weights.

    It has the tokens, channels, blocks, heads and value columns of ``network``, keys as wide as
    values, int8 weights everywhere, and MLPs of :data:`HIDDEN_RATIO` times the channels. Nothing is
    returned for what is no transformer.
    """
    return {}


@baseline.register
def _(network: Network) -> Items:
    items = {"embedding": _embedding(network.embedding, "int8")}
    return items | _baseline_blocks(network, network.tokens) | _end(network, "int8")


@baseline.register
def _(network: Gpt) -> Items:
    return _text(network, _baseline_blocks(network, network.block_size), "int8")


def total(items: Mapping[str, Operations]) -> Operations:
    """Return the sum of all parts."""
    return sum(items.values(), Operations())


def count(layer: Any, tokens: int) -> Operations:
    """Return the operations of ``layer`` over ``tokens`` tokens."""
    return total(itemize(layer, tokens))


def pairs(tokens: int, causal: bool, keep: int = 0) -> int:
    """Return how many keys all queries see together; at most ``keep`` each, unless that is 0."""
    most = min(keep or tokens, tokens)
    return most * (most + 1) // 2 + (tokens - most) * most if causal else tokens * most


def _blocks(network: Transformer, tokens: int) -> Items:
    items = {}
    for place, block in enumerate(network.blocks):
        parts = itemize(block.attention, tokens), itemize(block.mlp, tokens)
        items |= _block(network, tokens, place, *parts)
    return items


def _baseline_blocks(network: Transformer, tokens: int) -> Items:
    """Return the blocks of the int8 softmax/GELU network."""
    n, dim = tokens, network.width
    mlp = _gelu(dim, HIDDEN_RATIO * dim, n, "int8", "int8")
    items = {}
    for place, block in enumerate(network.blocks):
        a = block.attention
        outer = {
            name: _linear(a.value.out_features, dim, n, "int8")
            for name in ("query", "key", "value")
        } | {"output": _linear(dim, a.value.out_features, n, "int8")}
        inner = _softmax(
            a.heads, a.head_width, a.head_width, n, a.causal, weight_bits=EXPONENTIAL_BITS
        )
        items |= _block(network, n, place, _around(outer, inner), mlp)
    return items


def _block(network: Transformer, tokens: int, place: int, attention: Items, mlp: Items) -> Items:
    norm = count(network.norm, tokens)
    residual = adds(2 * tokens * network.width, RESIDUAL_BITS)
    parts = {"norm1": norm}
    parts |= {f"attention.{name}": part for name, part in attention.items()}
    parts |= {"norm2": norm}
    parts |= {f"mlp.{name}": part for name, part in mlp.items()}
    parts |= {"residual": residual}
    return {f"blocks.{place}.{name}": part for name, part in parts.items()}


def _end(network: Network, kind: str) -> Items:
    """Return pooling (Eq. 19), last norm, logits (Eq. 20) and the choice of the class (Eq. 21)."""
    n, dim, classes = network.tokens, network.width, network.classes
    head = _linear(classes, dim, 1, kind, scaled=False)
    return {
        "pooling": Operations() if network.embedding.class_token else adds(n * dim, 32),
        "norm": count(network.norm, 1),
        "head": head + adds(classes - 1, _accumulator(kind, dim)),
    }


def _text(network: Gpt, blocks: Items, kind: str) -> Items:
    """Return a decoder over a block: vectors (Eq. 38), ``blocks``, logits (Eq. 39), a choice."""
    n, dim, size = network.block_size, network.width, network.vocabulary.size
    stored = network.embedding.token.size + network.embedding.position.size
    state = Operations(weight_bits=stored * RESIDUAL_BITS, state_bits=dim * RESIDUAL_BITS)
    adding = n * dim if network.embedding.positions else 0
    head = _linear(size, dim, n, kind, scaled=False)
    return {
        "embedding": state + adds(adding, RESIDUAL_BITS),
        **blocks,
        "norm": count(network.norm, n),
        "head": head + adds(n * (size - 1), _accumulator(kind, dim)),
    }


def _around(outer: Items, inner: Items) -> Items:
    """Return the operations of an attention layer, projections included."""
    output = outer.pop("output")
    return outer | inner | {"output": output}


# Pieces that layers share ------------------------------------------------------------------------


def _word(kind: str) -> int:
    """Return the bits that a weight is stored in."""
    return 2 if kind == "ternary" else 8


def _accumulator(kind: str, columns: int) -> int:
    """Return the signed width of the sum of ``columns`` products with activations, at the most."""
    top = 1 if kind == "ternary" else 127
    return (columns * top << ACTIVATION_BITS - 1).bit_length() + 1


def _products(outputs: int, columns: int, kind: str) -> Operations:
    """Return ``outputs`` sums of ``columns`` products with activations, a bias included."""
    sums = adds(outputs * columns, _accumulator(kind, columns))
    return sums + (Operations() if kind == "ternary" else multiplies(outputs * columns, 8))


def _requantize(values: int, width: int) -> Operations:
    """Return the scaling of ``values`` numbers of ``width`` bits (Eq. 2): multiply, then round."""
    wider = max(width, MULTIPLIER_BITS)
    return multiplies(values, wider) + adds(values, width + MULTIPLIER_BITS)


def _linear(rows: int, columns: int, tokens: int, kind: str, *, scaled: bool = True) -> Operations:
    """Return a linear layer (Eq. 4), unless not ``scaled`` with Eq. 5."""
    weights = rows * (columns * _word(kind) + BIAS_BITS + MULTIPLIER_BITS * scaled)
    done = _products(tokens * rows, columns, kind) + Operations(weight_bits=weights)
    if scaled:
        done += _requantize(tokens * rows, _accumulator(kind, columns))
    return done


def _reciprocals(rows: int, width: int) -> Operations:
    """Return ``rows`` reciprocals of ``width`` bits (Eq. 3): a subtraction for each bit of r."""
    return adds(RECIPROCAL_BITS * rows, width) + Operations(shifts=rows)


def normalise(rows: int, columns: int, width: int) -> Operations:
    """Return ``rows`` divisions of ``columns`` sums by one of ``width`` bits (Eq. 13, 14)."""
    values, wide = rows * columns, width + ACTIVATION_BITS
    done = _reciprocals(rows, width) + multiplies(values, wide)
    return done + adds(values, wide + RECIPROCAL_BITS) + Operations(shifts=values)


def _weighted(seen: int, columns: int, weight_bits: int, width: int, *, power: bool) -> Operations:
    """Return ``seen`` weights times ``columns`` values each, summed, and the sum of the weights."""
    products = seen * columns
    done = adds(products, width + ACTIVATION_BITS) + adds(seen, width)
    return done + (Operations(shifts=products) if power else multiplies(products, weight_bits))


# One rule for each type of layer -----------------------------------------------------------------


@singledispatch
def itemize(layer: Any, tokens: int) -> Items:
    """Return the operations of each part of ``layer`` over ``tokens`` tokens."""
    raise TypeError(f"{type(layer).__name__} is no layer that can be counted")


@itemize.register
def _(layer: Linear, tokens: int) -> Items:
    """Count a layer whose multipliers are 0 as one that is not scaled."""
    scaled = bool(layer.multiplier.any())
    return {
        "product": _linear(layer.out_features, layer.in_features, tokens, layer.kind, scaled=scaled)
    }


@itemize.register
def _(layer: Embedding, tokens: int) -> Items:
    return {"patches": _embedding(layer, layer.patch.kind)}


def _embedding(layer: Embedding, kind: str) -> Operations:
    """Return Eq. 18; the residual stream is its state."""
    n, dim = layer.tokens, layer.patch.out_features
    patches, stream = n - layer.class_token, n * dim * RESIDUAL_BITS
    done = _linear(dim, layer.patch.in_features, patches, kind) + adds(patches * dim, RESIDUAL_BITS)
    return done + Operations(weight_bits=stream, state_bits=stream)


@itemize.register
def _(layer: LayerNormConfig, tokens: int) -> Items:
    dim, wide = layer.width, layer.variance_width
    sums = adds(tokens * dim, layer.sum_width) + adds(tokens * dim, layer.square_width)
    squares = multiplies(tokens * dim, RESIDUAL_BITS)
    variance = multiplies(2 * tokens, wide) + adds(tokens, wide)  # Eq. 6
    root = Operations(shifts=tokens) + adds((ROOT_BITS + RECIPROCAL_BITS) * tokens, 2 * ROOT_BITS)
    centred = multiplies(tokens * dim, RESIDUAL_BITS) + adds(tokens * dim, layer.centred_width)
    scaled = multiplies(tokens * dim, layer.centred_width) + Operations(shifts=tokens * dim)
    rounded = adds(tokens * dim, layer.centred_width + RECIPROCAL_BITS)  # Eq. 9
    return {"statistics": sums + squares + variance + root, "output": centred + scaled + rounded}


@itemize.register
def _(layer: HammingAttention, tokens: int) -> Items:
    n, heads, power = tokens, layer.heads, layer.weighting == "power"
    seen = heads * pairs(n, layer.causal)
    kept = heads * pairs(n, layer.causal, layer.top_k)
    scores = Operations(
        bits=seen * layer.code_bits,
        state_bits=n * (layer.query.out_features + layer.value.out_features * ACTIVATION_BITS),
    )  # Eq. 11
    if layer.top_k:
        # Keys are counted by distance and the counts summed; then each distance is compared.
        scores += adds(seen + n * heads * (layer.code_bits + 1), n.bit_length()) + adds(seen, 8)
    weights = Operations(lookups=kept, table_bits=TABLE_BITS * layer.table.size)  # Eq. 12
    if layer.alibi.any():
        weights += Operations(table_bits=TABLE_BITS * heads)
        weights += adds(2 * kept, TABLE_BITS)  # to the next position; to the exponent, or rounding
        weights += Operations(shifts=0 if power else kept)
    bits = POWER_TOP + 1 if power else layer.largest.bit_length()
    width = (n * layer.largest).bit_length()
    mix = _weighted(kept, layer.head_width, bits, width, power=power)
    parts = {
        "scores": scores,
        "weights": weights,
        "mix": mix + normalise(n * heads, layer.head_width, width),
    }
    return _around(_projections(layer, n, query=layer.query, key=layer.key), parts)


def _projections(layer: Any, tokens: int, **codes: Linear) -> Items:
    """Return the linear layers of an attention layer; ``codes`` are those read by sign only."""
    parts = {
        name: _linear(part.out_features, part.in_features, tokens, part.kind, scaled=False)
        for name, part in codes.items()
    }
    for name, part in (("value", layer.value), ("output", layer.output)):
        parts[name] = _linear(part.out_features, part.in_features, tokens, part.kind)
    return parts


@itemize.register
def _(layer: SoftmaxAttention, tokens: int) -> Items:
    parts = {
        name: _linear(part.out_features, part.in_features, tokens, part.kind)
        for name, part in (
            ("query", layer.query),
            ("key", layer.key),
            ("value", layer.value),
            ("output", layer.output),
        )
    }
    shiftmax = layer.exponential == "shiftmax"
    bits = layer.largest.bit_length()
    shape = (layer.heads, layer.key_width, layer.head_width, tokens, layer.causal)
    return _around(parts, _softmax(*shape, weight_bits=bits, shiftmax=shiftmax))


def _softmax(
    heads: int,
    key_width: int,
    columns: int,
    tokens: int,
    causal: bool,
    *,
    weight_bits: int,
    shiftmax: bool = False,
) -> Items:
    """Return Eq. 22 to 25 between the projections."""
    rows, seen = tokens * heads, heads * pairs(tokens, causal)
    state = tokens * heads * (key_width + columns) * ACTIVATION_BITS
    scores = _products(seen, key_width, "int8") + Operations(state_bits=state)
    scores += _requantize(seen, _accumulator("int8", key_width))  # Eq. 22
    weights = adds(2 * seen, ACTIVATION_BITS)  # the largest score, and the difference to it
    weights += Operations(lookups=seen, table_bits=SCORES * TABLE_BITS)  # Eq. 23
    width = weight_bits + tokens.bit_length()
    if not shiftmax:
        mix = _weighted(seen, columns, weight_bits, width, power=False)
        mix += normalise(rows, columns, width)  # Eq. 24
        return {"scores": scores, "weights": weights, "mix": mix}
    # Eq. 25: sums, F by a subtraction for each of 31 bits, y, and the sums of the values.
    weights += adds(seen, width) + adds(31 * rows, 32) + multiplies(seen, 32)
    mix = multiplies(seen * columns, 16) + adds(seen * columns + rows * columns, 32)
    return {"scores": scores, "weights": weights, "mix": mix}


@itemize.register
def _(layer: LinearAttention, tokens: int) -> Items:
    n, heads, bits, columns = tokens, layer.heads, layer.code_bits, layer.head_width
    own, rows = layer.form == "own", tokens * layer.heads
    width = layer.sum_width(n)
    wide = width + ACTIVATION_BITS
    bias_columns = 1 if own else columns + 1  # columns of the last row that a token adds to
    state = adds(rows * (bits * (columns + 1) + bias_columns), wide)  # Eq. 30
    if layer.bias & layer.bias - 1:  # else a shift
        state += multiplies(rows * columns, max(layer.bias.bit_length(), ACTIVATION_BITS))
    fading = n * int((layer.decay > 0).sum())
    state += adds(2 * fading * (bits + 1) * (columns + 1), wide)  # round, subtract
    state += Operations(state_bits=heads * (bits + 1) * (columns + 1) * wide)
    mix = adds(rows * bits * (columns + 1), wide)  # Eq. 31, 33
    parts = {
        **{f"hash.{name}": part for name, part in itemize(layer.hash, n).items()},
        "state": state,
        "mix": mix + normalise(rows, columns, width),
    }
    return _around(_projections(layer, n), parts)


@itemize.register
def _(layer: LinearHash, tokens: int) -> Items:
    names = ("query", "key") if len(layer.projections) == 2 else ("code",)
    return {
        name: _linear(part.out_features, part.in_features, tokens, part.kind, scaled=False)
        for name, part in zip(names, layer.projections, strict=True)
    }


@itemize.register
def _(layer: KernelHash, tokens: int) -> Items:
    heads, anchors, width = layer.anchors.shape
    rows, cosines = tokens * heads, tokens * heads * anchors
    project = layer.project
    squares = _products(rows, width, "int8")  # Eq. 26
    root = Operations(shifts=rows) + adds((ROOT_BITS + RECIPROCAL_BITS) * rows, 2 * ROOT_BITS)
    cosine = _products(cosines, width, "int8") + Operations(shifts=cosines)
    cosine += _requantize(cosines, _accumulator("int8", width))  # Eq. 27
    code = _products(rows * layer.code_bits, anchors, "int8")  # Eq. 29
    return {
        "project": _linear(project.out_features, project.in_features, tokens, project.kind),
        "cosines": squares + root + cosine + Operations(weight_bits=8 * layer.anchors.size),
        "kernel": Operations(lookups=cosines, table_bits=8 * heads * COSINES),  # Eq. 28
        "code": code
        + Operations(weight_bits=8 * layer.hash.size + BIAS_BITS * heads * layer.code_bits),
    }


@itemize.register
def _(layer: WeightlessMlp, tokens: int) -> Items:
    inputs, kind = layer.thermometer.bits, layer.readout.kind
    rows, columns = layer.readout.weight.shape  # grouped: a channel's own bits
    parts = {
        "thermometer": adds(tokens * inputs, 8) + Operations(weight_bits=8 * inputs),
    }  # Eq. 15
    for n, luts in enumerate(layer.layers):  # Eq. 16; the mapping is wires
        parts[f"tables.{n}"] = Operations(lookups=tokens * luts.luts, table_bits=luts.tables.size)
    summed = adds(tokens * rows * columns, layer.readout.accumulator_width)  # Eq. 17
    weights = rows * (columns * _word(kind) + BIAS_BITS)
    return parts | {"sum": summed + Operations(weight_bits=weights)}


@itemize.register
def _(layer: GeluMlp, tokens: int) -> Items:
    rows, kinds = layer.hidden.out_features, (layer.hidden.kind, layer.output.kind)
    return _gelu(layer.width, rows, tokens, *kinds)


def _gelu(dim: int, hidden: int, tokens: int, first: str, second: str) -> Items:
    """Return Eq. 35."""
    return {
        "hidden": _linear(hidden, dim, tokens, first),
        "table": Operations(lookups=tokens * hidden, table_bits=ENTRIES * ACTIVATION_BITS),
        "output": _linear(dim, hidden, tokens, second),
    }
