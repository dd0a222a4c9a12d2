"""The family of weightless classifiers."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..model.config.classifier import ClassifierConfig
from ..model.config.transformer import Recipe
from ..model.data.table import Table, load_table
from ..model.network.weightless_classifier import WeightlessClassifier, weightless_classifier
from ..testing.random_classifier import random_classifier
from .answers import Answers
from .classification import accuracy_sentence, classification
from .family import Family
from .held_out import NoData
from .labelled import Labelled
from .simulation_job import SimulationJob
from .table_rows import read_rows
from .unit import Unit

if TYPE_CHECKING:
    from ..boards.board import Board
    from ..hdl.plan.classifier_plan import ClassifierPlan
    from ..model.nn.training.train import TrainResult
    from ..proofs.claims import Task
    from ..sim.options import SimulationOptions
    from ..sim.result import SimulationResult
    from ..training import Extras
    from ..workspace import Workspace

__all__ = ["ClassifierFamily"]

WORD_BITS = 8
"""Of a feature of a random network whose configuration leaves them to the data."""


class ClassifierFamily(Family[WeightlessClassifier, ClassifierConfig, Table]):
    """Weightless classifiers: rows of features in, classes out."""

    network = WeightlessClassifier
    config = ClassifierConfig
    data = Table
    example = inference = Unit("row")
    program = False

    def load(self, source: str | Path, label: str | None = None) -> Table:
        return load_table(source, label)

    def fields_of(self, data: Table) -> dict[str, Any]:
        return {"features": data.features, "classes": len(data.class_names)}

    def check_data(self, network: WeightlessClassifier, data: Table) -> None:
        features = network.encoder.features
        if data.features != features:
            raise NoData(
                f"Rows of {data.name} have {data.features} features, the network takes {features}"
            )

    def inputs(self, network: WeightlessClassifier, data: Table) -> NDArray[np.int64]:
        return network.encoder.words(data.test_rows)

    def random_inputs(
        self, network: WeightlessClassifier, count: int, seed: int = 0
    ) -> NDArray[np.int64]:
        encoder, rng = network.encoder, np.random.default_rng(seed)
        return rng.integers(encoder.lowest, encoder.highest + 1, (count, encoder.features))

    def labelled(self, network: WeightlessClassifier, source: str | Path | None = None) -> Labelled:
        data = self.held_out(network, source)
        return Labelled.of(data, self.inputs(network, data))

    def read(
        self, network: WeightlessClassifier, file: Path, *, raw: bool = False
    ) -> NDArray[np.int64]:
        if raw:
            raise UsageError(
                "--raw is for transformers: a weightless classifier reads raw features"
            )
        return read_rows(file, network)

    def columns(self, config: ClassifierConfig) -> dict[str, object]:
        return {
            "features": config.features,
            "bits each": config.thermometer_bits,
            "LUTs": "+".join(map(str, config.luts)),
            "inputs each": config.fan_in,
            "wiring": config.mapping,
        }

    def train(
        self,
        config: ClassifierConfig,
        recipe: Recipe,
        data: Table,
        directory: Path,
        extras: "Extras",
        threads: int = 1,
    ) -> "TrainResult":
        from ..training import train_alone

        reason = (
            "A weightless classifier has no attention, so it has no float twin and no teacher: "
            "leave out --twin and --teacher"
        )
        return train_alone(config, recipe, data, directory, extras, threads, reason=reason)

    def verdict(self, data: Table, result: "TrainResult") -> str:
        return accuracy_sentence(result.test_accuracy, len(data.test_labels), self.example)

    def random_network(self, config: ClassifierConfig) -> WeightlessClassifier:
        return random_classifier(
            features=config.features,
            thermometer_bits=config.thermometer_bits,
            word_bits=config.word_bits or WORD_BITS,
            luts=config.luts,
            fan_in=config.fan_in,
            classes=config.classes,
            repeat=0,
        )

    def integers(
        self, network: WeightlessClassifier, inputs: NDArray[Any]
    ) -> dict[str, NDArray[np.integer]]:
        return weightless_classifier(network, inputs)

    def answers(self, network: WeightlessClassifier, inputs: NDArray[Any]) -> Answers:
        run = weightless_classifier(network, inputs)
        return Answers(classes=run["class"], logits=run["counts"])

    def class_names(self, network: WeightlessClassifier) -> tuple[str, ...]:
        return network.class_names

    def plan_class(self) -> "type[ClassifierPlan]":
        from ..hdl.plan.classifier_plan import ClassifierPlan

        return ClassifierPlan

    def make_plan(
        self,
        network: WeightlessClassifier,
        board: "Board",
        overrides: dict[str, Any],
        *,
        core: bool,
    ) -> "ClassifierPlan":
        from ..hdl.planner.classifier_planner import make_classifier_plan

        return make_classifier_plan(network, board, overrides, core=core)

    def generate(
        self, network: WeightlessClassifier, plan: Any, directory: Path, *, core: bool
    ) -> None:
        from ..hdl.core.generate_classifier import generate_classifier

        generate_classifier(network, plan, directory, core=core)

    def simulate(
        self, network: WeightlessClassifier, job: SimulationJob, options: "SimulationOptions"
    ) -> "SimulationResult":
        from ..sim.classifier import simulate_classifier

        rows = job.inputs[: job.count]
        return simulate_classifier(network, job.verilog, rows, options, as_bytes=not job.core)

    def proof_tasks(
        self, network: WeightlessClassifier, workspace: "Workspace"
    ) -> "Iterator[Task]":
        from ..proofs.classifier_proofs import classifier_tasks

        return classifier_tasks(network, workspace)

    def measure(self, network: WeightlessClassifier, data: Table) -> dict[str, Any]:
        rows = self.inputs(network, data)

        def answers(batch: NDArray[Any]) -> Answers:
            return self.answers(network, batch)

        return classification(answers, rows, data.test_labels, network.classes)

    def bound(self, network: WeightlessClassifier, plan: Any, *, core: bool) -> dict[str, int]:
        from ..hdl.planner.classifier_bound import classifier_bound

        return classifier_bound(network, plan, core=core)
