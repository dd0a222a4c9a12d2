"""Training: it learns, it resumes to the same weights, its checkpoints refuse foreign ones."""

import csv
import json
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from lutformer.errors import UsageError
from lutformer.model.config.transformer import TrainConfig, VitConfig
from lutformer.model.data.images import Dataset
from lutformer.model.network.golden import golden
from lutformer.model.network.vit import Network
from lutformer.model.nn.network.vit import VisionTransformer
from lutformer.model.nn.sign import ESTIMATORS
from lutformer.model.nn.training.batches import batches, shifted
from lutformer.model.nn.training.checkpoint import (
    CHECKPOINT_SCHEMA,
    CheckpointError,
    export_checkpoint,
    load_checkpoint,
)
from lutformer.model.nn.training.distillation import attention_maps, divergence, teacher_maps
from lutformer.model.nn.training.run import TrainingDiverged
from lutformer.model.nn.training.schedule import Schedule
from lutformer.model.nn.training.search import search_rate
from lutformer.model.nn.training.train import CHECKPOINT_NAME, new_run, progress_bar, train

CONFIG = VitConfig(height=4, width=4, dim=8, depth=1, heads=2, code_bits=6, luts=(12,), classes=3)
TRAIN = TrainConfig(epochs=4, batch=16, lr=1e-2, warmup=4, shift=1, seed=3)


def stripes(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Class 0: bright rows, 1: bright columns, 2: neither."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    images = rng.integers(0, 100, (count, 4, 4, 1))
    for image, label in zip(images, labels, strict=True):
        if label == 0:
            image[rng.integers(0, 4), :] += 150
        elif label == 1:
            image[:, rng.integers(0, 4)] += 150
    return images.astype(np.uint8), labels


@pytest.fixture(scope="module")
def data() -> Dataset:
    images, labels = stripes(100, 0)
    test_images, test_labels = stripes(50, 1)
    return Dataset(
        name="stripes",
        train_images=images,
        train_labels=labels,
        test_images=test_images,
        test_labels=test_labels,
        class_names=("row", "column", "none"),
        pixel_max=16,
    )


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return train(CONFIG, TRAIN, data, folder)


def weights(path) -> dict[str, torch.Tensor]:
    return load_file(path)


def test_run_leaves_checkpoint_curve_and_picture(trained):
    folder = trained.checkpoint.parent
    assert sorted(p.name for p in folder.iterdir()) == [
        CHECKPOINT_NAME,
        "curve.csv",
        "curve.png",
    ]
    rows = list(csv.DictReader((folder / "curve.csv").read_text().splitlines()))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4]
    assert [int(row["step"]) for row in rows] == [7, 14, 21, 28]
    assert float(rows[0]["ramp"]) == pytest.approx(6 / (0.6 * 28), rel=1e-5)
    assert float(rows[-1]["ramp"]) == 1
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert trained.complete


def test_stopped_and_resumed_equals_straight(trained, data, tmp_path):
    for stop in (1, 3, None):
        result = train(CONFIG, TRAIN, data, tmp_path, stop_after=stop)
        assert result.complete == (stop is None)
    straight, resumed = weights(trained.checkpoint), weights(tmp_path / CHECKPOINT_NAME)
    assert straight.keys() == resumed.keys()
    for name, value in straight.items():
        assert torch.equal(value, resumed[name]), name
    curve = trained.checkpoint.with_name("curve.csv")
    assert curve.read_text() == (tmp_path / "curve.csv").read_text()


def test_complete_run_is_not_trained_again(trained, data):
    before = trained.checkpoint.read_bytes()
    again = train(CONFIG, TRAIN, data, trained.checkpoint.parent)
    assert trained.checkpoint.read_bytes() == before
    assert again.test_accuracy == trained.test_accuracy


