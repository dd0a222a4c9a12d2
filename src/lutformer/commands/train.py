"""``lutformer train``."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EXAMPLES", "train"]

EXAMPLES = (
    "lutformer train digits",
    "lutformer train digits --twin -o build/digits",
    (
        "lutformer train digits --teacher build/digits/twin/checkpoint.safetensors "
        "--set distill=1.0 -o build/distilled"
    ),
    "lutformer train fashion --set depth=2 --set luts=256,128 --epochs 5",
    "lutformer train digits --data-dir my_images.npz -o build/mine",
    "lutformer train dwn-digits",
    "lutformer train gpt-tiny",
    "lutformer train gpt-ulx3s --text shakespeare.txt -o build/shakespeare",
    "lutformer train dwn-digits --data-dir flowers.csv --label kind -o build/flowers",
)


def train(
    preset: Annotated[str, typer.Argument(help="Network and recipe; see `lutformer presets`.")],
    data: Annotated[
        str | None, typer.Option(help="Named dataset, instead of the preset's.")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Your own data: an .npz file (x_train, y_train, x_test, y_test) or IDX folder; "
            "for a weightless classifier also a .csv file, or a folder of train.csv and test.csv."
        ),
    ] = None,
    text: Annotated[Path | None, typer.Option(help="UTF-8 file to train a decoder on.")] = None,
    label: Annotated[
        str | None, typer.Option(help="Column of the class in .csv files; the last if not given.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Directory; build/PRESET if not given.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Number of epochs, instead of the preset's.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights and batches.")] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a field of the network or recipe; repeatable.",
        ),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=1, help="Threads of PyTorch; more help large networks only.")
    ] = 1,
    twin: Annotated[
        bool,
        typer.Option("--twin", help="Also train a float softmax/GELU baseline, for comparison."),
    ] = False,
    teacher: Annotated[
        Path | None,
        typer.Option(
            metavar="CHECKPOINT",
            help="Float baseline whose attention maps to distill, weighted by the field distill.",
        ),
    ] = None,
) -> None:
    """Train a network, or resume its training.

    If you stop it, the same command resumes. Writes checkpoint.safetensors and the loss curve
    (curve.csv, curve.png). Image size, channels, classes and vocabulary are taken from the data. A
    GPU is used if PyTorch finds one.

    For a decoder, it also writes sample texts (samples/) and best.safetensors, the checkpoint with
    the least loss on the held-out tenth of the text. checkpoint.safetensors is the latest.

    To distill attention from a float softmax baseline, first train one (--twin writes it to
    twin/checkpoint.safetensors). Then train again with --teacher, --set distill=1.0 and another
    directory.
    """
    from ..console import next_step, out
    from ..errors import UsageError
    from ..families import family_of
    from ..model.config.presets import preset as find_preset
    from ..settings import parse, settled
    from ..training import Extras

    if sum(source is not None for source in (data, data_dir, text)) > 1:
        raise UsageError("Give --data, --data-dir or --text, not both")
    chosen = find_preset(preset)
    changes = parse(settings or [], chosen) | {"seed": seed}
    if epochs is not None:
        changes["epochs"] = epochs
    family = family_of(chosen.model)
    dataset = family.load(text or data_dir or data or chosen.data, label)
    model, recipe = settled(chosen, dataset, changes)
    directory = output or Path("build") / preset
    extras = Extras(twin=twin, teacher=teacher)
    result = family.train(model, recipe, dataset, directory, extras, threads)
    out.print(f"{family.verdict(dataset, result)} ({result.seconds:.0f} s)")
    network = directory / "network.safetensors"
    next_step("lutformer", "export", result.checkpoint, "-o", network)
