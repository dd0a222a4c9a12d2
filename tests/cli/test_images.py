"""Image files become the bytes that the network takes."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lutformer.errors import UsageError
from lutformer.families import family_of
from lutformer.families.held_out import NoData
from lutformer.families.images import read_images
from lutformer.families.requests import questions
from lutformer.model.data.images import load_data
from lutformer.testing.random_network import NetworkShape, random_network

GREY = random_network(NetworkShape(height=4, width=6, patch_width=3))
COLOUR = random_network(NetworkShape(height=4, width=6, patch_width=3, channels=3))
PIXELS = np.random.default_rng(5).integers(0, 256, (2, 4, 6, 3), np.uint8)


@pytest.mark.parametrize("suffix", ["png", "bmp", "ppm"])
def test_colour_picture(tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    Image.fromarray(PIXELS[0]).save(path)
    assert np.array_equal(read_images(path, COLOUR), PIXELS[:1])


def test_grey_picture(tmp_path):
    path = tmp_path / "picture.png"
    Image.fromarray(PIXELS[0, :, :, 0]).save(path)
    assert np.array_equal(read_images(path, GREY), PIXELS[:1, :, :, :1])


def test_colour_picture_for_a_grey_network(tmp_path):
    path = tmp_path / "picture.png"
    Image.fromarray(np.repeat(PIXELS[0, :, :, :1], 3, axis=2)).save(path)
    assert np.array_equal(read_images(path, GREY), PIXELS[:1, :, :, :1])


@pytest.mark.parametrize(
    ("array", "network", "expected"),
    [
        (PIXELS, COLOUR, PIXELS),
        (PIXELS[0], COLOUR, PIXELS[:1]),
        (PIXELS[..., 0], GREY, PIXELS[..., :1]),
        (PIXELS[0, ..., 0], GREY, PIXELS[:1, ..., :1]),
        (PIXELS[0, ..., :1].astype(float), GREY, PIXELS[:1, ..., :1]),
    ],
    ids=["several", "one", "grey-several", "grey-one", "float-integers"],
)
def test_arrays(tmp_path, array, network, expected):
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", images=array)
    for name in ("a.npy", "a.npz"):
        found = read_images(tmp_path / name, network)
        assert found.dtype == np.uint8
        assert np.array_equal(found, expected)


def test_raw_pixels_are_scaled_like_the_training_data(tmp_path):
    from sklearn.datasets import load_digits

    data = load_data("digits")
    digits = load_digits(return_X_y=True)[0].reshape(-1, 8, 8).astype(np.uint8)
    np.save(tmp_path / "raw.npy", digits)
    network = random_network(NetworkShape(height=8, width=8))
    scaled = read_images(tmp_path / "raw.npy", replace(network, pixel_max=16), raw=True)
    known = {image.tobytes() for image in (*data.train_images, *data.test_images)}
    assert {image.tobytes() for image in scaled} == known


def test_pickled_arrays_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(UsageError, match="is not a readable image file"):
        read_images(tmp_path / "a.npy", GREY)


def test_questions_keep_order_and_names(tmp_path):
    data = load_data("digits")
    origin = {"data": {"name": "digits", "fingerprint": data.fingerprint}}
    network = random_network(NetworkShape(height=8, width=8))
    network = replace(network, origin=json.dumps(origin))
    np.save(tmp_path / "two.npy", data.train_images[:2])
    asked = questions(network, [tmp_path / "two.npy"], [3, 0], None)
    expected = np.concatenate([data.train_images[:2], data.test_images[[3, 0]]])
    assert np.array_equal(asked.inputs, expected)
    labels = data.test_labels
    assert asked.names == (
        "two.npy[0]",
        "two.npy[1]",
        f"digits[3], a {labels[3]}",
        f"digits[0], a {labels[0]}",
    )
    with pytest.raises(UsageError, match="There is no held-out image 450: digits has 450"):
        questions(network, [], [450], None)


def test_other_data_of_the_same_name_are_refused():
    origin = {"data": {"name": "digits", "fingerprint": "0"}}
    network = random_network(NetworkShape(height=8, width=8))
    with pytest.raises(NoData, match="is not the one that the network was trained on"):
        family_of(network).held_out(replace(network, origin=json.dumps(origin)))


def test_data_of_another_shape_are_refused():
    with pytest.raises(NoData, match=r"are \(8, 8, 1\), the network takes \(4, 6, 1\)"):
        family_of(GREY).held_out(GREY, "digits")
