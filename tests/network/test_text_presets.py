"""The decoders of the presets: 64 tokens, every logit equal to golden, at the pace of the bound."""

import pytest

from lutformer.generating import generate_verilog
from lutformer.hdl.bound import bound
from lutformer.model.gpt_config import GptConfig
from lutformer.model.network_file import save_network
from lutformer.model.presets import preset
from lutformer.model.random_gpt import GptShape, random_gpt
from lutformer.simulating import simulate_frames

CHARACTERS = 65


def shape_of(config: GptConfig) -> GptShape:
    """Return the shape of a preset's network, for a text of :data:`CHARACTERS` characters."""
    names = set(GptShape.__dataclass_fields__) & set(config.__dataclass_fields__)
    same = {name: getattr(config, name) for name in names}
    return GptShape(
        **same
        | {
            "vocabulary": CHARACTERS,
            "positions": config.positions != "none",
            "hash": "linear" if config.form == "and" else config.hash,
            "kind": config.weights,
        }
    )


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    ("name", "board"), [("gpt-icebreaker", "icebreaker"), ("gpt-ulx3s", "ulx3s_85f")]
)
def test_preset(name, board, tmp_path):
    config = preset(name).model
    assert isinstance(config, GptConfig)
    network = random_gpt(shape_of(config))
    save_network(network, tmp_path / "network.safetensors")
    path = tmp_path / "network.safetensors"
    workspace, plan = generate_verilog(path, board, tmp_path / "built")
    record = simulate_frames(workspace, 64)
    assert (record["frames"], record["mismatches"]) == (64, 0)
    least = bound(network, plan)["bound"]  # of a full context
    slowest = max(record["cycles_by_place"].values())
    print(f"{name}: {slowest} cycles a token, bound {least}")
    assert slowest <= 1.3 * least
