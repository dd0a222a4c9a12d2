"""Simulation of whole decoders: the emitted core against the golden run, integer by integer."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..hdl.core.decoder_core import DecoderCore
from ..hdl.core.probes import Probes
from ..hdl.transformer.program import compile_network
from ..model.link.text_link import SLOTS, Flag, Status, TextReply, TextRequest
from ..model.link.text_session import TextSession
from ..model.link.weight_requests import weight_requests
from ..model.network.generation import generate
from ..model.network.gpt import Gpt, GptState, step
from ..model.sampling import Sampler, Sampling
from .decoder_recorder import DecoderRecorder
from .engine_profile import profiled, watched_wires
from .options import SimulationOptions
from .recorder import simulate_recorded
from .result import SimulationResult, differences

__all__ = ["DecoderBenchConfig", "simulate_decoder", "written"]

BENCH = Path(__file__).with_name("decoder_bench.py")


@dataclass(frozen=True, kw_only=True)
class DecoderBenchConfig:
    """Configuration of the bench inside the simulator."""

    requests: str  # .npy, uint8 [requests, REQUEST_BYTES]
    output: str  # .npz to write
    taken: list[int]  # tokens that each request has taken in
    vocabulary: int  # logits of a token
    written: int  # values that a token writes to the residual stream
    idle: float = 0.0
    stall: float = 0.0
    wires: tuple[tuple[str, ...], ...] = ()  # of the core, watched during the last inference


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A request, its reply but for the cycles, and what the golden run computes for it."""

    request: TextRequest
    reply: TextReply
    places: range
    logits: NDArray[np.integer]  # [taken, V]
    written: NDArray[np.integer]  # [taken, writes, D]


def simulate_decoder(
    network: Gpt,
    verilog: Path,
    prompt: list[int],
    options: SimulationOptions,
    *,
    tokens: int,
    sampling: Sampling,
    weights: bytes = b"",
    probes: Probes | None = None,
) -> SimulationResult:
    """Let module ``lutformer_core`` of ``verilog`` go on with a text; compare with the golden run.

    Compared are every logit of every token, those of the prompt included, every value written to
    the residual stream (the embedding, and each block's output after attention and after the MLP),
    the tokens chosen, and all else that replies say, those to the weights included. Cycles that
    they say are compared with those that the bench counts.

    Parameters
    ----------
    network : Gpt
    verilog : Path
        What :func:`lutformer.hdl.core.generate_decoder.generate_decoder` wrote.
    prompt : list of int
    options : SimulationOptions
    tokens : int
        To choose.
    sampling : Sampling
    weights : bytes
        What the core is to be loaded with first, if its weights are external.
    probes : Probes, optional
        Of the core; the last token is then profiled.
    """
    options.progress(f"golden run of {tokens} tokens")
    loading, turn = weight_requests(weights, turn=False)
    asked = list(_asked(network, prompt, tokens, sampling, turn))
    build_dir = options.build_dir
    build_dir.mkdir(parents=True, exist_ok=True)
    requests = [*loading, *(ask.request for ask in asked)]
    np.save(
        build_dir / "requests.npy",
        [np.frombuffer(request.pack(), np.uint8) for request in requests],
    )
    output = build_dir / "simulated.npz"
    config = DecoderBenchConfig(
        requests=str((build_dir / "requests.npy").absolute()),
        output=str(output.absolute()),
        taken=[0] * len(loading) + [ask.request.taken for ask in asked],
        vocabulary=network.head.out_features,
        written=asked[0].written[0].size,
        idle=options.idle,
        stall=options.stall,
        wires=tuple(watched_wires(probes)) if probes else (),
    )
    options.progress(f"{options.simulator} of {tokens} tokens")
    recorder = DecoderRecorder(
        tokens=2 * SLOTS,
        vocabulary=config.vocabulary,
        logit_width=network.head.accumulator_width,
        written=config.written,
    )
    simulated = simulate_recorded(
        verilog,
        recorder,
        test_file=BENCH,
        output=output,
        simulator=options.simulator,
        config=config,
        waves=options.waves,
        wires=config.wires,
    )
    result = _compare(loading, asked, tokens, simulated)
    return profiled(result, compile_network(network), probes, simulated["changes"])


