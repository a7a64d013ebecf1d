"""Every kernel compiles for every architecture, without a GPU, and no registers are spilled."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpu.compile_gate import ARCHITECTURES, check
from gpu.kernel import KernelSource, source_names
from market.errors import Fatal

pytest.importorskip("cupy", reason="the compile gate needs the extra gpu")

WITHOUT_SPILLS = """
extern "C" __global__ void copy(const int *values, int *out) {
    __shared__ int room[64];
    room[threadIdx.x] = values[threadIdx.x];
    __syncthreads();
    out[threadIdx.x] = room[63 - threadIdx.x];
}
"""


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", source_names())
def test_every_kernel_compiles_without_spills(name: str, architecture: int) -> None:
    source = KernelSource.named(name)
    resources = check(source, architecture)
    assert {one.kernel for one in resources} == set(source.prototypes)
    assert [one for one in resources if one.spills] == []


def test_the_gate_says_what_a_kernel_takes(tmp_path: Path) -> None:
    path = tmp_path / "copy.cu"
    path.write_text(WITHOUT_SPILLS, encoding="utf-8")
    (copy,) = check(KernelSource(path), 90)
    assert (copy.kernel, copy.architecture, copy.shared_bytes, copy.stack_bytes) == ("copy", 90, 256, 0)
    assert 0 < copy.registers < 32


def test_spilled_registers_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "spill.cu"
    path.write_text(
        """
extern "C" __global__ void __launch_bounds__(1024) spill(const double *values, double *out) {
    double kept[96];
    for (int i = 0; i < 96; ++i) kept[i] = values[threadIdx.x + 1024 * i];
    __syncthreads();
    for (int i = 0; i < 96; ++i) out[threadIdx.x + 1024 * i] = kept[i] * kept[95 - i];
}
""",
        encoding="utf-8",
    )
    (spill,) = check(KernelSource(path), 90)
    assert spill.spills or spill.stack_bytes > 0


def test_a_source_that_does_not_compile_is_told_with_the_compilers_words(tmp_path: Path) -> None:
    path = tmp_path / "broken.cu"
    path.write_text('extern "C" __global__ void broken(int *out) { out[0] = nowhere; }', encoding="utf-8")
    with pytest.raises(Fatal, match=r'broken\.cu does not compile for sm_90:\n(.|\n)*"nowhere" is undefined'):
        check(KernelSource(path), 90)
