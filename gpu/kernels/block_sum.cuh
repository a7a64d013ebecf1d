// Sums over the threads of a block, added to totals of the whole grid.
#pragma once

// Adds every thread's numbers to totals[0..COUNT-1]; room is [warps of the block, COUNT]. All threads of the block call
// it once, as the last thing that they do.
template <int COUNT>
__device__ __forceinline__ void add_block_sums(unsigned long long *mine, unsigned long long (*room)[COUNT],
                                               unsigned long long *totals) {
    const int lanes = 32, lane = threadIdx.x % lanes, warp = threadIdx.x / lanes;
    for (int word = 0; word < COUNT; ++word) {
        for (int distance = lanes / 2; distance > 0; distance /= 2)
            mine[word] += __shfl_down_sync(0xffffffffu, mine[word], distance);
        if (lane == 0) room[warp][word] = mine[word];
    }
    __syncthreads();
    if (threadIdx.x >= COUNT) return;
    unsigned long long total = 0;
    for (unsigned other = 0; other < blockDim.x / lanes; ++other) total += room[other][threadIdx.x];
    atomicAdd(&totals[threadIdx.x], total);
}
