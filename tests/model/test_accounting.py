"""Operations counted by hand for tiny layers, and against what is published of whole networks."""

from dataclasses import replace

import numpy as np
import pytest

from lutformer.model.costs.accounting import account, baseline, count, itemize, pairs, total
from lutformer.model.costs.operations import PJ, Operations, adds, multiplies
from lutformer.model.layer_norm import LayerNormConfig
from lutformer.model.linear import Linear
from lutformer.testing.random_gpt import GptShape, random_gpt
from lutformer.testing.random_network import NetworkShape, random_attention, random_network

# 4 tokens of 8 channels, 2 heads of 4 value columns, codes of 8 bits, ternary weights.
SHAPE = NetworkShape(heads=2)
KINDS = [
    {"attention": "hamming"},
    {"attention": "hamming", "weighting": "power", "alibi": True, "top_k": 2},
    {"attention": "softmax", "mlp": "gelu", "kind": "int8"},
    {"attention": "softmax", "exponential": "shiftmax"},
    {"attention": "linear"},
    {"attention": "linear", "hash": "linear", "form": "and", "causal": True, "class_token": True},
]


def attention(**changes):
    (layer,) = random_attention(replace(SHAPE, **changes))
    return itemize(layer, 4)


def linear(kind, *, scaled):
    zero, one = np.zeros(2, int), np.ones(2, int)
    weight = np.eye(2, 3, dtype=int)
    return Linear(kind=kind, weight=weight, bias=zero, multiplier=one if scaled else zero)


def test_operations_add_up():
    one = Operations(mul8=1, mul16=2, mul32=3, add8=4, add16=5, add32=6, weight_bits=7)
    both = one + Operations(mul8=10, bits=20, lookups=30, table_bits=40, state_bits=50)
    assert (both.multiplications, both.additions, both.bits, both.lookups) == (16, 15, 20, 30)
    assert both.memory_bits == 7 + 40 + 50
    assert total({"a": one, "b": one}) == one + one
    with pytest.raises(TypeError):
        _ = one + 1  # pyright: ignore[reportOperatorIssue]


def test_the_class_is_that_of_the_wider_operand():
    assert [multiplies(1, w).mul8 for w in (1, 8, 9)] == [1, 1, 0]
    assert [multiplies(1, w).mul16 for w in (8, 9, 16, 17)] == [0, 1, 1, 0]
    assert [adds(1, w).add32 for w in (16, 17, 64)] == [0, 1, 1]


def test_energy_of_each_class():
    assert Operations(mul8=10, add32=10).energy_pj == pytest.approx(3)  # an int8 MAC: 0.3 pJ
    assert Operations(mul16=1).energy_pj == Operations(mul32=1).energy_pj == 3.1
    assert Operations(add8=1, bits=1).energy_pj == 0.06
    assert Operations(weight_bits=9, table_bits=9, state_bits=9).energy_pj == 0
    assert Operations(mul8=1, mul32=1, add8=1, bits=9, lookups=9).energy_fp32_pj == 8.3
    assert set(PJ) == set(Operations.__dataclass_fields__) - {
        "weight_bits",
        "table_bits",
        "state_bits",
    }


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("keep", [0, 1, 3, 5, 9])
def test_pairs_are_those_of_a_mask(causal, keep):
    sees = [i + 1 if causal else 5 for i in range(5)]
    assert pairs(5, causal, keep) == sum(min(n, keep) if keep else n for n in sees)
    assert pairs(5, True) == 5 * 6 // 2


def test_linear_by_hand():
    # 4 tokens, 2 rows, 3 columns: 24 products; the bias makes up for the first of three sums.
    raw = count(linear("ternary", scaled=False), 4)
    assert raw == Operations(add16=24, weight_bits=2 * (3 * 2 + 32))
    scaled = count(linear("ternary", scaled=True), 4)
    assert scaled == raw + Operations(mul16=8, add32=8, weight_bits=2 * 16)
    int8 = count(linear("int8", scaled=False), 4)
    assert int8 == Operations(mul8=24, add32=24, weight_bits=2 * (3 * 8 + 32))