def _asked(
    network: Gpt, prompt: list[int], tokens: int, sampling: Sampling, turn: bool
) -> Iterator[_Asked]:
    """Yield what is asked until that many tokens are chosen, bursts of all sizes among it."""
    session = TextSession(network=network, text=list(prompt), sampling=sampling, turn=turn)
    chosen = (g.token for g in generate(network, prompt, Sampler(sampling)))
    state, left, burst = GptState(network), tokens, 0
    while left:
        burst = burst % SLOTS + 1
        request = session.request(min(burst, left))
        if Flag.RESET in request.flags:
            state = GptState(network)
        reply = session.expected(request, tuple(islice(chosen, request.count)))
        taken = [*request.tokens, *reply.tokens[:-1]]
        before = state.tokens
        integers = step(network, state, [taken])
        yield _Asked(
            request=request,
            reply=reply,
            places=range(before, state.tokens),
            logits=integers["logits"][0],
            written=written(network, integers),
        )
        session.accept(request, reply)
        left -= request.count


def written(network: Gpt, integers: dict[str, NDArray[np.integer]]) -> NDArray[np.integer]:
    """Return the writes to the residual stream, token by token."""
    names = ["embedding"]
    for n in range(len(network.blocks)):
        names += [f"blocks.{n}.attention", f"blocks.{n}.mlp"]
    return np.stack([integers[name][0] for name in names], axis=1)


def _compare(
    loading: list[TextRequest],
    asked: list[_Asked],
    tokens: int,
    simulated: dict[str, NDArray[np.integer]],
) -> SimulationResult:
    """Count the differences, in the order of computation."""
    replies = [TextReply.unpack(reply.tobytes()) for reply in simulated["replies"]]
    due = [*map(_loaded, loading), *(ask.reply for ask in asked)]
    said = replies[len(loading) :]
    expected = {
        "written": np.concatenate([ask.written.reshape(-1) for ask in asked]),
        "logits": np.concatenate([ask.logits.reshape(-1) for ask in asked]),
        "replies": np.array([_words(reply) for reply in due]),
        "cycles": simulated["waited"][len(loading) :] - DecoderCore.latency,
    }
    found = {
        "written": simulated["written"],
        "logits": simulated["logits"],
        "replies": np.array([_words(reply) for reply in replies]),
        "cycles": np.array([reply.cycles for reply in said]),
    }
    cycles = _cycles_by_place(asked, simulated["times"].tolist())
    return SimulationResult(
        frames=tokens,
        cycles_per_inference=max(cycles.values(), default=0),
        cycles_by_place=cycles,
        load_cycles=int(simulated["loaded"]),
        **asdict(differences(expected, found)),
    )


def _loaded(request: TextRequest) -> TextReply:
    """Return the reply to a request that brings weights; its cycles are not looked at."""
    turn = Flag.TURN in request.flags
    return TextReply(status=Status.DONE, tokens=(), cycles=0, place=0, turn=turn)


def _cycles_by_place(asked: list[_Asked], times: list[int]) -> dict[int, int]:
    """Return the cycles from token to token where the core goes on by itself, by place.

    Raises
    ------
    AssertionError
        If tokens at the same place take different ones.
    """
    found: dict[int, set[int]] = {}
    for ask in asked:
        mine, times = times[: ask.request.taken], times[ask.request.taken :]
        for n in range(len(ask.request.tokens), len(mine)):
            found.setdefault(ask.places[n], set()).add(mine[n] - mine[n - 1])
    uneven = {place: sorted(cycles) for place, cycles in found.items() if len(cycles) > 1}
    if uneven:
        raise AssertionError(f"The cycles of a token must not depend on it, but vary: {uneven}")
    return {place: cycles.pop() for place, cycles in sorted(found.items())}


def _words(reply: TextReply) -> list[int]:
    """Return all of a reply but its cycles, tokens that it has not as -1."""
    tokens = [*reply.tokens, *[-1] * (SLOTS - len(reply.tokens))]
    return [reply.status, reply.place, reply.turn, *tokens]
