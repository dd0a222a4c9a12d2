"""The family of decoders of text."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..console import notes
from ..errors import UsageError
from ..model.config.gpt import GptConfig
from ..model.config.transformer import Recipe
from ..model.data.text import Text, load_text
from ..model.network.generation import generate as generate_text
from ..model.network.gpt import Gpt, gpt
from ..model.network.text_loss import can_read_on, endless_loss, golden_loss
from ..model.sampling import Sampler, Sampling
from ..testing.random_gpt import GptShape, random_gpt
from .answers import Answers
from .held_out import NoData
from .labelled import Labelled
from .simulation_job import SimulationJob
from .transformer import TransformerFamily, common_fields
from .unit import Unit

if TYPE_CHECKING:
    from ..hdl.plan.plan import Plan
    from ..model.nn.training.train import TrainResult
    from ..sim.options import SimulationOptions
    from ..sim.result import SimulationResult
    from ..training import Extras

__all__ = ["GptFamily", "sample"]

TEMPERATURE = 0.8
"""In nats, of texts that are sampled to be simulated or reported."""
SAMPLE_TOKENS = 300


class GptFamily(TransformerFamily[Gpt, GptConfig, Text]):
    """Decoders: tokens in, after each the token that follows."""

    network = Gpt
    config = GptConfig
    data = Text
    example = Unit("block")
    inference = Unit("token")
    frames = 64
    text = True

    def load(self, source: str | Path, label: str | None = None) -> Text:
        if label is not None:
            raise UsageError("--label names a column of a .csv file: decoders take texts")
        return load_text(source)

    def fields_of(self, data: Text) -> dict[str, Any]:
        return {"vocabulary": data.vocabulary.size}

    def check_data(self, network: Gpt, data: Text) -> None:
        if data.vocabulary.characters != network.vocabulary.characters:
            raise NoData(
                f"Text {data.name} has other characters ({data.vocabulary.size}) than the network "
                f"knows ({network.vocabulary.size})"
            )

    def inputs(self, network: Gpt, data: Text) -> NDArray[np.int64]:
        return data.held_out(network.block_size)[0]

    def random_inputs(self, network: Gpt, count: int, seed: int = 0) -> NDArray[np.int64]:
        """Return one block, whatever ``count``: the network goes on by itself."""
        rng = np.random.default_rng(seed)
        return rng.integers(0, network.head.out_features, (1, network.block_size))

    def labelled(self, network: Gpt, source: str | Path | None = None) -> Labelled:
        raise _no_classes()

    def read(self, network: Gpt, file: Path, *, raw: bool = False) -> NDArray[Any]:
        raise _no_classes()

    def columns(self, config: GptConfig) -> dict[str, object]:
        return {
            "block": config.block_size,
            "width": config.dim,
            "depth": config.depth,
            "heads": config.heads,
            "attention": config.attention,
            "LUTs": "+".join(map(str, config.luts)),
            "weights": config.weights,
        }

    def train(
        self,
        config: GptConfig,
        recipe: Recipe,
        data: Text,
        directory: Path,
        extras: "Extras",
        threads: int = 1,
    ) -> "TrainResult":
        from ..training import train_alone

        reason = (
            "Decoders take neither --twin nor --teacher; `python -m benchmarks.nanogpt` trains "
            "their float baseline"
        )
        return train_alone(config, recipe, data, directory, extras, threads, reason=reason)

    def verdict(self, data: Text, result: "TrainResult") -> str:
        last, best = result.validation_losses[-1], min(result.validation_losses)
        return (
            f"Loss on {len(data.test_tokens)} held-out characters: {last:.4f} nats each, the best "
            f"{best:.4f}; {result.test_accuracy:.2%} right"
        )

    def random_network(self, config: GptConfig) -> Gpt:
        common = common_fields(config, GptShape)
        common["positions"] = config.positions == "learned"
        return random_gpt(GptShape(**common))

    def integers(self, network: Gpt, inputs: NDArray[Any]) -> dict[str, NDArray[np.integer]]:
        return gpt(network, inputs)

    def answers(self, network: Gpt, inputs: NDArray[Any]) -> Answers:
        raise _no_classes()

    def class_names(self, network: Gpt) -> tuple[str, ...]:
        raise _no_classes()

    def text_network(self, network: Gpt) -> Gpt:
        return network

    def generate(self, network: Gpt, plan: Any, directory: Path, *, core: bool) -> None:
        from ..hdl.core.generate_decoder import generate_decoder

        generate_decoder(network, plan, directory, core=core)

    def simulate(
        self, network: Gpt, job: SimulationJob, options: "SimulationOptions"
    ) -> "SimulationResult":
        """Go on after the first half of a block, for ``job.count`` tokens."""
        from ..hdl.core.decoder_core import DecoderCore
        from ..hdl.core.probes import probes
        from ..hdl.transformer.decoder import stored_weights
        from ..sim.decoder import simulate_decoder

        plan: Plan = job.plan
        return simulate_decoder(
            network,
            job.verilog,
            job.inputs[0, : network.block_size // 2].tolist(),
            options,
            tokens=job.count,
            sampling=Sampling(temperature=network.temperature(TEMPERATURE)),
            weights=stored_weights(network, plan) if plan.external_weights else b"",
            probes=probes(DecoderCore(network, plan)),
        )

    def pace(self, network: Gpt, plan: Any, result: "SimulationResult") -> dict[str, Any]:
        cycles, least = result.cycles_by_place, self.bound(network, plan, core=False)["bound"]
        return {
            "cycles_by_place": cycles,
            "mean_cycles": round(sum(cycles.values()) / len(cycles), 2) if cycles else None,
            "load_cycles": result.load_cycles,
            "bound": least,
            "ratio": round(result.cycles_per_inference / least, 4) if cycles else None,
        }

    def measure(self, network: Gpt, data: Text) -> dict[str, Any]:
        with notes.status("Reading the held-out text"):
            loss, accuracy = golden_loss(network, data)
            on = endless_loss(network, data) if can_read_on(network, data) else None
            said = sample(network)
        return {
            "integer": accuracy,
            "loss": round(loss, 4),
            "reading_on": None if on is None else round(on, 4),
            "images": data.held_out(network.block_size)[1].size,
            "sample": said,
        }

    def passes(self, network: Gpt, plan: Any) -> dict[str, int]:
        from ..hdl.planner.bound import pass_cycles

        return pass_cycles(network, plan)

    def inferences(self, network: Gpt) -> int:
        return network.block_size


def sample(network: Gpt) -> str:
    """Return a decoder's text after an empty prompt, from a fixed seed."""
    vocabulary = network.vocabulary
    sampler = Sampler(Sampling(temperature=network.temperature(TEMPERATURE)))
    made = generate_text(network, vocabulary.prompt(""), sampler)
    return vocabulary.decode(one.token for one in islice(made, SAMPLE_TOKENS))


def _no_classes() -> UsageError:
    return UsageError("This network generates text: give a --prompt to continue")
