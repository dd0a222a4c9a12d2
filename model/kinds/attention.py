"""The kinds of attention that are built in."""

from ..hamming_attention import MAX_CODE_BITS, HammingAttention
from ..kernel_hash import MAX_ANCHORS
from ..linear_attention import LinearAttention
from ..softmax_attention import SoftmaxAttention
from .kind import AttentionKind
from .option import Option

__all__ = ["HAMMING", "LINEAR", "SOFTMAX"]

CODE_BITS = Option(name="code_bits", default=12, least=1, most=MAX_CODE_BITS)
ALIBI = Option(name="alibi", default=False)
ESTIMATOR = Option(
    name="estimator", default="hardtanh", choices=("hardtanh", "identity", "tanh", "polynomial")
)

HAMMING = AttentionKind(
    name="hamming",
    layer=HammingAttention,
    options=(
        CODE_BITS,
        Option(name="weighting", default="table", choices=("table", "power")),
        ALIBI,
        Option(name="top_k", default=0, least=0),
        ESTIMATOR,
    ),
    training="lutformer.model.nn.hamming_attention:HammingAttention",
    hardware="lutformer.hdl.attention.built_in:HAMMING",
    random="lutformer.testing.random_attention:random_hamming",
)

LINEAR = AttentionKind(
    name="linear",
    layer=LinearAttention,
    options=(
        CODE_BITS,
        Option(name="hash", default="kernel", choices=("kernel", "linear")),
        Option(name="anchors", default=25, least=1, most=MAX_ANCHORS),
        Option(name="form", default="signed", choices=("signed", "own", "and")),
        ESTIMATOR,
    ),
    training="lutformer.model.nn.linear_attention:LinearAttention",
    hardware="lutformer.hdl.attention.built_in:LINEAR",
    random="lutformer.testing.random_attention:random_linear",
)

SOFTMAX = AttentionKind(
    name="softmax",
    layer=SoftmaxAttention,
    options=(Option(name="exponential", default="table", choices=("table", "shiftmax")), ALIBI),
    training="lutformer.model.nn.softmax_attention:SoftmaxAttention",
    hardware="lutformer.hdl.attention.built_in:SOFTMAX",
    random="lutformer.testing.random_attention:random_softmax",
)
