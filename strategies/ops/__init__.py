"""The op catalogue: a module a TensorFlow namespace; :mod:`strategies.ops.spec` says how."""

# The order of import is the order of the catalogue: from simple to involved.
# isort: off
from strategies.ops import math
from strategies.ops import nn
from strategies.ops import array
from strategies.ops import reduce
from strategies.ops import linalg
from strategies.ops import indexing
from strategies.ops import conv
from strategies.ops import pool
from strategies.ops import space
from strategies.ops import losses
from strategies.ops import image
from strategies.ops import special
from strategies.ops import decompositions
from strategies.ops import banded
from strategies.ops import signal
from strategies.ops import quantized
# isort: on

from strategies.ops.spec import CATALOGUE, Op

MODULES = (
    math,
    nn,
    array,
    reduce,
    linalg,
    indexing,
    conv,
    pool,
    space,
    losses,
    image,
    special,
    decompositions,
    banded,
    signal,
    quantized,
)
"""The modules whose import fills the catalogue."""

__all__ = ["CATALOGUE", "MODULES", "Op"]
