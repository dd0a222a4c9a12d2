"""From a weightless classifier and a plan to the files of a build directory."""

from importlib.metadata import version
from pathlib import Path

from ..model.weightless_classifier import WeightlessClassifier
from .build_files import emit_design, write_design
from .classifier_core import ClassifierCore
from .classifier_engine import ClassifierEngine, classifier_engine
from .classifier_plan import ClassifierPlan

__all__ = ["generate_classifier"]


def generate_classifier(
    network: WeightlessClassifier, plan: ClassifierPlan, directory: Path, *, core: bool = False
) -> Path:
    """Write ``top.v`` (or ``core.v``), ``plan.json`` and ``network.safetensors``.

    In ``top.v`` the module ``lutformer_core`` has streams of bytes, and ``lutformer_top`` is that
    core behind a serial link. In ``core.v`` it has streams of whole samples and results, to be
    instantiated in other designs. The same network, plan and version give the same bytes.

    Returns
    -------
    Path
        The Verilog file.

    Raises
    ------
    LutformerError
        If the directory cannot be written.
    """
    component = classifier_engine(network, plan) if core else ClassifierCore(network, plan)
    header = _header(network, plan, component)
    text = emit_design(component, network, plan, core=core)
    return write_design(directory, network, plan, header + text, core=core)


def _header(
    network: WeightlessClassifier,
    plan: ClassifierPlan,
    component: ClassifierEngine | ClassifierCore,
) -> str:
    fields = " ".join(f"{name}={value}" for name, value in plan.model_dump().items())
    word = f"{'signed' if network.encoder.signed else 'unsigned'} {network.encoder.bits}-bit"
    layers = " + ".join(str(layer.luts) for layer in network.layers)
    return (
        f"// lutformer {version('lutformer')}: a weightless classifier\n"
        f"// network  {network.hash}\n"
        f"//          {network.encoder.features} {word} words, {layers} lookup tables, "
        f"{network.classes} classes\n"
        f"// plan     {fields}\n"
        f"// latency  {component.latency} cycles\n"
        "// licence  the generated circuit is yours; its generator is Apache-2.0\n\n"
    )
