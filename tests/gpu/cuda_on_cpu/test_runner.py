"""CUDA sources run on the CPU as a GPU would run them, and their mistakes are found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gpu.cuda_on_cpu.module import CpuModule
from gpu.cuda_on_cpu.schedule import SCHEDULES, Order, Schedule
from gpu.kernel import KernelSource, LaunchShape
from market.errors import Fatal, Rejected

ONE_BLOCK = LaunchShape((1,), (64,))


def compiled(folder: Path, text: str, schedule: Schedule | None = None, **constants: int) -> CpuModule:
    """A source written into a file and compiled."""
    path = folder / "kernels.cu"
    path.write_text(text, encoding="utf-8")
    return CpuModule(KernelSource(path, tuple(constants.items())), schedule)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_threads_see_their_places_and_meet_at_barriers(tmp_path: Path, schedule: Schedule) -> None:
    module = compiled(
        tmp_path,
        """
extern "C" __global__ void mirror(const long long *values, long long *out) {
    __shared__ long long room[6][8];
    const int number = threadIdx.y * blockDim.x + threadIdx.x;
    room[threadIdx.y][threadIdx.x] = values[blockIdx.x * 48 + number];
    __syncthreads();
    out[blockIdx.x * 48 + number] = room[5 - threadIdx.y][7 - threadIdx.x];
}""",
        schedule,
    )
    values = np.arange(144)
    out = np.zeros_like(values)
    module.launch("mirror", LaunchShape((3,), (8, 6)), (values, out))
    assert out.tolist() == values.reshape(3, 48)[:, ::-1].ravel().tolist()


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_shuffles_and_votes_exchange_within_a_warp(tmp_path: Path, schedule: Schedule) -> None:
    module = compiled(
        tmp_path,
        """
extern "C" __global__ void exchange(const double *values, double *sums, unsigned *votes, int *up) {
    double sum = values[threadIdx.x];
    for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
    sums[threadIdx.x] = sum;
    votes[threadIdx.x] = __ballot_sync(0xffffffffu, values[threadIdx.x] > 40.0);
    up[threadIdx.x] = __shfl_up_sync(0xffffffffu, (int)threadIdx.x, 3);
}""",
        schedule,
    )
    values = np.arange(64.0)
    sums, votes, up = np.zeros(64), np.zeros(64, np.uint32), np.zeros(64, np.int32)
    module.launch("exchange", ONE_BLOCK, (values, sums, votes, up))
    assert sums.tolist() == [496.0] * 32 + [1520.0] * 32
    assert votes.tolist() == [0] * 32 + [0xFFFFFE00] * 32
    assert up.tolist() == [max(lane - 3, lane if lane < 3 else 0) + warp for warp in (0, 32) for lane in range(32)]


def test_part_of_a_warp_exchanges_alone(tmp_path: Path) -> None:
    module = compiled(
        tmp_path,
        """
extern "C" __global__ void half(int *out) {
    if (threadIdx.x % 32 < 16) out[threadIdx.x] = __shfl_sync(0x0000ffffu, (int)threadIdx.x, 5);
    else out[threadIdx.x] = __shfl_sync(0xffff0000u, (int)threadIdx.x, 30);
}""",
    )
    out = np.zeros(64, np.int32)
    module.launch("half", ONE_BLOCK, (out,))
    assert out.tolist() == [5] * 16 + [30] * 16 + [37] * 16 + [62] * 16


def test_constants_and_dynamic_shared_memory(tmp_path: Path) -> None:
    module = compiled(
        tmp_path,
        """
extern "C" __global__ void turn(const int *values, int *out) {
    DYN_SHARED(int, room);
    room[threadIdx.x] = FACTOR * values[threadIdx.x];
    __syncthreads();
    out[threadIdx.x] = room[(threadIdx.x + 1) % blockDim.x];
}""",
        FACTOR=3,
    )
    out = np.zeros(64, np.int32)
    module.launch("turn", LaunchShape((1,), (64,), 256), (np.arange(64, dtype=np.int32), out))
    assert out.tolist() == [3 * ((place + 1) % 64) for place in range(64)]


def test_shared_memory_holds_nothing_of_the_block_before(tmp_path: Path) -> None:
    module = compiled(
        tmp_path,
        """
extern "C" __global__ void peek(unsigned *out) {
    __shared__ unsigned room[4];
    if (threadIdx.x == 0) out[blockIdx.x] = room[blockIdx.x];
    room[threadIdx.x % 4] = 1;
}""",
    )
    out = np.zeros(4, np.uint32)
    module.launch("peek", LaunchShape((4,), (4,)), (out,))
    assert out.tolist() == [0x7F7F7F7F] * 4


MISSING_BARRIER = """
extern "C" __global__ void left(const int *values, int *out) {
    __shared__ int room[64];
    room[threadIdx.x] = values[threadIdx.x];
    out[threadIdx.x] = room[(threadIdx.x + 33) % 64];
}"""


def test_a_missing_barrier_is_seen_by_the_greedy_orders(tmp_path: Path) -> None:
    module = compiled(tmp_path, MISSING_BARRIER)
    values = np.arange(64, dtype=np.int32)
    for order in (Order.GREEDY_WARP, Order.GREEDY_WARP_REVERSE):
        module.schedule = Schedule(order)
        out = np.zeros_like(values)
        module.launch("left", ONE_BLOCK, (values, out))
        assert out.tolist() != [(place + 33) % 64 for place in range(64)]


def test_a_divergent_barrier_is_an_error_that_says_where(tmp_path: Path) -> None:
    module = compiled(
        tmp_path,
        """