def test_seed_decides_and_global_state_does_not(trained, data, tmp_path):
    torch.manual_seed(99)
    np.random.seed(99)
    same = train(CONFIG, TRAIN, data, tmp_path / "same", stop_after=1)
    other = train(CONFIG, replace(TRAIN, seed=4), data, tmp_path / "other", stop_after=1)
    third = train(CONFIG, TRAIN, data, tmp_path / "third", stop_after=1)
    assert weights(same.checkpoint).keys() == weights(third.checkpoint).keys()
    for name, value in weights(same.checkpoint).items():
        assert torch.equal(value, weights(third.checkpoint)[name]), name
    name = "embedding.patch.weight"
    assert not torch.equal(same.model.state_dict()[name], other.model.state_dict()[name])


def test_checkpoint_becomes_the_network_that_was_trained(trained, data):
    network = export_checkpoint(trained.checkpoint)
    assert isinstance(network, Network)
    assert network.class_names == ("row", "column", "none")
    assert network.pixel_max == 16
    assert json.loads(network.origin)["data"]["fingerprint"] == data.fingerprint
    assert json.loads(network.origin)["train"]["seed"] == 3
    classes = golden(network, data.test_images).classes
    assert (classes == data.test_labels).mean() == trained.test_accuracy


@pytest.mark.parametrize("twin", [False, True], ids=["quantised", "float"])
def test_it_learns(data, twin):
    config = CONFIG.float_twin() if twin else CONFIG
    result = train(config, replace(TRAIN, epochs=12, lr=2e-2, shift=0), data)
    assert result.checkpoint is None
    assert result.test_accuracy > 0.8


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_learns(data, estimator):
    """The identity once left the code's range, and with it the score table."""
    config = replace(CONFIG, estimator=estimator)
    result = train(config, replace(TRAIN, epochs=12, lr=2e-2, shift=0), data)
    assert result.test_accuracy > 0.8


@pytest.mark.parametrize("weight_kind", ["ternary", "int8", "float"])
@pytest.mark.parametrize("attention", ["hamming", "softmax"])
@pytest.mark.parametrize("mlp", ["weightless", "gelu"])
def test_every_mixture_trains_all_of_its_parameters(data, weight_kind, attention, mlp):
    config = replace(CONFIG, weights=weight_kind, attention=attention, mlp=mlp, pooling="class")
    start = train(config, replace(TRAIN, lr=1e-30, lr_tables=1e-30), data, stop_after=1).model
    end = train(config, replace(TRAIN, weight_decay=0.0), data, stop_after=2).model
    still = [
        name
        for (name, old), new in zip(start.named_parameters(), end.parameters(), strict=True)
        if torch.equal(old, new)
    ]
    assert still == []


def test_progress_bar_reaches_its_end(data):
    with progress_bar() as progress:
        train(CONFIG, replace(TRAIN, epochs=1), data, progress=progress, name="stripes")
    (task,) = progress.tasks
    assert task.description == "stripes"
    assert task.completed == task.total == 7
    assert 0 < task.fields["accuracy"] < 1


def test_schedule():
    schedule = Schedule(TrainConfig(epochs=10, warmup=20, ramp=0.5, lr_final=0.1), 10)
    assert schedule.steps == 100
    assert [round(schedule.rate(s), 3) for s in (0, 19, 20, 60)] == [0.048, 0.952, 1.0, 0.55]
    assert schedule.rate(100) == pytest.approx(0.1)
    assert [schedule.ramp(0.5, s) for s in (0, 25, 50, 99)] == [0.0, 0.5, 1.0, 1.0]
    assert Schedule(TrainConfig(ramp=0.0), 10).ramp(0.0, 0) == 1.0


def test_batches_cover_every_image_once(data):
    seen = [labels for _, labels in batches(data, replace(TRAIN, shift=0), 0, "cpu")]
    assert [len(labels) for labels in seen] == [16] * 6 + [4]
    counts = torch.bincount(torch.cat(seen)).tolist()
    assert counts == np.bincount(data.train_labels).tolist()


