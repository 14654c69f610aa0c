"""Every contract, met by cases: the plugin makes one item of each family, subject and mode."""

from dataclasses import replace

from conformance import (
    documentation_cases,
    graph_cases,
    literal_cases,
    program_cases,
    regression_cases,
    thread_cases,
)
from conformance.contract import CATALOGUE
from conformance.contracts import (
    article,
    article_tape,
    documentation,
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
    documentation,
)

graph = graph_cases.GRAPHS
regression = regression_cases.REGRESSIONS
literal = literal_cases.LITERALS
program = program_cases.PROGRAMS
thread = thread_cases.THREADS
example = documentation_cases.EXAMPLES
docstring = documentation_cases.DOCSTRINGS
citation = replace(
    documentation_cases.CITATIONS,
    subjects=documentation_cases.cited_symbols(CATALOGUE.values()),
)
