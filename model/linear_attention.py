"""Golden integer model of linear attention on binary codes (docs/math.md, Eq. 30 to 34)."""

from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arithmetic import ACTIVATION_BITS, Integers, divide
from .attention import Attention, KVCache, attend, join_heads, split_heads
from .hamming_attention import MAX_CODE_BITS, codes
from .kernel_hash import KernelHash, kernel_hash
from .linear import Linear, scaled_linear
from .storage.part import Part, check

__all__ = ["LinearAttention", "LinearHash", "hash_codes", "mix_linear"]

MAX_DECAY = 15
MAX_FRACTION = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearHash(Part):
    """Codes by the signs of projections (Eq. 10).

    Attributes
    ----------
    projections : tuple of Linear [heads * b, D]
        One that queries and keys share, or the queries' and the keys'. Multipliers are 0.
    """

    projections: tuple[Linear, ...]

    def __post_init__(self) -> None:
        shapes = {layer.weight.shape for layer in self.projections}
        check(
            len(self.projections) in (1, 2) and len(shapes) == 1,
            "LinearHash.projections must hold one or two layers of one shape",
        )

    @property
    def rows(self) -> int:
        """Code bits of all heads."""
        return self.projections[0].out_features

    @property
    def width(self) -> int:
        """D."""
        return self.projections[0].in_features


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearAttention(Attention):
    """Hash, values and normalisation of one attention layer whose cost is linear in the tokens.

    Attributes
    ----------
    hash : KernelHash or LinearHash
    form : "signed", "own" or "and"
        What a query adds of a key's value. "signed": ``h_i . h_j + bias`` times, codes over
        {-1, +1} (EcoFormer with the normalisation that its kernel asks for). "own": the same, but
        ``bias`` times the query's own value instead of everybody's, as the code released with
        EcoFormer does it, for its checkpoints. "and": ``popcount(q_i & k_j)`` and a little, less
        and less as tokens go by (ours).
    bias : int
        Of Eq. 31, at least 1; in the signed forms more than the bits of a code; ``2**-fraction`` a
        step.
    decay : uint8 [heads]
        s, by which running sums lose ``2**-s`` of themselves at each token; 0 for nothing.
    fraction : int
        Fractional bits of the running sums.
    """

    hash: KernelHash | LinearHash
    form: Literal["signed", "own", "and"]
    bias: int
    decay: NDArray[Any]
    fraction: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(
            self.form in ("signed", "own", "and"),
            f"form must be signed, own or and, not {self.form!r}",
        )
        kernel, heads = isinstance(self.hash, KernelHash), self.heads
        rows = self.hash.heads * self.hash.code_bits if kernel else self.hash.rows  # type: ignore[union-attr]
        self.require(rows % heads == 0, f"hash must make the codes of {heads} heads")
        self.require(
            not kernel or self.hash.heads == heads,  # type: ignore[union-attr]
            f"hash must have {heads} heads",
        )
        self.require(self.hash.width == self.width, f"hash must read {self.width} channels")
        bits = rows // heads
        self.require(
            1 <= bits <= MAX_CODE_BITS, f"hash must make 1 to {MAX_CODE_BITS} bits, not {bits}"
        )
        decay = self.freeze("decay", np.uint8, 1)
        self.require(
            len(decay) == heads and int(decay.max()) <= MAX_DECAY,
            f"decay must have {heads} entries up to {MAX_DECAY}, one a head",
        )
        self.require(
            not decay.any() or (self.causal and self.form == "and"),
            "decay needs a causal layer of the form and",
        )
        fraction = self.fraction
        self.require(
            max(0, int(decay.max()) - 1) <= fraction <= MAX_FRACTION,
            f"fraction must be {max(0, int(decay.max()) - 1)} to {MAX_FRACTION}, not {fraction!r}",
        )
        low = 1 if self.form == "and" else (bits << fraction) + 1
        self.require(
            low <= self.bias <= (2 * bits + 1) << fraction,
            f"bias must be {low} to {(2 * bits + 1) << fraction}, not {self.bias!r}",
        )

    @property
    def code_bits(self) -> int:
        """Bits of a head's code, b."""
        hash_ = self.hash
        return hash_.code_bits if isinstance(hash_, KernelHash) else hash_.rows // self.heads

    @property
    def shared(self) -> bool:
        """Whether queries and keys have the same codes."""
        return isinstance(self.hash, KernelHash) or len(self.hash.projections) == 1

    @property
    def endless(self) -> bool:
        """Whether every head's sums decay."""
        return bool(self.decay.all())

    def reach(self, tokens: int) -> int:
        """Return what the running sum of ones never exceeds, in tokens, for each of them."""
        return max(min(tokens, (1 << int(s)) + 1) if s else tokens for s in self.decay)

    def sum_width(self, tokens: int) -> int:
        """Unsigned width of a denominator D_i over ``tokens`` tokens (Eq. 32)."""
        each = (self.code_bits << self.fraction) + max(self.bias, 1 << self.fraction)
        return (each * self.reach(tokens)).bit_length()


