"""Tables: what is read, how it is split, and what is refused in one sentence."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from lutformer.model.data.images import DataError, Dataset, load_data, to_bytes
from lutformer.model.data.table import as_table, load_table, validation_rows

FLOWERS = "length,width,kind\n" + "".join(
    f"{n},{n / 8},{'rose' if n % 3 else 'lily'}\n" for n in range(24)
)


def file_of(tmp_path, text: str = FLOWERS, name: str = "flowers.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_csv(tmp_path):
    table = load_table(file_of(tmp_path))
    assert (table.name, table.class_names, table.features) == ("flowers", ("lily", "rose"), 2)
    assert (len(table.train_rows), len(table.test_rows)) == (18, 6)
    assert np.bincount(table.test_labels).tolist() == [2, 4]
    whole = sorted(map(tuple, table.all_rows.tolist()))
    assert whole == [(n, n / 8) for n in range(24)]
    assert (table.test_labels == (table.test_rows[:, 0] % 3 > 0)).all()
    again = load_table(file_of(tmp_path))
    assert again.fingerprint == table.fingerprint


def test_label_by_name_and_numbers_in_order(tmp_path):
    text = "k,a,b\n" + "".join(f"{k},{k},{k + 0.5}\n" for k in (10, 9, 2) for _ in range(4))
    table = load_table(file_of(tmp_path, text), "k")
    assert table.class_names == ("2", "9", "10")
    assert table.label == "k"
    assert (table.train_rows[:, 1] - table.train_rows[:, 0] == 0.5).all()


def test_folder_of_two_csv_files(tmp_path):
    file_of(tmp_path, name="train.csv")
    file_of(tmp_path, "length,width,kind\n1,2,iris\n", "test.csv")
    table = load_table(tmp_path)
    assert table.class_names == ("iris", "lily", "rose")
    assert (len(table.train_rows), table.test_rows.tolist()) == (24, [[1.0, 2.0]])
    file_of(tmp_path, "length,kind\n1,iris\n", "test.csv")
    refused(tmp_path, r"{}/test.csv has other columns than train.csv beside it")


def refused(path, message: str, label: str | None = None) -> None:
    with pytest.raises(
        DataError, match="^" + message.replace("{}", re.escape(str(path))) + "$"
    ) as info:
        load_table(path, label)
    assert "\n" not in str(info.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"{} is not a readable .csv file with a header \(.*\)"),
        ("a,k\n", r"{} must have a header, a column of features, one of labels, and rows"),
        ("k\n1\n", r"{} must have a header, a column of features, one of labels, and rows"),
        ("a,k\nx,1\n", r"{}, line 2, column 'a': features must be finite numbers, not 'x'"),
        ("a,k\n1,1\n,1\n", r"{}, line 3, column 'a': features must be finite numbers, not ''"),
        ("a,k\n1,1,1\n", r"{}, line 2: 3 values under 2 names"),
        ("a,k\n1,1\n1,1\n1,2\n", r"{} has a single row of class '2': none of it can be held out"),
        (
            "a,k\n1,1\n1,1\n1,1\n1,1\n",
            r"{} cannot be used: its labels are all of one class: there is nothing to tell apart",
        ),
        ("a,k\n1,1\n1,1\n1,2\n1,2\n", r"{} has too few rows to hold out one of each of 2 classes"),
        (
            "a,k\n1,1\n\n\nnan,2\n",
            r"{}, line 5, column 'a': features must be finite numbers, not 'nan'",
        ),
        (
            "a,k\n1,1\ninf,2\n",
            r"{}, line 3, column 'a': features must be finite numbers, not 'inf'",
        ),
        ("a,k\n1,1\n2,\n", r"{}, line 3, column 'k': the row has no label"),
        (
            "a,k\n1,1\n2,a\0b\n",
            r"{}, line 3, column 'k': the row has the label 'a\\x00b', which .*",
        ),
        ("a,a,k\n1,1,1\n", r"{} has two columns called 'a'; rename one"),
        ("5.1,3.5,x\n4.9,3.0,y\n", r"{} begins with numbers where the names of its .*; add .*"),
        ("a,k\n" + "".join(f"1,c{n}\n" for n in range(5000)), r"{} cannot be used: it has 5000 .*"),
    ],
)
def test_refused_csv(text, message, tmp_path):
    refused(file_of(tmp_path, text), message)


def test_refused_labels(tmp_path):
    refused(file_of(tmp_path), r"{} has no column 'x'; its columns are length, width, kind", "x")
    with pytest.raises(DataError, match=r"^digits has no columns of which 'x' could be one: give "):
        load_table("digits", "x")


def save_rows(tmp_path, **changes):
    rng = np.random.default_rng(0)
    arrays = {"x_train": rng.random((8, 3)), "y_train": np.arange(8) % 2}
    arrays |= {"x_test": rng.random((4, 3)), "y_test": np.arange(4) % 2}
    path = tmp_path / "rows.npz"
    np.savez(path, **arrays | changes)
    return path


def test_npz_of_rows(tmp_path):
    table = load_table(save_rows(tmp_path, class_names=np.array(["no", "yes"])))
    assert (table.features, table.class_names) == (3, ("no", "yes"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_train": np.arange(7) % 2}, "it has 8 rows for 7 labels"),
        ({"x_test": np.zeros((4, 2))}, "training and test rows differ in their features"),
        (
            {"y_test": np.zeros(4, int), "y_train": np.zeros(8, int)},
            "its labels are all of one class: there is nothing to tell apart",
        ),
        ({"y_test": np.zeros(4)}, r"labels must be integers \[rows\]"),
        ({"x_test": np.full((4, 3), np.inf)}, "features must be finite numbers"),
        (
            {"class_names": np.array(["one"])},
            "its labels are all of one class: there is nothing to tell apart",
        ),
        ({"y_test": np.array([0, 1, 0, -1]), "class_names": np.array(["a", "b"])}, "label -1 .*"),
    ],
)
def test_refused_rows(changes, message, tmp_path):
    with pytest.raises(DataError, match=f"^Dataset rows cannot be used: {message}$"):
        load_table(save_rows(tmp_path, **changes))


@pytest.mark.parametrize("pixel_max", [1, 16, 255, 1000])
def test_images_become_rows_of_raw_pixels(pixel_max):
    raw = np.arange(min(pixel_max, 255) + 1).reshape(-1, 1, 1, 1)
    images = to_bytes(raw, pixel_max) if pixel_max <= 255 else raw.astype(np.uint8)
    labels = np.arange(len(images)) % 2
    data = Dataset(
        name="x",
        train_images=images,
        train_labels=labels,
        test_images=images,
        test_labels=labels,
        class_names=("a", "b"),
        pixel_max=pixel_max,
    )
    assert as_table(data).train_rows[:, 0].tolist() == raw.ravel().tolist()


def test_digits_are_the_pixels_of_scikit_learn():
    table = load_table("digits")
    assert (table.features, table.train_rows.max()) == (64, 16)
    assert (table.test_labels == load_data("digits").test_labels).all()


def test_validation_rows_are_training_rows(tmp_path):
    table = load_table(file_of(tmp_path))
    split = validation_rows(table)
    assert len(split.train_rows) + len(split.test_rows) == len(table.train_rows)
    assert set(split.test_rows[:, 0]) <= set(table.train_rows[:, 0])


@pytest.mark.parametrize("labels", ["ok nan warn fail", "1 inf -inf nan", "NaN nan 2 10"])
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_order_of_classes_does_not_depend_on_the_hash_seed(labels, seed, tmp_path):
    """A set of texts, and NaN as a sort key, have another order in each process."""
    path = file_of(tmp_path, "a,k\n" + "".join(f"0,{k}\n" for k in labels.split() * 4))
    program = "from lutformer.model.data.table import load_table; import sys; "
    program += "print(*load_table(sys.argv[1]).class_names)"
    words = [sys.executable, "-c", program, str(path)]
    environment = os.environ | {"PYTHONHASHSEED": seed}
    found = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    expected = {"1": "1 -inf inf nan", "o": "fail nan ok warn", "N": "2 10 NaN nan"}
    assert found.stdout.split() == expected[labels[0]].split()


def test_numbers_are_one_class_however_they_are_written(tmp_path):
    table = load_table(file_of(tmp_path, "a,k\n" + "0,1\n0,1.0\n0,2.50\n0,2.5\n" * 4))
    assert table.class_names == ("1", "2.5")
    assert np.bincount(np.concatenate([table.train_labels, table.test_labels])).tolist() == [8, 8]
    alone = load_table(file_of(tmp_path, "a,k\n" + "0,01\n0,02\n" * 4))
    assert alone.class_names == ("01", "02")


def test_a_column_that_counts_the_rows_is_noticed(tmp_path, caplog):
    load_table(file_of(tmp_path, "id,a,k\n" + "".join(f"{n},5,{n % 2}\n" for n in range(24))))
    (record,) = caplog.records
    assert record.getMessage().startswith("Note: column 'id' of ")