def test_layer_norm_by_hand():
    found = count(LayerNormConfig(width=8), 4)
    # x^2 and D*x; D*S2, S1^2 and the product with the reciprocal.
    assert (found.mul16, found.mul32) == (4 * (8 + 8), 4 * (2 + 8))
    # S1, S2, D*x - S1, rounding; D*S2 - S1^2, 12 steps of a root, 12 of a reciprocal.
    assert found.additions == 4 * (4 * 8 + 1 + 24)
    assert (found.shifts, found.memory_bits) == (4 * (1 + 8), 0)


def test_hamming_attention_by_hand():
    found = attention()
    assert list(found) == ["query", "key", "value", "scores", "weights", "mix", "output"]
    # Ternary projections of 8 channels to 16 bits.
    assert found["query"] == Operations(add16=4 * 16 * 8, weight_bits=16 * (16 + 32))
    # 2 heads, 16 pairs, 8 bits; codes of the keys and values are kept.
    assert found["scores"] == Operations(bits=2 * 16 * 8, state_bits=4 * (16 + 64))
    assert found["weights"] == Operations(lookups=32, table_bits=2 * 9 * 16)
    # 32 pairs of 4 columns by weights of 10 bits; 4 columns of 8 rows divided.
    mix = found["mix"]
    assert (mix.mul8, mix.mul16, mix.mul32) == (0, 128, 32)
    assert mix.additions == 128 + 32 + 8 * 12 + 32  # values, weights, reciprocals, rounding
    assert mix.shifts == 8 + 32


def test_powers_of_two_multiply_no_value():
    table, power = attention()["mix"], attention(weighting="power")["mix"]
    assert power.multiplications == 32  # the division, one product for each mixed value
    assert power.shifts == table.shifts + 128
    assert power.additions == table.additions


def test_causal_attention_has_half_the_pairs():
    found = attention(causal=True)
    assert found["scores"].bits == 2 * 10 * 8
    assert found["weights"].lookups == 2 * 10
    assert found["mix"].mul16 == 2 * 10 * 4
    soft = attention(causal=True, attention="softmax", kind="int8")
    assert soft["scores"].mul8 == 2 * 10 * 4


def test_only_kept_keys_are_mixed():
    found = attention(top_k=3)
    assert found["scores"].bits == 2 * 16 * 8
    assert found["scores"].additions == 2 * (16 + 16) + 2 * 4 * 9
    assert found["mix"].mul16 == 2 * 12 * 4
    assert attention(top_k=3, causal=True)["mix"].mul16 == 2 * (1 + 2 + 3 + 3) * 4
    assert attention(top_k=9)["mix"] == attention()["mix"]


def test_a_penalty_is_additions_and_shifts():
    table, power = attention(alibi=True), attention(alibi=True, weighting="power")
    assert table["weights"] == attention()["weights"] + Operations(
        add16=64, shifts=32, table_bits=32
    )
    assert power["weights"].shifts == 0
    assert table["mix"] == attention()["mix"]


def test_softmax_attention_by_hand():
    found = attention(attention="softmax", kind="int8")
    # int8 products of 8 channels to 8 rows, each scaled.
    assert (found["query"].mul8, found["query"].mul32) == (4 * 8 * 8, 4 * 8)
    scores = found["scores"]
    assert (scores.mul8, scores.mul32) == (2 * 16 * 4, 2 * 16)
    assert scores.state_bits == 4 * (8 + 8) * 8
    assert found["weights"] == Operations(add8=64, lookups=32, table_bits=256 * 16)
    assert (found["mix"].mul16, found["mix"].mul32) == (128, 32)


def test_shiftmax_multiplies_every_weight():
    found = attention(attention="softmax", exponential="shiftmax")
    # The largest, the difference, the sum; F of 31 bits for 8 rows.
    assert (found["weights"].mul32, found["weights"].additions) == (32, 3 * 32 + 8 * 31)
    assert found["mix"].additions == 128 + 32  # products, rounding
    assert (found["mix"].mul16, found["mix"].mul32) == (128, 0)