def test_shifts_interpolate_between_neighbours():
    """A ramp down and across moves by the same amount in all of its inner pixels."""
    rows, columns = np.mgrid[0:9, 0:8]
    image = (40 + 8 * rows + 16 * columns).astype(np.uint8)[None, :, :, None]
    moved = shifted(np.repeat(image, 300, axis=0), 1.5, np.random.default_rng(0))
    change = moved[:, 2:-2, 2:-2].astype(int) - image[:, 2:-2, 2:-2]
    spread = change.max((1, 2, 3)) - change.min((1, 2, 3))
    assert spread.max() <= 1  # rounding
    assert -36 <= change.min() < -28
    assert 28 < change.max() <= 36
    assert (shifted(image, 0.0, np.random.default_rng(0)) == image).all()


def test_shifts_fill_with_black():
    moved = shifted(np.full((200, 4, 4, 1), 200, np.uint8), 1, np.random.default_rng(0))
    assert (moved[:, 1:-1, 1:-1] == 200).all()
    assert moved[:, 0].min() < 20


def test_wrong_data_is_refused(data):
    with pytest.raises(
        ValueError, match=r"^Images of stripes are \(4, 4, 1\), the network takes \(8, 4, 1\)$"
    ):
        train(replace(CONFIG, height=8), TRAIN, data)
    with pytest.raises(ValueError, match=r"^Dataset stripes has 3 classes, the network 10$"):
        train(replace(CONFIG, classes=10), TRAIN, data)


def copy_of(trained, tmp_path):
    path = tmp_path / CHECKPOINT_NAME
    path.write_bytes(trained.checkpoint.read_bytes())
    return path


def refused(path, message):
    with pytest.raises(CheckpointError, match=f"^{re.escape(str(path))} {message}$") as info:
        load_checkpoint(path)
    assert "\n" not in str(info.value)


def test_checkpoint_of_another_run(trained, data, tmp_path):
    path = copy_of(trained, tmp_path)
    message = (
        f"^{re.escape(str(path))} belongs to another run "
        r"\(other network, recipe or data\); give another folder, or delete it$"
    )
    with pytest.raises(CheckpointError, match=message):
        train(CONFIG, replace(TRAIN, seed=5), data, tmp_path)


@pytest.mark.parametrize("keep", [0, 9, 0.5, -1])
def test_truncated_checkpoint(trained, tmp_path, keep):
    path = copy_of(trained, tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])
    refused(path, r"is not a readable checkpoint \(.*\); train again with `lutformer train`")


def test_missing_and_pickled_checkpoint(tmp_path):
    path = tmp_path / "c.safetensors"
    ending = r"is not a readable checkpoint \(.*\); train again with `lutformer train`"
    refused(path, ending)
    path.write_bytes(pickle.dumps({"model": 1}))
    refused(path, ending)


def rewrite(path, change):
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["lutformer-checkpoint"])
    tensors = load_file(path)
    change(header, tensors)
    save_file(tensors, path, metadata={"lutformer-checkpoint": json.dumps(header)})


def test_altered_newer_and_foreign_checkpoint(trained, tmp_path):
    path = copy_of(trained, tmp_path)
    rewrite(path, lambda _, tensors: tensors["model.head.bias"].add_(1))
    refused(path, r"was altered \(its hash does not match\); train again")

    path = copy_of(trained, tmp_path)
    rewrite(path, lambda header, _: header.update(schema=CHECKPOINT_SCHEMA + 1))
    refused(path, rf"has schema {CHECKPOINT_SCHEMA + 1}, this version reads up to .*; .*")

    save_file({"x": torch.zeros(1)}, path)
    refused(path, r"is not a lutformer checkpoint \(no header\); make one with `lutformer train`")


def test_checkpoint_header_without_its_parts(trained, tmp_path):
    path = copy_of(trained, tmp_path)
    rewrite(path, lambda header, _: header.pop("hash"))
    refused(path, r"holds no valid checkpoint: 'hash'; train again")


def test_search_finds_the_rate_that_learns(data):
    found = search_rate(CONFIG.float_twin(), replace(TRAIN, epochs=12), data, (1e-2, 1e-9))
    assert list(found.accuracy) == [1e-9, 1e-2]
    assert found.best == 1e-2
    assert found.accuracy[1e-2] > found.accuracy[1e-9] + 0.1


