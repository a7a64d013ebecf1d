"""Signatures are read from the source, and arguments are checked against them before anything runs."""

from __future__ import annotations

import numpy as np
import pytest

from gpu.prototype import prototypes
from market.errors import Fatal, Rejected

SOURCE = """
// extern "C" __global__ void commented(int *out) {}
extern "C" __global__ void __launch_bounds__(256) scale(const float *__restrict__ values, /* n */ long long count,
                                                        float factor, unsigned char *out) {
}
"""


def test_a_kernel_has_its_parameters_in_order_with_types_and_direction() -> None:
    (scale,) = prototypes(SOURCE).values()
    assert scale.name == "scale"
    assert [(p.name, p.dtype.name, p.is_array, p.is_written) for p in scale.parameters] == [
        ("values", "float32", True, False),
        ("count", "int64", False, False),
        ("factor", "float32", False, False),
        ("out", "uint8", True, True),
    ]


def test_a_type_that_no_array_has_is_refused_by_name() -> None:
    with pytest.raises(Fatal, match=r"kernel f: parameter 'struct x \*p' is not of a plain type"):
        prototypes('extern "C" __global__ void f(struct x *p) {}')


GOOD = (np.zeros(3, np.float32), np.int64(3), np.float32(2), np.zeros(3, np.uint8))


@pytest.mark.parametrize(
    ("place", "wrong", "says"),
    [
        (0, np.zeros(3), "argument values of kernel scale: expected float32; got float64"),
        (0, np.float32(1), "argument values of kernel scale: expected an array"),
        (0, np.zeros(6, np.float32)[::2], "argument values of kernel scale: expected a contiguous array"),
        (1, 3, "argument count of kernel scale: expected int64"),
        (2, np.zeros(1, np.float32), "argument factor of kernel scale: expected a scalar, numpy.float32; got ndarray"),
    ],
)
def test_an_argument_that_does_not_fit_is_named(place: int, wrong: object, says: str) -> None:
    (scale,) = prototypes(SOURCE).values()
    scale.check(GOOD)
    arguments = [*GOOD]
    arguments[place] = wrong  # type: ignore[call-overload]
    with pytest.raises(Rejected, match=says):
        scale.check(arguments)


def test_a_missing_argument_is_refused() -> None:
    (scale,) = prototypes(SOURCE).values()
    with pytest.raises(Rejected, match="takes 4 arguments; got 3"):
        scale.check(GOOD[:3])
