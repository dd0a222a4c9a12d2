"""A graph of lookup tables as signals and registers."""

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Signal, Value

from .fabric import Fabric
from .graph import ONE, ZERO, LutGraph

__all__ = ["connect_graph"]


def connect_graph(
    m: Module,
    graph: LutGraph,
    inputs: Sequence[Value],
    roots: Sequence[int],
    *,
    stage: Sequence[int],
    stages: int,
    step: Value,
    fabric: Fabric,
) -> list[Value]:
    """Add the tables of ``graph`` and registers between its stages; return the roots' values.

    Registers move when ``step`` is high.

    Parameters
    ----------
    stage, stages
        As :func:`.lut_schedule.schedule` places the nodes; roots come after the last stage.
    """
    values: dict[tuple[int, int], Value] = {}
    registers: list[tuple[Signal, Value]] = []

    def at(node: int, wanted: int) -> Value:
        """Return the value of a node in a stage, through registers behind its own."""
        if node in (ZERO, ONE):
            return Const(node, 1)
        if (node, wanted) not in values:
            delayed = Signal(name=f"n{node}_{wanted}", reset_less=True)
            registers.append((delayed, at(node, wanted - 1)))
            values[node, wanted] = delayed
        return values[node, wanted]

    for node, value in zip(graph.inputs, inputs, strict=True):
        values[node, 0] = value
    for node, (sources, table) in enumerate(zip(graph.sources, graph.tables, strict=True)):
        if sources:
            output = Signal(name=f"n{node}")
            inputs = [at(source, stage[node]) for source in sources]
            m.submodules[f"lut{node}"] = fabric.instance(table, inputs, output)
            values[node, stage[node]] = output
    outputs = [at(root, stages) for root in roots]
    with m.If(step):  # once for all: Amaranth takes its time over each
        m.d.sync += [delayed.eq(value) for delayed, value in registers]
    return outputs
