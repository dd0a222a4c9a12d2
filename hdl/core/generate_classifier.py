"""From a weightless classifier and a plan to the files of a build directory."""

from pathlib import Path

from ...model.network.weightless_classifier import WeightlessClassifier
from ..classifier.classifier_core import ClassifierCore
from ..classifier.classifier_engine import ClassifierEngine, classifier_engine
from ..plan.classifier_plan import ClassifierPlan
from .build_files import emit_design, header, write_design
from .core_files import core_files

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
    head = _header(network, plan, component)
    text = head + emit_design(component, network, plan, core=core)
    more = core_files(component, network, plan, head) if core else {}
    return write_design(directory, network, plan, text, core=core, more=more)


def _header(
    network: WeightlessClassifier,
    plan: ClassifierPlan,
    component: ClassifierEngine | ClassifierCore,
) -> str:
    word = f"{'signed' if network.encoder.signed else 'unsigned'} {network.encoder.bits}-bit"
    layers = " + ".join(str(layer.luts) for layer in network.layers)
    shape = (
        f"{network.encoder.features} {word} words, {layers} lookup tables, "
        f"{network.classes} classes"
    )
    latency = f"latency  {component.latency} cycles"
    return header("a weightless classifier", shape, network, plan, latency)
