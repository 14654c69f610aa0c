"""Every contract, met by cases: the plugin makes one item of each family, subject and mode."""

from dataclasses import replace

from conformance import (
    documentation_cases,
    graph_cases,
    jacobian_cases,
    literal_cases,
    process_cases,
    program_cases,
    regression_cases,
    scene_cases,
    second_order_cases,
    special_cases,
    thread_cases,
)
from conformance.contract import CATALOGUE
from conformance.contracts import (
    article,
    article_tape,
    batch_jacobians,
    checkers,
    composites,
    control_flow,
    cotangents,
    custom_functions,
    custom_gradients,
    custom_nesting,
    distribution,
    documentation,
    dtypes,
    forward_mode,
    forward_nesting,
    functions,
    jacobian_graphs,
    jacobian_loops,
    jacobians,
    keras2_optimizers,
    layers,
    lower_precision,
    mutability,
    nesting,
    numerics,
    optimizers,
    output_gradients,
    persistence,
    processes,
    programs,
    recording,
    registrations,
    second_order,
    special_values,
    state,
    stops,
    structures,
    symbolic,
    targets,
    threads,
    unconnected,
    values,
    variables,
    watching,
)

CHAPTERS = (
    watching,
    variables,
    layers,
    unconnected,
    structures,
    symbolic,
    persistence,
    recording,
    nesting,
    jacobians,
    jacobian_loops,
    batch_jacobians,
    jacobian_graphs,
    values,
    special_values,
    cotangents,
    forward_mode,
    second_order,
    forward_nesting,
    lower_precision,
    dtypes,
    output_gradients,
    targets,
    state,
    control_flow,
    functions,
    composites,
    custom_gradients,
    custom_nesting,
    custom_functions,
    stops,
    registrations,
    mutability,
    optimizers,
    keras2_optimizers,
    numerics,
    distribution,
    checkers,
    programs,
    threads,
    processes,
    article,
    article_tape,
    documentation,
)

graph = graph_cases.GRAPHS
second_order_graph = second_order_cases.SECOND_ORDER
special = special_cases.SPECIAL_VALUES
jacobian_graph = jacobian_cases.JACOBIANS
regression = regression_cases.REGRESSIONS
literal = literal_cases.LITERALS
program = program_cases.PROGRAMS
thread = thread_cases.THREADS
process = process_cases.PROCESSES
scene = scene_cases.SCENES
example = documentation_cases.EXAMPLES
docstring = documentation_cases.DOCSTRINGS
citation = replace(
    documentation_cases.CITATIONS,
    subjects=documentation_cases.cited_symbols(CATALOGUE.values()),
)