def test_search_prefers_the_lowest_of_equals(data):
    found = search_rate(CONFIG.float_twin(), replace(TRAIN, epochs=1), data, (2e-9, 1e-9))
    assert found.accuracy[1e-9] == found.accuracy[2e-9]
    assert found.best == 1e-9


DISTILL = replace(TRAIN, distill=1.0)


@pytest.fixture(scope="module")
def teacher(data) -> VisionTransformer:
    model = train(CONFIG.float_twin(), replace(TRAIN, epochs=12, lr=2e-2), data).model
    assert isinstance(model, VisionTransformer)
    return model


def images_of(data) -> torch.Tensor:
    return torch.from_numpy(data.test_images)


def maps_of(model, data) -> list[torch.Tensor]:
    """Return the maps of a model as it trains."""
    with attention_maps(model.train()) as maps, torch.no_grad():
        model(images_of(data))
    return maps


@pytest.mark.parametrize("causal", [False, True], ids=["all", "causal"])
@pytest.mark.parametrize(
    "change",
    [
        {"attention": "hamming"},
        {"attention": "hamming", "weighting": "power", "alibi": True},
        {"attention": "hamming", "top_k": 2},
        {"attention": "hamming", "estimator": "identity", "weights": "float"},
        {"attention": "linear", "hash": "linear"},
        {"attention": "linear", "form": "and"},
        {"attention": "softmax", "weights": "int8"},
        {"attention": "softmax", "weights": "int8", "exponential": "shiftmax"},
        {"attention": "softmax", "weights": "float"},
    ],
    ids=lambda change: " ".join(map(str, change.values())),
)
def test_maps_are_shares(data, change, causal):
    config = replace(CONFIG, depth=2, causal=causal, **change)
    maps = maps_of(VisionTransformer(config), data)
    assert [tuple(m.shape) for m in maps] == [(50, 2, 4, 4)] * 2
    for shares in maps:
        assert shares.min() >= 0
        assert torch.allclose(shares.sum(-1), torch.ones(()), atol=1e-3)
        assert not causal or shares.triu(1).abs().max() == 0


