"""Import of torch-dwn models: its rules run independently in plain Python, and what is refused."""

import json
import pickle
import re
from typing import Any

import numpy as np
import pytest
import torch

from lutformer.errors import UsageError
from lutformer.model.network.network_file import load_network, save_network
from lutformer.model.network.weightless_classifier import weightless_classifier
from lutformer.model.nn.training.checkpoint import CheckpointError
from lutformer.model.nn.training.torch_dwn import TorchDwn, load_torch_dwn

FEATURES, BITS, CLASSES = 5, 3, 3
SHAPES = {"n6": (6, (8, 7)), "n4": (4, (12,)), "n1": (1, (6, 9, 4)), "n2": (2, (3,))}


def thresholds_of(rng) -> torch.Tensor:
    grid = rng.integers(-20, 20, (FEATURES, BITS)) / 16
    return torch.tensor(np.sort(grid, axis=1), dtype=torch.float32)


def model(name: str = "n4") -> dict[str, Any]:
    """Return what torch-dwn's modules hold: the first layer learned, the others fixed."""
    fan_in, widths = SHAPES[name]
    rng = np.random.default_rng(len(name) + fan_in)
    state, inputs = {}, FEATURES * BITS
    for n, luts in enumerate(widths):
        if n == 0:
            dummy = torch.arange(luts * fan_in).reshape(luts, fan_in).int()
            weights = torch.tensor(rng.random((inputs, luts * fan_in)), dtype=torch.float32)
            state |= {f"{n}._LUTLayer__dummy_mapping": dummy, f"{n}.mapping.weights": weights}
        else:
            state[f"{n}.mapping"] = torch.tensor(rng.integers(0, inputs, (luts, fan_in))).int()
        entries = rng.integers(-2, 3, (luts, 1 << fan_in)) / 2  # some are 0
        state[f"{n}.luts"] = torch.tensor(entries, dtype=torch.float32)
        inputs = luts
    return {"state_dict": state, "thermometer": thresholds_of(rng), "num_classes": CLASSES}


