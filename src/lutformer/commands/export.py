"""``lutformer export``."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EXAMPLES", "export"]

EXAMPLES = (
    "lutformer export build/digits/checkpoint.safetensors",
    "lutformer export build/mine/checkpoint.safetensors --data my_images.npz -o mine.safetensors",
    "lutformer export dwn.pt --thermometer thresholds.npy --classes 10 --scale 255",
)


def export(
    checkpoint: Annotated[
        Path, typer.Argument(help="Checkpoint of `lutformer train`, or a .pt file of torch-dwn.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File; network.safetensors beside the checkpoint if not given."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="The data that you trained on, if they are your own files.")
    ] = None,
    thermometer: Annotated[
        Path | None,
        typer.Option(
            help="torch-dwn: .npy or .pt of thresholds (features, z), if not in the model."
        ),
    ] = None,
    classes: Annotated[
        int | None, typer.Option(min=2, help="torch-dwn: number of classes, if not in the file.")
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(help="torch-dwn: features were integers divided by this (255 for bytes)."),
    ] = None,
) -> None:
    """Convert a checkpoint to an integer network.

    The hardware is generated from this file alone. On all held-out data (images, rows of a table,
    blocks of a text), every integer of the PyTorch model is compared with the golden integer run. A
    single difference is an error.

    A torch-dwn model is a state_dict, or a dictionary of state_dict, thermometer and num_classes.
    Files with Python objects are refused, because loading them could run arbitrary code.
    """
    from ..console import next_step, out
    from ..errors import UsageError
    from ..exporting import export_network
    from ..families import family_of
    from ..importing import import_network, is_foreign

    output = output or checkpoint.with_name("network.safetensors")
    foreign = {"thermometer": thermometer, "classes": classes, "scale": scale}
    if is_foreign(checkpoint):
        network, equality = import_network(checkpoint, output, data, **foreign)
    elif any(value is not None for value in foreign.values()):
        raise UsageError("--thermometer, --classes and --scale are for .pt files of torch-dwn")
    else:
        network, equality = export_network(checkpoint, output, data)
    if equality is None:
        out.print("golden == torch was not checked: the data are not known (give --data)")
    else:
        out.print(
            f"golden == torch: {equality.integers} integers of "
            f"{family_of(network).example.counted(equality.inputs)}"
        )
    out.print(f"Wrote {output} (network {network.hash[:16]})", markup=False)
    next_step("lutformer", "generate", output, "--board", "icebreaker")