def mix_linear(
    layer: LinearAttention,
    query: NDArray[Any],
    key: NDArray[Any],
    value: NDArray[Any],
    cache: KVCache | None = None,
) -> Integers:
    """Return the mixed values, int8 [..., n, heads * C].

    Parameters
    ----------
    layer : LinearAttention
    query, key : bits [..., n, heads * b]
    value : int8 [..., n, heads * C]
    cache : KVCache or None
        Running sums of the tokens before, of a causal layer; these are added.
    """
    cache = cache or KVCache()
    cache.tokens += value.shape[-2]
    q, k, v = (split_heads(x, layer.heads) for x in (query, key, value))
    if layer.form != "and":
        q, k = 2 * q - 1, 2 * k - 1
    own = layer.form == "own"
    # One more row of every state holds the bias, one more column the denominator.
    ones = np.ones((*v.shape[:-1], 1), np.int64)
    v = np.concatenate([v, ones], -1)
    q = np.concatenate([q, ones], -1)
    k = np.concatenate([k << layer.fraction, layer.bias * ones], -1)
    if layer.causal:
        sums = _running(layer, q, k, v, cache)
    else:
        state = k.swapaxes(-1, -2) @ v  # Eq. 30
        sums = q @ state  # Eq. 31
    if own:
        every = _every(v[..., :-1], cache) if layer.causal else v[..., :-1].sum(-2, keepdims=True)
        sums[..., :-1] += layer.bias * (v[..., :-1] - every)  # Eq. 33
    width = layer.sum_width(cache.tokens)
    return join_heads(divide(sums[..., :-1], sums[..., -1:], width))  # Eq. 34


def _every(values: Integers, cache: KVCache) -> Integers:
    """Return the sums of all values up to each token's own."""
    total = values.cumsum(-2) + cache.arrays.get("every", 0)
    cache.arrays["every"] = total[..., -1:, :]
    return total


def _running(
    layer: LinearAttention, q: Integers, k: Integers, v: Integers, cache: KVCache
) -> Integers:
    """Return each query's sums over the states that it and the tokens before it leave (Eq. 30)."""
    shift = layer.decay.astype(np.int64)[:, None, None]
    half = np.where(shift > 0, (1 << shift) >> 1, 0)
    empty = np.zeros((*q.shape[:-2], q.shape[-1], v.shape[-1]), np.int64)
    state = cache.arrays.get("state", empty)
    sums = np.empty((*q.shape[:-1], v.shape[-1]), np.int64)
    for n in range(q.shape[-2]):
        lost = np.where(shift > 0, state + half >> shift, 0)
        state = state - lost + k[..., n, :, None] * v[..., n, None, :]
        sums[..., n, :] = (q[..., n, None, :] @ state)[..., 0, :]
    cache.arrays["state"] = state
    return sums


@singledispatch
def hash_codes(layer: Part, x: ArrayLike, shift: int) -> dict[str, NDArray[Any]]:
    """Return every intermediate integer and the codes ``query`` (and ``key``, unless shared)."""
    raise TypeError(f"{type(layer).__name__} is no hash")


@hash_codes.register
def _(layer: LinearHash, x: ArrayLike, shift: int) -> dict[str, NDArray[Any]]:
    return {
        name: codes(part, x)
        for name, part in zip(("query", "key"), layer.projections, strict=False)
    }


hash_codes.register(KernelHash, kernel_hash)


@attend.register
def _(layer: LinearAttention, x: ArrayLike, shift: int, cache: KVCache) -> dict[str, NDArray[Any]]:
    out = hash_codes(layer.hash, x, shift)
    value = scaled_linear(layer.value, x, shift, ACTIVATION_BITS)
    mixed = mix_linear(layer, out["query"], out.get("key", out["query"]), value, cache)
    return out | {"value": value, "mixed": mixed}