def torch_dwn_classes(whole: dict[str, Any], rows: np.ndarray) -> list[tuple[list[int], int]]:
    """Return counts and class of each row: the released rules, one bit after the other."""
    state, thresholds = whole["state_dict"], whole["thermometer"].tolist()
    answers = []
    for row in rows.astype(np.float32).tolist():
        bits = [int(x > t) for x, line in zip(row, thresholds, strict=True) for t in line]
        for n in range(sum(name.endswith(".luts") for name in state)):
            tables, out = state[f"{n}.luts"].tolist(), []
            slots = len(bin(len(tables[0]))) - 3
            for j, table in enumerate(tables):
                address = 0
                for slot in range(slots):
                    if f"{n}.mapping.weights" in state:
                        column = state[f"{n}.mapping.weights"][:, j * slots + slot].tolist()
                        wire = column.index(max(column))
                    else:
                        wire = int(state[f"{n}.mapping"][j, slot])
                    address |= bits[wire] << slot
                out.append(int(table[address] > 0))
            bits = out
        group = -(-len(bits) // whole["num_classes"])
        bits += [0] * (group * whole["num_classes"] - len(bits))
        counts = [sum(bits[k * group : (k + 1) * group]) for k in range(whole["num_classes"])]
        answers.append((counts, counts.index(max(counts))))
    return answers


def saved(whole: object, tmp_path):
    path = tmp_path / "model.pt"
    torch.save(whole, path)
    return path


def rows_on_the_grid() -> np.ndarray:
    return np.random.default_rng(9).integers(-25, 25, (200, FEATURES)) / 16


def classes_of(found: TorchDwn, rows: np.ndarray) -> list[tuple[list[int], int]]:
    network = found.network()
    out = weightless_classifier(network, network.encoder.words(rows))
    return list(zip(out["counts"].tolist(), out["class"].tolist(), strict=True))


@pytest.mark.parametrize("name", SHAPES)
def test_network_answers_as_torch_dwn_does(name, tmp_path):
    whole, rows = model(name), rows_on_the_grid()
    found = load_torch_dwn(saved(whole, tmp_path))
    expected = torch_dwn_classes(whole, rows)
    assert classes_of(found, rows) == expected
    ours = found.integers(rows)
    assert list(zip(ours["counts"].tolist(), ours["class"].tolist(), strict=True)) == expected


def test_wiring_that_was_learned_is_not_the_dummy(tmp_path):
    network = load_torch_dwn(saved(model(), tmp_path)).network()
    wires = network.layers[0].mapping
    assert not (wires == np.arange(wires.size).reshape(wires.shape)).all()


def test_entry_of_zero_is_a_zero_bit(tmp_path):
    whole = model()
    whole["state_dict"]["0.luts"].fill_(0)
    assert load_torch_dwn(saved(whole, tmp_path)).network().layers[0].tables.max() == 0


def test_words_are_as_narrow_as_the_data_allow(tmp_path):
    whole = model()
    whole["thermometer"] = torch.tensor([[0.1, 1.1, 2.3]] * FEATURES)
    rows = np.random.default_rng(1).integers(0, 4, (50, FEATURES)).astype(float)
    found = load_torch_dwn(saved(whole, tmp_path))
    network = found.network(rows)
    assert (network.encoder.bits, network.encoder.signed, network.encoder.fraction) == (2, False, 0)
    out = weightless_classifier(network, network.encoder.words(rows))
    assert all((out[name] == value).all() for name, value in found.integers(rows).items())


def test_bytes_that_were_divided_are_read_as_bytes(tmp_path):
    whole = model()
    pixels = np.sort(np.random.default_rng(2).integers(0, 256, (FEATURES, BITS)), axis=1)
    whole["thermometer"] = torch.tensor(pixels).float() / 255
    rows = np.repeat(np.arange(256.0)[:, None], FEATURES, axis=1)
    found = load_torch_dwn(saved(whole, tmp_path), scale=255)
    network = found.network()
    assert (network.encoder.thresholds == pixels).all()
    assert classes_of(found, rows) == torch_dwn_classes(
        whole, rows.astype(np.float32) / np.float32(255)
    )


def test_forms_of_the_file(tmp_path):
    whole = model()
    reference = load_torch_dwn(saved(whole, tmp_path)).network().hash
    thermometer = tmp_path / "t.npy"
    np.save(thermometer, whole["thermometer"].numpy())
    path = saved(whole["state_dict"], tmp_path)
    assert load_torch_dwn(path, thermometer, CLASSES).network().hash == reference
    thermometer = tmp_path / "t.pt"
    torch.save({"thermometer": {"thresholds": whole["thermometer"]}}, thermometer)
    assert load_torch_dwn(path, thermometer, CLASSES).network().hash == reference
    torch.save(whole["thermometer"], thermometer)
    assert load_torch_dwn(path, thermometer, CLASSES).network().hash == reference
    other = {"model": whole["state_dict"], "config": {"num_classes": CLASSES}}
    path = saved(other | {"thermometer": whole["thermometer"].double()}, tmp_path)
    assert load_torch_dwn(path).network().hash == reference


def test_neutral_json(tmp_path):
    whole = model("n6")
    found = load_torch_dwn(saved(whole, tmp_path))
    layers = [
        {"wiring": layer.wires.tolist(), "tables": (layer.luts > 0).astype(int).tolist()}
        for layer in found.layers
    ]
    neutral = {"thresholds": whole["thermometer"].tolist(), "layers": layers, "classes": CLASSES}
    path = tmp_path / "model.json"
    path.write_text(json.dumps(neutral))
    assert load_torch_dwn(path).network().hash == found.network().hash
    path.write_text(json.dumps(neutral | {"layers": [{"wiring": [[0]]}]}))
    with pytest.raises(
        CheckpointError, match=r"is not a .json file of thresholds, layers and class"
    ):
        load_torch_dwn(path)


def test_imported_network_survives_its_file(tmp_path):
    network = load_torch_dwn(saved(model(), tmp_path)).network(origin={"imported": "model.pt"})
    save_network(network, tmp_path / "n.safetensors")
    assert load_network(tmp_path / "n.safetensors").hash == network.hash


def refused(path, message, **options):
    with pytest.raises(CheckpointError, match=f"^{re.escape(str(path))} {message}") as info:
        load_torch_dwn(path, **options)
    assert "\n" not in str(info.value)


def nan(tensor: torch.Tensor) -> torch.Tensor:
    tensor = tensor.clone()
    tensor.view(-1)[1] = float("nan")
    return tensor


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("0.luts", torch.zeros(12, 12), r"has tables of 12 entries \(0.luts\), not 2\*\*n$"),
        ("0.luts", torch.zeros(12, 1), r"has tables of 1 entries \(0.luts\), not 2\*\*n$"),
        ("0.luts", torch.zeros(12, 128), r"has tables of n=7 inputs \(0.luts\); the most are 6$"),
        ("0.luts", torch.zeros(16), r"has 0.luts of shape \(16,\), which must have two dim"),
        ("0.luts", nan(torch.zeros(12, 16)), r"has NaN in 0.luts$"),
        ("0.luts", [1], r"has 0.luts of shape list, which must have two dimensions$"),
        ("0.mapping.weights", nan(torch.zeros(15, 48)), r"has NaN in 0.mapping.weights$"),
        (
            "0.mapping.weights",
            torch.zeros(14, 48),
            r"has 0.mapping.weights of shape \(14, 48\), which must be \(15, 48\)$",
        ),
        ("1.weight", torch.zeros(3, 3), r"has layers that are no lookup tables \(1.weight\)$"),
        ("1.luts", torch.zeros(4, 16), r"has no wiring 1.mapping$"),
    ],
)
def test_refused_tensors(name, value, message, tmp_path):
    whole = model()
    whole["state_dict"][name] = value
    refused(saved(whole, tmp_path), message)


