"""``lutformer export``."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EXAMPLES", "export"]

EXAMPLES = (
    "lutformer export build/digits/checkpoint.safetensors",
    "lutformer export build/mine/checkpoint.safetensors --data my_images.npz -o mine.safetensors",
)


def export(
    checkpoint: Annotated[Path, typer.Argument(help="Left by `lutformer train`.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File; network.safetensors beside the checkpoint."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="The data of the checkpoint, if they are your own files.")
    ] = None,
) -> None:
    """Write the integer network of a checkpoint.

    It is the only thing that the hardware is made from. On all held-out images every integer of
    the PyTorch model is compared with the golden integer run; a single difference is an error.
    """
    from ..console import next_step, out
    from ..exporting import export_network

    output = output or checkpoint.with_name("network.safetensors")
    network, equality = export_network(checkpoint, output, data)
    if equality is None:
        out.print("golden == torch was not checked: the data are not known (give --data)")
    else:
        out.print(f"golden == torch: {equality.integers} integers of {equality.images} images")
    out.print(f"Wrote {output} (network {network.hash[:16]})", markup=False)
    next_step("lutformer", "generate", output, "--board", "icebreaker")