def test_map_of_float_softmax_is_what_it_mixes_with(data, teacher):
    attention = teacher.blocks[0].attention
    tokens = torch.randn(5, 4, 8, generator=torch.Generator().manual_seed(0)) * 32
    value = torch.randn(5, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    maps: list[torch.Tensor] = []
    attention.watch = maps.append
    mixed = attention.mixed(tokens, value)
    attention.watch = None
    assert torch.allclose(maps[0] @ value, mixed, atol=1e-5)


def test_divergence():
    a, b = torch.tensor([[0.5, 0.5]]), torch.tensor([[1.0, 0.0]])
    assert divergence([a], [a]) == 0
    assert float(divergence([b], [a])) == pytest.approx(np.log(2))
    assert float(divergence([a, b], [b, b])) == pytest.approx(-0.5 * np.log(2e-3), rel=1e-4)


def test_distillation_pulls_attention_towards_the_teacher(data, teacher):
    def distance(model) -> float:
        return float(divergence(teacher_maps(teacher, images_of(data)), maps_of(model, data)))

    recipe = replace(TRAIN, epochs=12, lr=2e-2)
    alone = train(CONFIG, recipe, data)
    barely = train(CONFIG, replace(recipe, distill=1e-30), data, teacher=teacher)
    pulled = train(CONFIG, replace(recipe, distill=1.0), data, teacher=teacher)
    assert distance(barely.model) == pytest.approx(distance(alone.model), rel=0.1)
    assert distance(pulled.model) < 0.5 * distance(alone.model)
    assert all(m.watch is None for m in pulled.model.modules() if hasattr(m, "watch"))


def test_teacher_is_left_as_it_was(data, teacher):
    teacher.zero_grad()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    train(CONFIG, DISTILL, data, stop_after=1, teacher=teacher)
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_distilled_stopped_and_resumed_equals_straight(data, teacher, tmp_path):
    straight = train(CONFIG, DISTILL, data, tmp_path / "straight", teacher=teacher)
    for stop in (1, 3, None):
        resumed = train(CONFIG, DISTILL, data, tmp_path / "r", stop_after=stop, teacher=teacher)
    ours, theirs = weights(straight.checkpoint), weights(resumed.checkpoint)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


def test_resumed_with_another_teacher(data, teacher, tmp_path):
    train(CONFIG, DISTILL, data, tmp_path, stop_after=1, teacher=teacher)
    message = r"was trained with another teacher; give that one, or another folder$"
    with pytest.raises(CheckpointError, match=message):
        train(CONFIG, DISTILL, data, tmp_path, teacher=VisionTransformer(CONFIG.float_twin()))


TWIN = CONFIG.float_twin()


@pytest.mark.parametrize(
    ("student", "distill", "teacher_config", "message"),
    [
        (CONFIG, 1.0, None, r"^distill=1 needs a teacher: give --teacher CHECKPOINT of a float "),
        (CONFIG, 0.0, TWIN, r"^A teacher is of no use with distill=0: add --set distill=1.0$"),
        (CONFIG, 1.0, CONFIG, r"float softmax attention, not weights=ternary and attention=ham"),
        (CONFIG, 1.0, replace(TWIN, weights="int8"), r"not weights=int8 and attention=softmax: "),
        (CONFIG, 1.0, replace(TWIN, depth=2), r"^The teacher has depth=2, the network depth=1: "),
        (CONFIG, 1.0, replace(TWIN, heads=4), r"^The teacher has heads=4, the network heads=2: "),
        (CONFIG, 1.0, replace(TWIN, pooling="class"), r"pooling=class, the network pooling=mean"),
        (CONFIG, 1.0, replace(TWIN, causal=True), r"causal=True, the network causal=False: "),
        (CONFIG, 1.0, replace(TWIN, patch_width=4), r"patch_width=4, the network patch_width=2"),
        (replace(CONFIG, attention="linear", form="own"), 1.0, TWIN, r"^Attention of form=own "),
    ],
)
def test_refused_teachers(data, student, distill, teacher_config, message):
    teacher = VisionTransformer(teacher_config) if teacher_config else None
    with pytest.raises(UsageError, match=message) as info:
        train(student, replace(TRAIN, distill=distill), data, teacher=teacher)
    assert "\n" not in str(info.value)


@pytest.mark.parametrize(
    "change", [{"lr": 100.0}, {"lr": 1e30, "lr_tables": 1e30}, {"weight_decay": 1e30}]
)
def test_training_that_diverges_says_so_and_keeps_the_checkpoint(change, data, tmp_path):
    train(CONFIG, TRAIN, data, tmp_path, stop_after=1)
    before = (tmp_path / CHECKPOINT_NAME).read_bytes()
    run = new_run(CONFIG, replace(TRAIN, warmup=0, **change), data, "cpu", None)
    message = r"^Training diverged at step \d+, epoch \d, at a learning rate of \S+: the loss is "

    def epochs() -> None:
        for _ in range(4):
            run.train_epoch(lambda *numbers: None)

    with pytest.raises(TrainingDiverged, match=message):
        epochs()
    assert (tmp_path / CHECKPOINT_NAME).read_bytes() == before


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_found_after_the_last_step(poison, data, monkeypatch):
    run = new_run(CONFIG, TRAIN, data, "cpu", None)
    descend = run.optimizer.descend

    def spoiling(loss: torch.Tensor, rate: float) -> None:
        descend(loss, rate)
        if float(run.optimizer.adam.state_dict()["state"][0]["step"]) == 7:
            with torch.no_grad():
                next(run.model.parameters()).fill_(poison)

    monkeypatch.setattr(run.optimizer, "descend", spoiling)
    with pytest.raises(TrainingDiverged, match=r"^Training diverged at step 7, "):
        run.train_epoch(lambda *numbers: None)