def test_refused_wiring(tmp_path):
    whole = model("n1")
    whole["state_dict"]["1.mapping"][2, 0] = 6
    refused(saved(whole, tmp_path), r"has wiring \(1.mapping\) to input 6, where there are 6$")


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        (None, r"has no thermometer, which torch-dwn models do not include: give its thresholds "),
        (torch.zeros(15), r"has thresholds of shape \(15,\), which must be \(features, z\)$"),
        (nan(torch.zeros(5, 3)), r"has thresholds that are NaN or infinite$"),
        (torch.tensor([[2.0, 1.0, 3.0]] * 5), r"has thresholds that do not ascend$"),
        (torch.zeros(4, 3), r"has 0.mapping.weights of shape \(15, 48\), which must be \(12, 48"),
    ],
)
def test_refused_thermometers(thresholds, message, tmp_path):
    refused(saved(model() | {"thermometer": thresholds}, tmp_path), message)


def test_refused_wholes(tmp_path):
    whole = model()
    path = saved({**whole, "scaler": {"mean": torch.zeros(5)}}, tmp_path)
    refused(path, r"scales its features first, which hardware would not: fold that in$")
    saved({**whole, "num_classes": None}, tmp_path)
    refused(path, r"does not say how many classes there are; give --classes$")
    saved({**whole, "num_classes": 13}, tmp_path)
    refused(path, r"has 12 tables in its last layer, which cannot tell 13 classes$")
    saved({**whole, "state_dict": {"weight": torch.zeros(1)}}, tmp_path)
    refused(path, r"has no tensor named like 0.luts: it is no torch-dwn model$")
    saved({**whole, "state_dict": 1}, tmp_path)
    refused(path, r"holds no state_dict; save ")


class Code:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return (print, ("this must never be seen",))


def test_pickled_objects_are_refused_and_not_run(tmp_path, capsys):
    objects = (
        r"holds Python objects, which could run arbitrary code and are not loaded; save torch.save"
    )
    path = saved({**model(), "model": Code()}, tmp_path)
    refused(path, objects)
    refused(saved(torch.nn.Linear(1, 1), tmp_path), objects)
    path.write_bytes(pickle.dumps(Code()))
    refused(path, r"is not a complete file of torch.save; save ")
    assert capsys.readouterr().out == ""


def test_unreadable_files(tmp_path):
    path = tmp_path / "model.pt"
    refused(path, r"does not exist$")
    saved(model(), tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:200])
    refused(path, r"is not a complete file of torch.save; save ")
    path.write_bytes(b"")
    refused(path, r"is not a complete file of torch.save; save ")
    path.write_bytes(whole.replace(b"data.pkl", b"data.xyz"))
    refused(path, r"is not a readable file of torch.save \(.*\)$")
    saved({k: v for k, v in model().items() if k != "thermometer"}, tmp_path)
    wrong = tmp_path / "t.npy"
    wrong.write_bytes(b"no array")
    with pytest.raises(CheckpointError, match=r"t.npy is not a readable .npy file \(.*\)$"):
        load_torch_dwn(path, wrong)


def test_thresholds_on_no_grid_need_data(tmp_path):
    whole = model()
    whole["thermometer"] = torch.tensor([[1e-9, 1.0, 1e6]] * FEATURES)
    found = load_torch_dwn(saved(whole, tmp_path))
    with pytest.raises(RuntimeError, match=r"^The thresholds lie on no grid that 32 bits could"):
        found.network()


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_scales_out_of_range(scale, tmp_path):
    with pytest.raises(UsageError, match=r"^--scale must be a positive number, not "):
        load_torch_dwn(saved(model(), tmp_path), scale=scale)


def test_a_number_of_classes_in_a_tensor(tmp_path):
    whole = model()
    count = whole["num_classes"]
    whole["num_classes"] = torch.tensor(count)
    assert load_torch_dwn(saved(whole, tmp_path)).classes == count
