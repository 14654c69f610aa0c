"""Every contract, met by cases: the plugin makes one item of each family, subject and mode."""

from conformance import (
    graph_cases,
    literal_cases,
    program_cases,
    regression_cases,
    scene_cases,
    thread_cases,
)
from conformance.contracts import (
    article,
    article_tape,
    checkers,
    composites,
    control_flow,
    custom_gradients,
    distribution,
    dtypes,
    forward_mode,
    forward_nesting,
    functions,
    jacobians,
    lower_precision,
    mutability,
    nesting,
    numerics,
    optimizers,
    output_gradients,
    persistence,
    programs,
    recording,
    state,
    structures,
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
    unconnected,
    structures,
    persistence,
    recording,
    nesting,
    jacobians,
    values,
    forward_mode,
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
    mutability,
    optimizers,
    numerics,
    distribution,
    checkers,
    programs,
    threads,
    article,
    article_tape,
)

graph = graph_cases.GRAPHS
regression = regression_cases.REGRESSIONS
literal = literal_cases.LITERALS
program = program_cases.PROGRAMS
thread = thread_cases.THREADS
scene = scene_cases.SCENES
