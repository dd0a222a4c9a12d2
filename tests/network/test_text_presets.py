"""The decoders of the presets: 64 tokens, every logit equal to golden, at the pace of the bound.

``LUTFORMER_DECODERS`` may name build directories of trained ones (as PATH names folders), made by
``lutformer generate``; ``LUTFORMER_TEXT`` the text that they were trained on.
"""

import os
import shutil
from pathlib import Path

import pytest

from lutformer.generating import generate_verilog
from lutformer.hdl.planner.bound import bound
from lutformer.model.config.gpt import GptConfig
from lutformer.model.config.presets import preset
from lutformer.model.network.network_file import save_network
from lutformer.simulating import simulate_frames
from lutformer.testing.random_gpt import GptShape, random_gpt
from lutformer.workspace import Workspace

CHARACTERS = 65
TOKENS = 64
PACE = 1.3  # cycles of a token over their bound, at most
TRAINED = [name for name in os.environ.get("LUTFORMER_DECODERS", "").split(os.pathsep) if name]


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
    workspace, _ = generate_verilog(path, board, tmp_path / "built")
    prove(workspace)


def prove(workspace, data=None):
    """Simulate; the pace is that of the slowest token, the bound that of a full context."""
    record = simulate_frames(workspace, TOKENS, data=data)
    assert (record["frames"], record["mismatches"]) == (TOKENS, 0)
    assert record["bound"] == bound(workspace.stored_network(), workspace.plan())["bound"]
    assert record["cycles"] <= PACE * record["bound"]


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.skipif(not TRAINED, reason="LUTFORMER_DECODERS names no trained decoder")
@pytest.mark.parametrize("name", TRAINED)
def test_trained(name, tmp_path):
    files = ("network.safetensors", "plan.json", "top.v", "core.v")
    for file in (Path(name) / file for file in files):
        if file.is_file():
            shutil.copy(file, tmp_path)
    text = os.environ.get("LUTFORMER_TEXT")
    prove(Workspace(tmp_path), Path(text) if text else None)