def test_kernel_hash_by_hand():
    # 5 anchors, codes of 8 bits, vectors of 4; 8 rows (4 tokens, 2 heads).
    found = attention(attention="linear")
    assert found["hash.cosines"].mul8 == 8 * 4 + 8 * 5 * 4  # the squares, the products
    assert found["hash.cosines"].multiplications == 192 + 8 * 5  # scaled
    assert found["hash.cosines"].additions == 192 + 8 * 24 + 8 * 5  # root, reciprocal; rounding
    assert found["hash.cosines"].weight_bits == 2 * 5 * 4 * 8
    assert found["hash.kernel"] == Operations(lookups=40, table_bits=2 * 256 * 8)
    assert found["hash.code"].mul8 == 8 * 8 * 5
    assert found["hash.code"].weight_bits == 2 * 8 * (5 * 8 + 32)


def test_linear_attention_by_hand():
    found = attention(attention="linear", hash="linear")
    assert list(found) == ["value", "hash.code", "state", "mix", "output"]
    assert found["hash.code"].multiplications == 0
    # A token adds itself to 8 rows and the bias to one, each of 4 columns and the ones.
    assert found["state"].additions == 8 * 9 * 5
    assert found["state"].multiplications == 8 * 4  # 9 times each value
    width = (4 * (8 + 9)).bit_length()
    assert found["state"].state_bits == 2 * 9 * 5 * (width + 8)
    # 8 rows and the bias summed for 4 columns and the denominator.
    assert found["mix"].additions == 8 * 8 * 5 + 8 * 12 + 8 * 4
    assert found["mix"].multiplications == 8 * 4
    own = attention(attention="linear", hash="linear", form="own")
    assert own["state"].additions == 8 * (8 * 5 + 1)


def test_linear_attention_has_no_pairs():
    (layer,) = random_attention(replace(SHAPE, attention="linear"))
    few, many = count(layer, 64), count(layer, 128)
    assert many.multiplications == 2 * few.multiplications
    assert many.additions == 2 * few.additions
    assert layer.bias == 9
    (shifted,) = random_attention(replace(SHAPE, attention="linear", code_bits=7))
    assert shifted.bias == 8
    assert itemize(shifted, 4)["state"].multiplications == 0


def test_a_decay_costs_two_additions_an_entry():
    changes = {"attention": "linear", "hash": "linear", "form": "and"}
    plain, fading = attention(**changes), attention(**changes, causal=True)
    assert list(fading)[1:3] == ["hash.query", "hash.key"]
    more = fading["state"].additions - plain["state"].additions
    assert more == 2 * 8 * 9 * 5


def test_weightless_mlp_by_hand():
    block = random_network(SHAPE).blocks[0]
    found = itemize(block.mlp, 4)
    # 8 channels of 3 thresholds, 16 tables of 4 inputs, ternary sums to 8 channels.
    assert found["thermometer"] == Operations(add8=4 * 24, weight_bits=24 * 8)
    assert found["tables.0"] == Operations(lookups=4 * 16, table_bits=16 * 16)
    assert found["sum"].additions == 4 * 8 * 16
    assert found["sum"].weight_bits == 8 * (16 * 2 + 32)
    assert total(found).multiplications == 0


def test_gelu_mlp_by_hand():
    (block,) = random_network(replace(SHAPE, mlp="gelu", kind="int8")).blocks
    found = itemize(block.mlp, 4)
    assert found["table"] == Operations(lookups=4 * 32, table_bits=256 * 8)
    for name in ("hidden", "output"):
        assert found[name].mul8 == 4 * 32 * 8
    assert found["hidden"].multiplications == 4 * 32 * 8 + 4 * 32
    assert found["output"].multiplications == 4 * 32 * 8 + 4 * 8


def test_network_by_hand():
    found = account(random_network(SHAPE))
    assert list(found) == [
        "embedding",
        "blocks.0.norm1",
        *(f"blocks.0.attention.{n}" for n in attention()),
        "blocks.0.norm2",
        "blocks.0.mlp.thermometer",
        "blocks.0.mlp.tables.0",
        "blocks.0.mlp.sum",
        "blocks.0.residual",
        "pooling",
        "norm",
        "head",
    ]
    # 4 patches of 4 pixels to 8 channels, scaled; positions.
    assert found["embedding"].additions == 4 * 8 * 4 + 4 * 8 + 4 * 8
    assert found["embedding"].state_bits == 4 * 8 * 16
    assert found["blocks.0.residual"] == Operations(add16=2 * 4 * 8)
    assert found["pooling"].additions == 4 * 8
    assert found["head"].additions == 3 * 8 + 2
    pooled = account(random_network(replace(SHAPE, class_token=True)))
    assert pooled["pooling"] == Operations()


