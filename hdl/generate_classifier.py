"""From a weightless classifier and a plan to the files of a build directory."""

from importlib.metadata import version
from pathlib import Path

from lutformer.errors import LutformerError

from ..model.files import write_whole
from ..model.network_file import save_network
from ..model.weightless_classifier import WeightlessClassifier as Network
from .classifier_plan import ClassifierPlan
from .verilog import emit
from .weightless_classifier import WeightlessClassifier

__all__ = ["generate_classifier"]


def generate_classifier(network: Network, plan: ClassifierPlan, directory: Path) -> Path:
    """Write ``core.v``, ``plan.json`` and ``network.safetensors``; return the Verilog file.

    ``core.v`` holds the module ``lutformer_core``: a stream of samples in, a stream of classes and
    counts out. The same network, plan and version give the same bytes.

    Raises
    ------
    LutformerError
        If the directory cannot be written.
    """
    component = WeightlessClassifier(network, plan)
    text = _header(component) + emit(component, top="lutformer_core")
    verilog = directory / "core.v"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        save_network(network, directory / "network.safetensors")
        write_whole(directory / "plan.json", (plan.model_dump_json(indent=2) + "\n").encode())
        write_whole(verilog, text.encode())
    except OSError as error:
        raise LutformerError(
            f"{directory} cannot be written ({error.strerror}); choose another with -o"
        ) from error
    return verilog


def _header(component: WeightlessClassifier) -> str:
    network, plan = component.network, component.plan
    fields = " ".join(f"{name}={value}" for name, value in plan.model_dump().items())
    word = f"{'signed' if network.encoder.signed else 'unsigned'} {network.encoder.bits}-bit"
    layers = " + ".join(str(layer.luts) for layer in network.layers)
    return (
        f"// lutformer {version('lutformer')}: a weightless classifier\n"
        f"// network  {network.hash}\n"
        f"//          {network.encoder.features} {word} words, {layers} lookup tables, "
        f"{network.classes} classes\n"
        f"// plan     {fields}\n"
        f"// latency  {component.latency} cycles, one sample a cycle\n"
        "// licence  the generated circuit is yours; its generator is Apache-2.0\n\n"
    )
