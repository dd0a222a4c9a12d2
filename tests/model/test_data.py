"""Datasets: by name, as .npz, as IDX; and the sentence that refuses a bad one."""

import gzip
import pickle
import re
import struct

import numpy as np
import pytest

from lutformer.model.data.images import DataError, load_data, to_bytes, validation_split


def arrays(count=6, shape=(4, 6), classes=3, dtype: type[np.integer] = np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, *shape)).astype(dtype)
    return images, (np.arange(count) % classes).astype(np.uint8)


@pytest.fixture
def parts():
    x_train, y_train = arrays(9)
    x_test, y_test = arrays(6, seed=1)
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def refused(source, message):
    with pytest.raises(DataError, match=f"^{message}$") as info:
        load_data(source)
    assert "\n" not in str(info.value)


def test_digits():
    data = load_data("digits")
    assert data.train_images.shape == (1347, 8, 8, 1)
    assert data.test_images.shape == (450, 8, 8, 1)
    assert data.train_images.dtype == np.uint8
    assert data.class_names == tuple("0123456789")
    assert data.pixel_max == 16
    assert sorted({*data.train_images.ravel().tolist()}) == [
        int(p * 255 / 16 + 0.5) for p in range(17)
    ]
    assert np.bincount(data.test_labels).min() >= 43  # stratified


def test_digits_are_split_the_same_way_everywhere():
    assert load_data("digits").fingerprint == (
        "76d0ce27f5eb64aa5efea45b704a38d375aabbcad0eaf4fb8db67911ac589bca"
    )


def test_validation_split_never_sees_the_test_part():
    data = load_data("digits")
    part = validation_split(data)
    seen = {image.tobytes() for image in (*part.train_images, *part.test_images)}
    assert seen == {image.tobytes() for image in data.train_images}
    assert len(part.train_labels) + len(part.test_labels) == len(data.train_labels)
    assert part.fingerprint != validation_split(data, seed=2).fingerprint


@pytest.mark.parametrize(
    ("pixel", "pixel_max", "byte"),
    [(0, 16, 0), (16, 16, 255), (8, 16, 128), (1, 2, 128), (255, 255, 255), (1, 65535, 0)],
)
def test_pixels_scale_half_up(pixel, pixel_max, byte):
    assert to_bytes(np.array([pixel]), pixel_max).tolist() == [byte]


def test_npz(tmp_path, parts):
    np.savez(tmp_path / "mine.npz", **parts)
    for source in (tmp_path / "mine.npz", str(tmp_path / "mine.npz"), tmp_path):
        data = load_data(source)
        assert data.name == "mine"
        assert data.shape == (4, 6, 1)
        assert (data.train_images[..., 0] == parts["x_train"]).all()
        assert data.class_names == ("0", "1", "2")


