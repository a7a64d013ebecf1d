// Where all blocks of a grid meet. They must be on the device at once.
#pragma once

// What any thread wrote before is seen by all threads after. met counts arrivals, from 0 on, over any number of launches.
__device__ __forceinline__ void grid_barrier(unsigned long long *met) {
    __syncthreads();
    if (gridDim.x == 1) return;
    if (threadIdx.x == 0) {
        __threadfence();
        const unsigned long long blocks = gridDim.x, all = atomicAdd(met, 1ull) / blocks * blocks + blocks;
        while (*reinterpret_cast<volatile unsigned long long *>(met) < all) __nanosleep(20);
        __threadfence();
    }
    __syncthreads();
}