extern "C" __global__ void half(int *out) {
    if (threadIdx.x < 32)
        __syncthreads();
    else if (threadIdx.x < 63)
        __syncwarp();
    else
        __syncthreads();
    out[0] = 1;
}""",
    )
    with pytest.raises(Fatal, match=r"divergent barrier in block \(0,0,0\): 64 threads .* __syncthreads in line 4"):
        module.launch("half", ONE_BLOCK, (np.zeros(1, np.int32),))


def test_lanes_that_meet_in_different_lines_are_an_error(tmp_path: Path) -> None:
    module = compiled(
        tmp_path,
        """
extern "C" __global__ void apart(int *out) {
    if (threadIdx.x % 2 == 0)
        out[threadIdx.x] = __shfl_sync(0xffffffffu, 1, 0);
    else
        out[threadIdx.x] = __shfl_sync(0xffffffffu, 2, 0);
}""",
    )
    with pytest.raises(Fatal, match=r"a shuffle in line 6: thread 1 .* meets lanes of its warp that wait in another"):
        module.launch("apart", ONE_BLOCK, (np.zeros(64, np.int32),))


def test_a_lane_outside_its_own_mask_is_an_error(tmp_path: Path) -> None:
    module = compiled(tmp_path, 'extern "C" __global__ void alone(int *out) { __syncwarp(0x1u); out[0] = 1; }')
    with pytest.raises(Fatal, match=r"thread 1 of block .* is not in its own mask"):
        module.launch("alone", ONE_BLOCK, (np.zeros(1, np.int32),))


GRID_BARRIER = """
extern "C" __global__ void meet(int *arrived, int *out) {
    __shared__ int mine;
    if (threadIdx.x == 0) {
        mine = blockIdx.x;
        atomicAdd(arrived, 1);
        while (atomicAdd(arrived, 0) < (int)gridDim.x) __nanosleep(20);
    }
    __syncthreads();
    if (threadIdx.x == 1) out[blockIdx.x] = 100 * mine + *arrived;
}"""


@pytest.mark.parametrize("order", list(Order))
def test_interleaved_blocks_wait_for_each_other_and_keep_their_own_shared_memory(tmp_path: Path, order: Order) -> None:
    module = compiled(tmp_path, GRID_BARRIER, Schedule(order, interleaved=True))
    out = np.zeros(5, np.int32)
    module.launch("meet", LaunchShape((5,), (40,)), (np.zeros(1, np.int32), out))
    assert out.tolist() == [5, 105, 205, 305, 405]


def test_blocks_one_after_another_cannot_wait_for_each_other(tmp_path: Path) -> None:
    module = compiled(tmp_path, GRID_BARRIER)
    with pytest.raises(Fatal, match="threads spin for ever"):
        module.launch("meet", LaunchShape((5,), (40,)), (np.zeros(1, np.int32), np.zeros(5, np.int32)))


def test_a_module_works_on_after_a_failed_launch(tmp_path: Path) -> None:
    module = compiled(tmp_path, GRID_BARRIER)
    shape = LaunchShape((2,), (40,))
    with pytest.raises(Fatal):
        module.launch("meet", shape, (np.zeros(1, np.int32), np.zeros(2, np.int32)))
    module.schedule = Schedule(interleaved=True)
    out = np.zeros(2, np.int32)
    module.launch("meet", shape, (np.zeros(1, np.int32), out))
    assert out.tolist() == [2, 102]


def test_what_does_not_compile_or_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match=r"kernels\.cu does not compile for the CPU:\n(.|\n)*kernels\.cu:1:.*nowhere"):
        compiled(tmp_path, 'extern "C" __global__ void broken(int *out) { out[0] = nowhere; }')
    module = compiled(tmp_path, 'extern "C" __global__ void fine(int *out) { out[0] = 1; }')
    with pytest.raises(Fatal, match=r"kernels\.cu has no kernel coarse; it has fine"):
        module.launch("coarse", ONE_BLOCK, ())
    with pytest.raises(Rejected, match="argument out of kernel fine: expected int32; got float64"):
        module.launch("fine", ONE_BLOCK, (np.zeros(1),))
    with pytest.raises(Fatal, match=r"block of \(0,\)"):
        LaunchShape((1,), (0,))


OUT_OF_BOUNDS = """
import sys
from pathlib import Path
import numpy as np
from gpu.cuda_on_cpu.module import CpuModule
from gpu.kernel import KernelSource, LaunchShape
module = CpuModule(KernelSource(Path(sys.argv[1])), sanitized=True)
module.launch(sys.argv[2], LaunchShape((2,), (64,)), (np.zeros(64, np.int32),))
print("nothing found")
"""


@pytest.mark.parametrize("kernel", ["shared", "fine"])
def test_the_address_sanitizer_finds_a_store_beyond_a_shared_array(tmp_path: Path, kernel: str) -> None:
    path = tmp_path / "beyond.cu"
    path.write_text(
        """
extern "C" __global__ void shared(int *out) {
    __shared__ int room[63];
    room[threadIdx.x] = 1;
    out[0] = room[0];
}
extern "C" __global__ void fine(int *out) {
    __shared__ int room[64];
    room[threadIdx.x] = 1;
    __syncthreads();
    out[0] = room[0];
}""",
        encoding="utf-8",
    )
    runtime = subprocess.run(["g++", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_BOUNDS, str(path), kernel],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LD_PRELOAD": runtime.stdout.strip(), "ASAN_OPTIONS": "detect_leaks=0"},
    )
    if kernel == "fine":
        assert done.stdout == "nothing found\n", done.stderr
    else:
        assert done.returncode != 0
        assert "beyond.cu:4" in done.stderr
