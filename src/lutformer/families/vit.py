"""The family of vision transformers."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..model.config.transformer import Recipe, TrainConfig, VitConfig
from ..model.costs.published_share import removed_share
from ..model.data.images import Dataset, load_data
from ..model.network.golden import golden
from ..model.network.vit import Network
from ..testing.random_network import NetworkShape, random_network
from .answers import Answers
from .classification import accuracy_sentence, classification
from .held_out import NoData
from .images import read_images
from .labelled import Labelled
from .simulation_job import SimulationJob
from .transformer import TransformerFamily, common_fields
from .unit import Unit

if TYPE_CHECKING:
    from ..model.nn.training.train import TrainResult
    from ..sim.options import SimulationOptions
    from ..sim.result import SimulationResult
    from ..training import Extras

__all__ = ["VitFamily"]


class VitFamily(TransformerFamily[Network, VitConfig, Dataset]):
    """Vision transformers: images in, classes out."""

    network = Network
    config = VitConfig
    data = Dataset
    example = inference = Unit("image")

    def load(self, source: str | Path, label: str | None = None) -> Dataset:
        if label is not None:
            raise UsageError("--label names a column of a .csv file: transformers take images")
        return load_data(source)

    def fields_of(self, data: Dataset) -> dict[str, Any]:
        height, width, channels = data.shape
        size = {"height": height, "width": width, "channels": channels}
        return size | {"classes": len(data.class_names)}

    def check_data(self, network: Network, data: Dataset) -> None:
        e = network.embedding
        shape = (e.height, e.width, e.channels)
        if data.shape != shape:
            raise NoData(f"Images of {data.name} are {data.shape}, the network takes {shape}")

    def inputs(self, network: Network, data: Dataset) -> NDArray[np.uint8]:
        return data.test_images

    def random_inputs(self, network: Network, count: int, seed: int = 0) -> NDArray[np.uint8]:
        e = network.embedding
        shape = (count, e.height, e.width, e.channels)
        return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)

    def labelled(self, network: Network, source: str | Path | None = None) -> Labelled:
        data = self.held_out(network, source)
        return Labelled.of(data, self.inputs(network, data))

    def read(self, network: Network, file: Path, *, raw: bool = False) -> NDArray[np.uint8]:
        return read_images(file, network, raw=raw)

    def columns(self, config: VitConfig) -> dict[str, object]:
        return {
            "image": f"{config.height}x{config.width}x{config.channels}",
            "patch": f"{config.patch_height}x{config.patch_width}",
            "width": config.dim,
            "depth": config.depth,
            "heads": config.heads,
            "LUTs": "+".join(map(str, config.luts)),
        }

    def train(
        self,
        config: VitConfig,
        recipe: Recipe,
        data: Dataset,
        directory: Path,
        extras: "Extras",
        threads: int = 1,
    ) -> "TrainResult":
        from ..training import train_beside_twin

        assert isinstance(recipe, TrainConfig)  # a preset's recipe is of its network's family
        return train_beside_twin(config, recipe, data, directory, extras, threads)

    def verdict(self, data: Dataset, result: "TrainResult") -> str:
        return accuracy_sentence(result.test_accuracy, len(data.test_labels), self.example)

    def random_network(self, config: VitConfig) -> Network:
        token = config.pooling == "class"
        return random_network(
            NetworkShape(**common_fields(config, NetworkShape), class_token=token)
        )

    def integers(self, network: Network, inputs: NDArray[Any]) -> dict[str, NDArray[np.integer]]:
        return golden(network, inputs).integers

    def answers(self, network: Network, inputs: NDArray[Any]) -> Answers:
        run = golden(network, inputs)
        return Answers(classes=run.classes, logits=run.logits)

    def class_names(self, network: Network) -> tuple[str, ...]:
        return network.class_names

    def generate(self, network: Network, plan: Any, directory: Path, *, core: bool) -> None:
        from ..hdl.core.generate import generate

        generate(network, plan, directory, core=core)

    def simulate(
        self, network: Network, job: SimulationJob, options: "SimulationOptions"
    ) -> "SimulationResult":
        from ..hdl.core.probes import probes
        from ..hdl.transformer.accelerator import Accelerator
        from ..sim.network import simulate_network

        return simulate_network(
            network,
            job.verilog,
            job.inputs[: job.count],
            options,
            probes=probes(Accelerator(network, job.plan)),
        )

    def measure(self, network: Network, data: Dataset) -> dict[str, Any]:
        images = self.inputs(network, data)

        def answers(batch: NDArray[Any]) -> Answers:
            return self.answers(network, batch)

        return classification(answers, images, data.test_labels, network.classes)

    def removed_share(self, network: Network) -> float | None:
        return round(removed_share(network), 4)
