"""Every op of the catalogue is called in every way that its entry can reach.

What an entry can reach is derived from what it asks for and from the signature of the function that
it calls; what it leaves out on purpose has its reason here.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import partial, reduce
from operator import eq

import pytest

from conformance.boundary import tensorflow, version
from strategies import dtypes
from strategies.drawing import _main_dtypes
from strategies.ops import CATALOGUE
from strategies.ops.spec import Op
from tests.finding import reaches
from tests.op_reach import Reach

CHANNELS = "kernels for a CPU want the channels last"
STATIC = "it says again what the operands say"
NEWER = "the oldest versions have no such parameter"
DENSE = "it says how to compute, not what"
FIXED = "the name of the entry says it"
WANTED = "the op takes no other"
ONE = "another is as good"

LEFT_OUT: dict[tuple[str, str], str] = {
    ("*", "data_format given"): CHANNELS,
    ("*", "* anything but 'NHWC'"): CHANNELS,
    ("*", "layout given"): "of tensors that are spread over devices",
    ("*", "bad_indices_policy given"): NEWER,
    ("*", "*: integers of int32"): WANTED,  # indices and shapes of sparse tensors are int64
    ("*", "padding left out"): "it must be given, or has the wrong default",
    ("tf.*s_like", "dtype given"): "its derivative is zero in every dtype",
    ("tf.argsort", "stable given"): DENSE,
    ("tf.math.l2_normalize", "axis left out"): "it must be given; `dim` is its old name",
    ("tf.math.l2_normalize", "dim given"): "the old name of `axis`",
    ("tf.nn.moments", "shift given"): "it has no effect",
    ("tf.nn.sigmoid_cross_entropy_with_logits", "* left out"): "both must be given",
    ("tf.where", "? left out"): "of one operand it says where, in integers",
    ("tf.concat", "1: integers of int64"): "of one tensor it is refused",
    ("tf.split", "num given"): STATIC,
    ("tf.split", "axis: integers of int64"): WANTED,
    ("tf.math.top_k", "index_type given"): NEWER,
    (
        "tf.math.cumulative_logsumexp",
        "exclusive given",
    ): "it starts with the lowest number there is, which no sum survives",
    ("tf.linalg.mat*", "?_is_sparse given"): DENSE,
    ("tf.linalg.matmul", "output_type given"): "of integers",
    ("tf.linalg.matmul", "grad_? given"): "TensorFlow gives them itself",
    ("tf.gather", "validate_indices given"): "it is deprecated and has no effect",
    ("tf.one_hot", "*_value given"): "the entry of their names gives them",
    ("tf.one_hot(on_value, off_value)", "*_value left out"): FIXED,
    ("tf.one_hot(on_value, off_value)", "dtype given"): "it is that of the values",
    ("tf.nn.silu(x, beta)", "beta left out"): FIXED,
    ("*(no place)", "*: anything but *"): "places are found, or the process dies",
    ("tf.math.bincount", "weights left out"): "without them it counts, in integers",
    ("tf.math.bincount", "*length left out"): "the size would hang on the numbers",
    ("tf.math.bincount", "dtype given"): "the dtype is that of the weights",
    ("tf.math.bincount", "axis given"): "there it has had no gradient in any version",
    ("tf.math.bincount", "binary_output given"): "it leaves the weights out of account",
    ("tf.one_hot", "dtype left out"): "what is differentiated has the dtype of the graph",
    ("tf.*conv*", "dilations given"): "kernels for a CPU want no gaps, or other entries have them",
    ("tf.raw_ops.Conv*", "dilations given"): "kernels for a CPU want no gaps",
    ("tf.raw_ops.Conv2DBackpropFilter", "use_cudnn_on_gpu given"): DENSE,
    ("tf.raw_ops.Conv2DBackpropFilter", "explicit_paddings given"): "tf.nn.conv2d has them",
    ("tf.raw_ops.Conv3D(centred)", "*: anything but *"): FIXED,
    ("tf.nn.fractional_*_pool", "seed*"): "without one each run would be another",
    ("tf.math.approx_max_k", "* given"): "on a CPU nothing is approximated",
    ("tf.compat.v1.nn.fused_batch_norm", "* given"): "tf.raw_ops.FusedBatchNorm has them",
    ("tf.image.resize", "preserve_aspect_ratio given"): "it gives another size",
    ("tf.math.accumulate_n", "* given"): STATIC,
    ("tf.linalg.tridiagonal_*", "diagonals_format*"): "each format is an entry",
    ("tf.signal.*(fewer)", "fft_length left out"): FIXED,
    ("tf.sparse.segment_*", "sparse_gradient given"): "the entries with slices give it",
    ("tf.reverse_sequence", "*_axis left out"): "the axes must differ, and both defaults are 0",
    ("tf.dynamic_partition", "1: integers of int64"): WANTED,
    ("tf.TensorArray.concat", "2: integers of int64"): WANTED,
    ("tf.raw_ops.TensorList*", "1: integers of int64"): WANTED,
    ("tf.raw_ops.TensorListConcatV2", "3: anything but *"): "no element is without a tensor",
    (
        "tf.raw_ops.TensorStridedSliceUpdate",
        "ellipsis_mask given",
    ): "the other masks say what it would",
    ("tf.linalg.diag*", "*"): "tf.linalg.set_diag and the second versions take several diagonals",
    ("tf.image.crop_and_resize", "method given"): "the other method is an entry",
    ("tf.image.crop_and_resize(nearest)", "method*"): FIXED,
    ("tf.sort(no columns)", "*given"): "there is nothing to sort",
    ("tf.raw_ops.ImageProjective*", "fill_mode given"): "the other ways to fill are an entry",
    ("tf.raw_ops.ImageProjectiveTransformV3(filled)", "fill_mode left out"): FIXED,
    ("tf.raw_ops.ImageProjective*", "fill_value: anything but 0.0"): "it is not differentiated",
    ("tf.raw_ops.Print", "*"): "what is printed is not differentiated",
    ("tf.raw_ops.PreventGradient", "message*"): "it is part of the error alone",
    (
        "tf.while_loop*",
        "maximum_iterations: anything but 3",
    ): "XLA wants a limit, beyond which no loop goes",
    ("tf.TensorArray.gather", "clear_after_read: anything but False"): "it is read twice",
    ("tf.nn.*_to_*", "1: anything but 2"): ONE,
    ("tf.raw_ops.*ToBatch", "block_size: anything but 2"): ONE,
    ("tf.raw_ops.*ToSpace", "block_size: anything but 2"): ONE,
    ("tf.raw_ops.DebugIdentityV2", "* given"): "it is for the debugger to say",
}
"""Why an edge is left out, by patterns of the entry and of the edge."""


def missing(op: Op) -> list[str]:
    """The edges that an entry might reach and does not."""
    reach = Reach(op)
    found = list(reach.missing())
    if "{" not in op.call:  # a template is no function, and has no signature
        function = reduce(getattr, op.call.split(".")[1:], tensorflow())
        found += reach.never_given(function)
    return found


def test_an_op_is_called_in_every_way_that_its_entry_can_reach() -> None:
    """Ranks, tensors without elements and of one, broadcasting, axes, and every parameter.

    Each argument has several values, and each optional parameter is given and left out.
    """
    ops = [op for op in CATALOGUE.values() if op.since <= version(tensorflow())]
    used: set[tuple[str, str]] = set()
    unexplained: dict[str, list[str]] = {}
    for op in ops:
        for edge in missing(op):
            why = {k for k in LEFT_OUT if fnmatchcase(op.name, k[0]) and fnmatchcase(edge, k[1])}
            used |= why
            if not why:
                unexplained.setdefault(op.name, []).append(edge)

    assert unexplained == {}
    assert {key for key in LEFT_OUT.keys() - used if LEFT_OUT[key] != NEWER} == set()


@pytest.mark.parametrize("subject", CATALOGUE)
def test_graphs_about_an_op_have_each_of_its_dtypes(subject: str) -> None:
    """One that is declared and never drawn would be tested by nobody."""
    allowed = CATALOGUE[subject].dtypes
    drawn = _main_dtypes(allowed, dtypes.DIFFERENTIABLE)

    assert all(reaches(drawn, partial(eq, dtype)) for dtype in allowed)
