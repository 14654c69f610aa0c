"""Graphs of elementwise ops on tensors of one given size: what a benchmark needs."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from strategies.drawing import GraphBuilder
from strategies.graphs import Graph
from strategies.ops import CATALOGUE
from strategies.ops.site import Draw, Site
from strategies.shapes import Shape
from strategies.tensors import Value
from strategies.values import REAL, Domain

SMOOTH: Final = (
    "tf.math.add",
    "tf.math.multiply",
    "tf.math.subtract",
    "tf.math.sin",
    "tf.math.tanh",
    "tf.math.sigmoid",
    "tf.math.atan",
    "tf.math.negative",
)
"""Elementwise ops that every float takes and that are smooth everywhere."""


class _SizedSite(Site):
    """A site whose operands all have one shape."""

    shape: Shape = ()

    def operand(self, *, domain: Domain = REAL, **_: Any) -> Value:
        """What the graph has already, where it fits, or a fresh input of the one shape."""
        known = [v for v in reversed(self._values) if domain.admits(v.bounds)]
        chosen = self._choose(known, (self.shape,), "operand")
        return chosen if isinstance(chosen, Value) else self.input(self.dtype, chosen, domain)

    def partner(self, value: Value, domain: Domain = REAL) -> Value:  # noqa: ARG002 - all fit
        """Any operand, as all have one shape."""
        return self.operand(domain=domain)


@st.composite
def sized_graphs(draw: Draw, size: int, nodes: int) -> Graph:
    """float64 graphs of so many elementwise ops on vectors of so many elements."""
    site = type("_SizedSite", (_SizedSite,), {"shape": (size,)})
    graph = GraphBuilder(draw, "float64", subject=None, site=site)
    for _ in range(nodes):
        graph.apply(CATALOGUE[draw(st.sampled_from(SMOOTH), "op")], draw)
    return graph.finish(more_outputs=False)
