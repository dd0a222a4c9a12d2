"""Saving and loading networks, and every file that must be refused."""

import json
import pickle
import re
import stat
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from lutformer.model.network.golden import golden
from lutformer.model.network.network_file import SCHEMA, NetworkError, load_vit, save_network
from lutformer.testing.random_network import NetworkShape, random_network

SHAPE = NetworkShape(depth=2, heads=2, luts=(16, 8), class_token=True)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "network.safetensors"
    save_network(random_network(SHAPE), path)
    return path


def refused(path, message):
    """Loading gives one sentence that names the file."""
    with pytest.raises(NetworkError, match=f"^{re.escape(str(path))} {message}$") as info:
        load_vit(path)
    assert "\n" not in str(info.value)


def rewrite(path, change):
    """Save the file again with a header and arrays that ``change`` has altered."""
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["lutformer"])
    arrays = load_file(path)
    change(header, arrays)
    save_file(arrays, path, metadata={"lutformer": json.dumps(header)})


def test_round_trip(path):
    network, again = random_network(SHAPE), load_vit(path)
    assert again.hash == network.hash
    assert again.origin == network.origin
    images = np.random.default_rng(0).integers(0, 256, (4, 4, 4, 1)).astype(np.uint8)
    one, two = golden(network, images).integers, golden(again, images).integers
    assert all((one[name] == two[name]).all() for name in one)


def test_saving_is_deterministic_and_leaves_nothing_else(path, tmp_path):
    first = path.read_bytes()
    save_network(random_network(SHAPE), path)
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_saved_file_is_readable_by_others_as_any_file_is(path, tmp_path):
    (tmp_path / "plain").touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_hash_covers_outputs_and_not_origin():
    network = random_network(SHAPE)
    assert replace(network, origin='{"seed": 1}').hash == network.hash
    assert replace(network, class_names=("a", "b", "c")).hash != network.hash
    assert random_network(SHAPE, seed=1).hash != network.hash


def test_missing(tmp_path):
    refused(
        tmp_path / "absent.safetensors",
        r"is not a readable safetensors network \(.*\); export it again with `lutformer export`",
    )


@pytest.mark.parametrize("keep", [0, 7, 100, 0.5, 0.99, -1])
def test_truncated(path, keep):
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    refused(path, r"is not a readable safetensors network \(.*\); export it again with .*")


def test_every_altered_byte_is_noticed(path):
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")  # where the arrays begin
    rng = np.random.default_rng(5)
    for place in [*rng.integers(start, len(data), 40), *rng.integers(8, start, 40), len(data) - 1]:
        altered = bytearray(data)
        altered[place] ^= 1
        path.write_bytes(altered)
        message = failure(path)
        if message is None:  # only the text on how it was made is free
            assert load_vit(path).hash == random_network(SHAPE).hash
        else:
            assert "\n" not in message


def failure(path):
    try:
        load_vit(path)
    except NetworkError as error:
        return str(error)
    return None


def test_altered_weight(path):
    rewrite(path, lambda _, arrays: arrays["head.bias"].__iadd__(1))
    refused(path, r"was altered after export \(its hash does not match\); export it again")


def test_pickle(path):
    path.write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    refused(path, r"is not a readable safetensors network \(.*\); export it again with .*")


def test_foreign(path):
    save_file({"x": np.zeros(3)}, path)
    refused(path, r"is not a lutformer network \(no header\); make one with `lutformer export`")


def test_newer_schema(path):
    rewrite(path, lambda header, _: header.update(schema=SCHEMA + 1))
    refused(
        path, rf"has schema {SCHEMA + 1}, this version reads schema {SCHEMA}; upgrade lutformer"
    )


def test_header_that_is_no_network(path):
    rewrite(path, lambda header, _: header.update(network={"kind": "Nothing", "fields": {}}))
    refused(
        path,
        "holds no valid network: the header is of no known kind: no installed package has a "
        "Nothing; export it again",
    )


def test_header_of_another_part(path):
    def change(header, arrays):
        header["network"] = header["network"]["fields"]["head"]
        for name in [n for n in arrays if not n.startswith("head.")]:
            del arrays[name]

    rewrite(path, change)
    refused(path, r"holds no valid network: unexpected contents; export it again")


def test_missing_array(path):
    rewrite(path, lambda _, arrays: arrays.pop("head.bias"))
    refused(path, r"holds no valid network: 'head\.bias'; export it again")


def test_unexpected_array(path):
    rewrite(path, lambda _, arrays: arrays.update(more=np.zeros(2)))
    refused(path, r"holds no valid network: unexpected contents; export it again")


def test_value_out_of_range(path):
    rewrite(path, lambda _, arrays: arrays["head.weight"].fill(2))
    refused(
        path,
        r"holds no valid network: Linear\.weight must lie in \[-1, 1\], not reach 2; "
        "export it again",
    )


def test_unwritable_folder_keeps_the_old_file(path, monkeypatch):
    before = path.read_bytes()

    def full(self, data):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(path), "write_bytes", full)
    with pytest.raises(OSError, match=r"^\[Errno 28\] No space left on device$"):
        save_network(random_network(SHAPE, seed=1), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


LOADING = """
import sys
from pathlib import Path
from lutformer.model.network.network_file import load_network
print(load_network(Path(sys.argv[1])).hash)
"""


@pytest.mark.parametrize(
    "shape",
    [
        NetworkShape(),
        NetworkShape(attention="linear", mlp="gelu"),
        NetworkShape(attention="linear", hash="linear"),
        NetworkShape(attention="softmax", class_token=True),
    ],
    ids=["hamming", "linear, GELU", "linear hash", "softmax"],
)
def test_a_fresh_process_loads_every_kind(shape, tmp_path):
    """What this process has imported before is of no help."""
    network, path = random_network(shape), tmp_path / "network.safetensors"
    save_network(network, path)
    done = subprocess.run([sys.executable, "-c", LOADING, path], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == (network.hash, "")
