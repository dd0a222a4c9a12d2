"""``lutformer train``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EXAMPLES", "train"]

EXAMPLES = (
    "lutformer train digits",
    "lutformer train digits --twin -o build/digits",
    "lutformer train fashion --set depth=2 --set luts=256,128 --epochs 5",
    "lutformer train digits --data-dir my_images.npz -o build/mine",
)


def train(
    preset: Annotated[str, typer.Argument(help="Network and recipe; see `lutformer presets`.")],
    data: Annotated[
        str | None, typer.Option(help="Train on this named dataset instead of the preset's.")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Train on an .npz file (x_train, y_train, x_test, y_test) or IDX folder."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Directory; build/PRESET if not given.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the preset's.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and batches.")] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change the network or the recipe."),
    ] = None,
    twin: Annotated[
        bool,
        typer.Option("--twin", help="Also train its float softmax/GELU twin, for comparison."),
    ] = False,
) -> None:
    """Train a network, or resume its training.

    Stopped, it resumes with the same command. Leaves checkpoint.safetensors and the loss curve
    (curve.csv, curve.png). Size, channels and classes follow the data. A GPU is used if PyTorch
    finds one.
    """
    from ..console import out
    from ..errors import UsageError
    from ..model.data import load_data
    from ..model.presets import preset as find_preset
    from ..settings import settled
    from ..training import fit_to_data, train_network, train_twin
    from ..workspace import writable

    if data is not None and data_dir is not None:
        raise UsageError("Give --data or --data-dir, not both")
    chosen = find_preset(preset)
    model, recipe = settled(chosen.model, chosen.train, settings or [])
    recipe = replace(recipe, seed=seed, epochs=epochs or recipe.epochs)
    directory = writable(output or Path("build") / preset)
    dataset = load_data(data_dir or data or chosen.data)
    model = fit_to_data(model, dataset)
    if twin:
        record = train_twin(model, recipe, dataset, directory)
        out.print(f"Float twin: {record['accuracy']:.2%} with learning rate {record['lr']:g}")
    result = train_network(model, recipe, dataset, directory)
    out.print(
        f"Accuracy on {len(dataset.test_labels)} held-out images: {result.test_accuracy:.2%} "
        f"({result.seconds:.0f} s)"
    )
    network = directory / "network.safetensors"
    out.print(f"Next: lutformer export {result.checkpoint} -o {network}", markup=False)
