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
from strategies.ops import segments
from strategies.ops import placing
from strategies.ops import control_flow
from strategies.ops import lists
from strategies.ops import sparse
from strategies.ops import csr
from strategies.ops import ragged
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
    segments,
    placing,
    control_flow,
    lists,
    sparse,
    csr,
    ragged,
)
"""The modules whose import fills the catalogue."""

__all__ = ["CATALOGUE", "MODULES", "Op"]
