"""Every contract, met by cases: the plugin makes one item of each family, subject and mode."""

from conformance import graph_cases, literal_cases, program_cases, regression_cases, thread_cases
from conformance.contracts import (
    article,
    article_tape,
    forward_mode,
    lower_precision,
    mutability,
    programs,
    threads,
    unconnected,
    values,
    watching,
)

CHAPTERS = (
    watching,
    unconnected,
    values,
    forward_mode,
    lower_precision,
    mutability,
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
