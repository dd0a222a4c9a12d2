"""The whole way on one preset, step by step."""

import time
from collections.abc import Sequence
from pathlib import Path

from .building import build_bitstream
from .console import notes, out
from .errors import NotEqual, UsageError
from .exporting import export_network
from .families import family_of
from .generating import generate_verilog
from .model.config.presets import Preset
from .model.config.presets import preset as find_preset
from .model.config.transformer import TrainConfig, VitConfig
from .model.data.images import load_data
from .report.figures import Report
from .report.reporting import write_report
from .report.summary import print_summary
from .session.client import ask, connected
from .settings import settled
from .simulating import simulate_frames
from .steps import Step, run_step
from .training import TWIN_RATES, TWIN_RECORD, train_network, train_twin
from .workspace import Workspace, writable

__all__ = ["demonstrate", "demonstration_steps"]

VIRTUAL_IMAGES = 10


def demonstrate(directory: Path, preset: str, board: str, frames: int) -> Report:
    """Do every step that is not up to date, then report."""
    start = time.monotonic()
    steps = demonstration_steps(directory, preset, board, frames)
    writable(directory)  # after the names were found good: a refusal leaves nothing
    for number, step in enumerate(steps, start=1):
        out.print(f"[bold]{number}/{len(steps)} {step.name}[/bold]")
        outcome = run_step(step, directory / "steps")
        when = "unchanged, took" if outcome.skipped else "took"
        out.print(f"    {outcome.note} ({when} {outcome.seconds:.0f} s)", markup=False)
    report = write_report(Workspace(directory))
    print_summary(report)
    page = Workspace(directory).report_html
    out.print(f"{time.monotonic() - start:.0f} s in all; report: {page}", markup=False)
    return report


def demonstration_steps(directory: Path, preset: str, board: str, frames: int) -> Sequence[Step]:
    """Return the steps of a demonstration in ``directory``."""
    chosen = find_preset(preset)
    from .boards.board import board as find_board

    find_board(board)  # an unknown one is refused before anything is trained
    return (
        *_training_steps(directory, chosen),
        _export_step(directory),
        *_hardware_steps(directory, board, frames),
    )


def _training_steps(directory: Path, chosen: Preset) -> tuple[Step, Step]:
    data = load_data(chosen.data)
    model, recipe = settled(chosen, data, {})
    if not isinstance(model, VitConfig) or not isinstance(recipe, TrainConfig):
        raise UsageError("The demonstration needs a vision transformer: give a preset of one")
    training = directory / "training"
    options = {
        "model": model.to_dict(),
        "train": recipe.to_dict(),
        "data": data.fingerprint,
    }

    def twin() -> str:
        record = train_twin(model, recipe, data, training)
        return f"{record['accuracy']:.2%} with learning rate {record['lr']:g}"

    def network() -> str:
        result = train_network(model, recipe, data, training)
        return f"{result.test_accuracy:.2%} on {len(data.test_labels)} held-out images"

    return (
        Step(
            name="train the float twin",
            work=twin,
            outputs=(training / TWIN_RECORD, training / "twin"),
            options=options | {"rates": TWIN_RATES},
            code=("model",),
        ),
        Step(
            name="train the network",
            work=network,
            outputs=tuple(
                training / name for name in ("checkpoint.safetensors", "curve.csv", "curve.png")
            ),
            options=options,
            code=("model",),
        ),
    )


def _export_step(directory: Path) -> Step:
    checkpoint = directory / "training" / "checkpoint.safetensors"
    network_file = Workspace(directory).network_file

    def export() -> str:
        _, equality = export_network(checkpoint, network_file)
        assert equality is not None  # a preset's data are known
        return f"golden == torch: {equality.integers} integers of {equality.inputs} images"

    return Step(
        name="export the network",
        work=export,
        outputs=(network_file,),
        inputs=(checkpoint, directory / "training" / TWIN_RECORD),
        code=("model",),
    )


def _hardware_steps(directory: Path, board: str, frames: int) -> tuple[Step, ...]:
    workspace = Workspace(directory)
    made = (workspace.top, workspace.plan_file)

    def generate() -> str:
        generate_verilog(workspace.network_file, board, directory)
        lines = workspace.top.read_bytes().count(b"\n")
        return f"{lines} lines of Verilog"

    def simulate() -> str:
        record = simulate_frames(workspace, frames)
        return (
            "RTL == golden: {integers} integers of {frames} images, {cycles} cycles each"
        ).format(**record)

    def build() -> str:
        result = build_bitstream(workspace)
        return f"{result.resources['lut4']} LUT4, {result.timing['fmax_mhz']} MHz"

    return (
        Step(
            name="generate the Verilog",
            work=generate,
            outputs=(*made, workspace.program),
            inputs=(workspace.network_file,),
            options={"board": board},
            code=("model", "hdl", "boards"),
        ),
        Step(
            name="simulate the Verilog",
            work=simulate,
            outputs=(workspace.simulation,),
            inputs=(workspace.network_file, *made),
            options={"frames": frames},
            code=("model", "sim"),
        ),
        Step(
            name="build the bitstream",
            work=build,
            outputs=(workspace.build, directory / Path(board).stem),
            inputs=made,
            options={"board": board},
            code=("boards",),
        ),
        Step(
            name="ask the virtual board",
            work=lambda: _ask_virtual(workspace),
            outputs=(workspace.answers,),
            inputs=(workspace.network_file, *made),
            code=("model", "sim", "boards"),
        ),
    )


def _ask_virtual(workspace: Workspace) -> str:
    network = workspace.network()
    data = family_of(network).held_out(network)
    images, labels = data.test_images[:VIRTUAL_IMAGES], data.test_labels[:VIRTUAL_IMAGES]
    with (
        notes.status("Waiting for the virtual board"),
        connected(workspace, network, None) as board,
    ):
        answers = list(ask(board, network, images))
    wrong = sum(not answer.exact for answer in answers)
    if wrong:
        raise NotEqual(f"{wrong} of {len(answers)} answers differ from the golden run")
    record = {
        "verilog": workspace.digest(),
        "images": len(answers),
        "mismatches": wrong,
        "cycles": max(answer.cycles for answer in answers),
    }
    workspace.write(workspace.answers, record)
    right = sum(int(a.class_index == label) for a, label in zip(answers, labels, strict=True))
    return f"{len(answers)} answers like the golden run's, {right} of them right"