def test_npz_of_colour_with_names_and_column_labels(tmp_path):
    x, y = arrays(6, (4, 6, 3), dtype=np.int32)
    np.savez(
        tmp_path / "colour.npz",
        x_train=x,
        y_train=y[:, None],
        x_test=x,
        y_test=y[:, None],
        pixel_max=510,
        class_names=np.array(["red", "green", "blue"]),
    )
    data = load_data(tmp_path / "colour.npz")
    assert data.shape == (4, 6, 3)
    assert data.class_names == ("red", "green", "blue")
    assert (data.test_images == (x + 1) // 2).all()


def write_idx(path, array, pack=gzip.compress):
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(pack(header + array.tobytes()))


@pytest.mark.parametrize("suffix", [".gz", ""])
def test_idx(tmp_path, parts, suffix):
    pack = gzip.compress if suffix else bytes
    for part, name in (("train", "train"), ("test", "t10k")):
        images, labels = parts[f"x_{part}"], parts[f"y_{part}"]
        write_idx(tmp_path / f"{name}-images-idx3-ubyte{suffix}", images, pack)
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte{suffix}", labels, pack)
    data = load_data(tmp_path)
    assert (data.test_images[..., 0] == parts["x_test"]).all()
    assert data.train_labels.tolist() == parts["y_train"].tolist()


def test_damaged_idx(tmp_path, parts):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    write_idx(path, parts["x_train"])
    whole = path.read_bytes()
    ending = r" is not a readable IDX file \(.*\); fetch it again"
    for damaged in (
        b"",
        whole[:-9],
        gzip.compress(gzip.decompress(whole)[:-1]),
        gzip.compress(b"\0\0\x0d\1"),
    ):
        path.write_bytes(damaged)
        refused(tmp_path, re.escape(str(path)) + ending)


def test_nothing_there(tmp_path):
    names = "digits, fashion-mnist"
    refused(
        "no-such",
        f"There is no dataset 'no-such': give one of {names}, an .npz file, "
        "or a folder of IDX files",
    )
    refused(
        tmp_path,
        re.escape(str(tmp_path))
        + r" is no dataset: it has neither train-images-idx3-ubyte\.gz nor one \.npz file",
    )


@pytest.mark.parametrize("keep", [0, 30, 0.5, -1])
def test_damaged_npz(tmp_path, parts, keep):
    path = tmp_path / "d.npz"
    np.savez(path, **parts)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    refused(path, r".*d\.npz is not a readable \.npz dataset \(.*\); fetch it again")


def test_pickles_are_never_opened(tmp_path, parts):
    path = tmp_path / "p.npz"
    path.write_bytes(pickle.dumps(parts))
    refused(path, r".*p\.npz is not a readable \.npz dataset \(.*\); fetch it again")
    np.savez(path, **parts | {"x_train": np.array([{}], object)})
    refused(path, r".*p\.npz is not a readable \.npz dataset \(.*\); fetch it again")


def test_npz_without_an_array(tmp_path, parts):
    del parts["y_test"]
    np.savez(tmp_path / "d.npz", **parts)
    refused(
        tmp_path,
        r".*d\.npz has no array 'y_test': it must hold x_train, y_train, x_test, y_test",
    )


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"x_test": arrays(6, (5, 6))[0]}, "training and test images differ in size"),
        ({"y_test": np.zeros(5, int)}, "it has 6 images for 5 labels"),
        ({"x_test": np.zeros((6, 4, 6))}, r"images must be integers .*"),
        ({"y_train": np.zeros(9)}, r"labels must be integers \[images\]"),
        ({"pixel_max": 100}, "pixels must lie between 0 and 100"),
        ({"pixel_max": 0}, "pixel_max must be 1 to 65535, not 0"),
        (
            {"class_names": np.array(["a", "b"])},
            "label 2 has no name: class_names holds 2, for labels 0 to 1",
        ),
        (
            {"y_train": np.zeros(9, int), "y_test": np.zeros(6, int)},
            "its labels are all of one class: there is nothing to tell apart",
        ),
    ],
)
def test_unusable_npz(tmp_path, parts, change, rule):
    np.savez(tmp_path / "d.npz", **parts | change)
    refused(tmp_path, f"Dataset d cannot be used: {rule}")


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (np.arange(9) % 3 + 1, ("1", "2", "3")),
        ((np.arange(9) % 3 + 253).astype(np.uint8), ("253", "254", "255")),
        (np.arange(9) % 2 * 2 - 1, ("-1", "1")),
        (np.arange(9) % 3 + 10**9, ("1000000000", "1000000001", "1000000002")),
        (np.array([0, 2**63] * 4 + [0], np.uint64), ("0", "9223372036854775808")),
        (np.array([5, 90_000] * 4 + [5]), ("5", "90000")),
    ],
)
def test_classes_are_the_labels_that_occur(labels, names, tmp_path, parts):
    np.savez(tmp_path / "d.npz", **parts | {"y_train": labels, "y_test": labels[:6]})
    data = load_data(tmp_path)
    assert data.class_names == names
    assert [int(names[k]) for k in data.train_labels] == labels.tolist()
    assert [int(names[k]) for k in data.test_labels] == labels[:6].tolist()


def test_parts_of_different_integer_types(tmp_path, parts):
    """NumPy's common type of int64 and uint64 is float64, which rounds large labels."""
    big = np.array([2**53, 2**53 + 1] * 4 + [2**53])
    changes = {"y_train": big, "y_test": big[:6].astype(np.uint64)}
    np.savez(tmp_path / "d.npz", **parts | changes)
    assert load_data(tmp_path).class_names == (str(2**53), str(2**53 + 1))


def test_measurements_are_no_labels(tmp_path):
    images, labels = np.zeros((5000, 2, 2), np.uint8), np.arange(5000)
    np.savez(tmp_path / "d.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    refused(tmp_path, "Dataset d cannot be used: it has 5000 different labels, more than 4096 .*")
