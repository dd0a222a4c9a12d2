"""What differs between families of networks, from data to report."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..model.config.classifier import ClassifierConfig
from ..model.config.gpt import GptConfig
from ..model.config.transformer import Recipe, VitConfig
from ..model.data.images import Dataset
from ..model.data.table import Table
from ..model.data.text import Text
from ..model.network.gpt import Gpt
from ..model.network.stored_network import StoredNetwork
from .answers import Answers
from .held_out import check_fingerprint, source_of, trained_on
from .labelled import Labelled
from .simulation_job import SimulationJob
from .unit import Unit

if TYPE_CHECKING:
    from ..boards.board import Board
    from ..hdl.plan.board_plan import BoardPlan
    from ..model.nn.training.train import TrainResult
    from ..proofs.claims import Task
    from ..sim.options import SimulationOptions
    from ..sim.result import SimulationResult
    from ..training import Extras
    from ..workspace import Workspace

__all__ = ["Config", "Data", "Family"]

Config = VitConfig | ClassifierConfig | GptConfig
Data = Dataset | Table | Text

AnyNetwork = TypeVar("AnyNetwork", bound=StoredNetwork)
AnyConfig = TypeVar("AnyConfig", VitConfig, ClassifierConfig, GptConfig)
AnyData = TypeVar("AnyData", Dataset, Table, Text)


class Family(ABC, Generic[AnyNetwork, AnyConfig, AnyData]):
    """All that has to be known of a family of networks; found by :func:`family_of`.

    Packages that are slow to import (torch, Amaranth, cocotb) are imported by the methods that
    need them.

    Attributes
    ----------
    network, config, data : type
        Classes of its networks, of their configurations, and of the data that they learn from.
    example : Unit
        One input among the held-out data.
    inference : Unit
        What the hardware computes in one go: cycles and rates are of it.
    frames : int
        Inferences that are simulated unless somebody says how many.
    text : bool
        Whether its networks make text, token by token; others tell classes apart.
    program : bool
        Whether its hardware runs a program of instructions.
    """

    network: type[AnyNetwork]
    config: type[AnyConfig]
    data: type[AnyData]
    example: Unit
    inference: Unit
    frames: int = 10
    text: bool = False
    program: bool = True

    # Data

    @abstractmethod
    def load(self, source: str | Path, label: str | None = None) -> AnyData:
        """Load data that networks of the family can be trained on.

        Parameters
        ----------
        source : str or Path
            Name, file or folder.
        label : str or None
            Column of the labels, of CSV files.

        Raises
        ------
        DataError
            If there are none that can be used.
        UsageError
            If such data have no columns.
        """

    @abstractmethod
    def fields_of(self, data: AnyData) -> dict[str, Any]:
        """Return the fields of a configuration that follow the data."""

    @abstractmethod
    def check_data(self, network: AnyNetwork, data: AnyData) -> None:
        """Raise ``NoData`` if a network cannot read ``data``."""

    @abstractmethod
    def inputs(self, network: AnyNetwork, data: AnyData) -> NDArray[Any]:
        """Return what a network reads of the held-out part of ``data`` [examples, ...]."""

    @abstractmethod
    def random_inputs(self, network: AnyNetwork, count: int, seed: int = 0) -> NDArray[Any]:
        """Return inputs for ``count`` inferences, the same for the same seed."""

    def held_out(self, network: AnyNetwork, source: str | Path | None = None) -> AnyData:
        """Load ``source``, or the data that a network says it was trained on.

        Raises
        ------
        NoData
            If there are none, or they do not suit the network.
        """
        label = trained_on(network).get("label")
        data = self.load(source_of(network, source, self.example), label)
        self.check_data(network, data)
        if source is None:
            check_fingerprint(network, data)
        return data

    def held_out_inputs(
        self, network: AnyNetwork, source: str | Path | None = None
    ) -> tuple[NDArray[Any], str]:
        """Return what a network reads of :meth:`held_out`, and the name of the data."""
        data = self.held_out(network, source)
        return self.inputs(network, data), data.name

    @abstractmethod
    def labelled(self, network: AnyNetwork, source: str | Path | None = None) -> Labelled:
        """Return :meth:`held_out` with its classes; ``UsageError`` if there are no classes."""

    @abstractmethod
    def read(self, network: AnyNetwork, file: Path, *, raw: bool = False) -> NDArray[Any]:
        """Return the inputs in a file.

        Parameters
        ----------
        network : StoredNetwork
            That is to read them.
        file : Path
        raw : bool
            Pixels of arrays are those of the training data, not bytes.

        Raises
        ------
        UsageError
            If they cannot be read or do not suit the network.
        """

    # Configurations and training

    @abstractmethod
    def columns(self, config: AnyConfig) -> dict[str, object]:
        """Return the cells of a network in the list of presets, by column."""

    @abstractmethod
    def train(
        self,
        config: AnyConfig,
        recipe: Recipe,
        data: AnyData,
        directory: Path,
        extras: "Extras",
        threads: int = 1,
    ) -> "TrainResult":
        """Train a network in ``directory``, and what ``extras`` ask for.

        Raises
        ------
        UsageError
            If the family has no such extras.
        """

    @abstractmethod
    def verdict(self, data: AnyData, result: "TrainResult") -> str:
        """Return a sentence about a trained network's accuracy on held-out data."""

    @abstractmethod
    def random_network(self, config: AnyConfig) -> AnyNetwork:
        """Return a network with random weights, which takes about as much as a trained one."""

    # The golden run

    @abstractmethod
    def integers(self, network: AnyNetwork, inputs: NDArray[Any]) -> dict[str, NDArray[np.integer]]:
        """Return every integer of the golden run, by name."""

    @abstractmethod
    def answers(self, network: AnyNetwork, inputs: NDArray[Any]) -> Answers:
        """Return the answers of the golden run; ``UsageError`` if there are no classes."""

    @abstractmethod
    def class_names(self, network: AnyNetwork) -> tuple[str, ...]:
        """Return the classes in the order of the logits; ``UsageError`` if there are none."""

    def text_network(self, network: AnyNetwork) -> Gpt:
        """Return the network if it makes text.

        Raises
        ------
        UsageError
            If it does not.
        """
        raise UsageError(f"This network reads {self.example.plural}: it cannot continue a text")

    # Hardware

    @abstractmethod
    def plan_class(self) -> "type[BoardPlan]":
        """Return the plan class of the family."""

    @abstractmethod
    def make_plan(
        self, network: AnyNetwork, board: "Board", overrides: dict[str, Any], *, core: bool
    ) -> "BoardPlan":
        """Choose the fields that ``overrides`` leave open, for a board top or a core alone."""

    @abstractmethod
    def generate(self, network: AnyNetwork, plan: Any, directory: Path, *, core: bool) -> None:
        """Write the Verilog of a board top, or of a core alone, and the files beside it."""

    @abstractmethod
    def simulate(
        self, network: AnyNetwork, job: SimulationJob, options: "SimulationOptions"
    ) -> "SimulationResult":
        """Compare the Verilog with the golden run, integer by integer."""

    def pace(self, network: AnyNetwork, plan: Any, result: "SimulationResult") -> dict[str, Any]:
        """Return further figures of the cycles of a simulation."""
        return {}

    @abstractmethod
    def proof_tasks(self, network: AnyNetwork, workspace: "Workspace") -> "Iterator[Task]":
        """Yield the claims to prove about the Verilog in ``workspace``."""

    # Report

    @abstractmethod
    def measure(self, network: AnyNetwork, data: AnyData) -> dict[str, Any]:
        """Return the record of a network's accuracy on the held-out part of ``data``."""

    @abstractmethod
    def bound(self, network: AnyNetwork, plan: Any, *, core: bool) -> dict[str, int]:
        """Return the least cycles of each engine, and of the whole as ``bound``."""

    def passes(self, network: AnyNetwork, plan: Any) -> dict[str, int] | None:
        """Return the least cycles of each pass, where one follows the other."""
        return None

    def inferences(self, network: AnyNetwork) -> int:
        """Return how many inferences the operations of a network are counted of."""
        return 1

    def removed_share(self, network: AnyNetwork) -> float | None:
        """Return which part of its baseline's multiplications weightless MLPs save."""
        return None