@pytest.mark.parametrize("changes", KINDS, ids=lambda c: "-".join(map(str, c.values())))
def test_every_kind_of_network_can_be_counted(changes):
    network = random_network(replace(SHAPE, **changes))
    items = account(network)
    assert total(items).multiplications > 0
    ours, theirs = list(items), list(baseline(network))
    assert [n for n in ours if "attention.value" in n] == [
        n for n in theirs if "attention.value" in n
    ]


def test_the_baseline_is_what_the_same_network_would_be():
    changes = {"attention": "softmax", "mlp": "gelu", "kind": "int8", "depth": 2, "causal": True}
    network = random_network(replace(SHAPE, **changes))
    assert account(network) == baseline(random_network(replace(SHAPE, depth=2, causal=True)))


@pytest.mark.parametrize("positions", [False, True])
def test_the_baseline_of_a_decoder_is_what_the_same_decoder_would_be(positions):
    shape = GptShape(depth=2, heads=2, positions=positions)
    int8 = replace(shape, attention="softmax", mlp="gelu", kind="int8")
    found = baseline(random_gpt(shape))
    assert account(random_gpt(int8)) == found
    ours = account(random_gpt(shape))
    assert ours["head"].mul8 == 0 < found["head"].mul8
    assert total(found).multiplications > total(ours).multiplications


def test_share_of_the_mlp_in_deit_tiny():
    """QuWeiT replaces "approximately 55 %" of I-ViT-T's multiplications (arXiv 2411.01818).

    That is DeiT-T at 224 x 224, of which scaling and layer norms are not counted there.
    """
    shape = NetworkShape(
        height=224,
        width=224,
        channels=3,
        patch_height=16,
        patch_width=16,
        class_token=True,
        dim=192,
        depth=12,
        heads=3,
    )
    items = baseline(random_network(shape))
    mixed = sum(part.mul16 for name, part in items.items() if name.endswith("attention.mix"))
    assert mixed == 12 * 197 * 197 * 192
    mlp = sum(part.mul8 for name, part in items.items() if ".mlp." in name)
    assert mlp / (total(items).mul8 + mixed) == pytest.approx(0.556, abs=5e-4)


def test_decoder_by_hand():
    """Of a block of 8 tokens: embedding and head; all else is that of its layers."""
    shape = GptShape(vocabulary=11, block_size=8, depth=2, dim=6)
    network = random_gpt(shape)
    items = account(network)
    vectors = (11 + 8) * 6 * 16
    assert items["embedding"] == adds(8 * 6, 16) + Operations(
        weight_bits=vectors, state_bits=6 * 16
    )
    head = count(replace(network.head, multiplier=np.zeros(11, int)), 8)
    assert items["head"] == head + adds(8 * 10, 11)
    assert items["norm"] == count(network.norm, 8)
    layer = itemize(network.blocks[1].attention, 8)
    assert items["blocks.1.attention.value"] == layer["value"]
    assert set(items) == {"embedding", "norm", "head"} | {n for n in items if n[:6] == "blocks"}
    without = account(random_gpt(replace(shape, positions=False)))
    assert without["embedding"] == Operations(weight_bits=11 * 6 * 16, state_bits=6 * 16)


def test_ternary_decoder_multiplies_in_scaling_and_norms_alone():
    shape = GptShape(attention="linear", form="and", hash="linear", heads=2)
    for name, part in account(random_gpt(shape)).items():
        scaled = name.endswith(("value", "output", "mix", "state"))  # the state is made of codes
        assert part.multiplications == 0 or scaled or "norm" in name, name


def test_what_is_no_layer_is_refused():
    with pytest.raises(TypeError, match=r"^int is no layer that can be counted$"):
        count(3, 4)
