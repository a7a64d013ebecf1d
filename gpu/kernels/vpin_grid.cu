// What a grid of VPIN parameters takes beside the buckets of vpin.cu: sides by the tick rule, and what followed each
// rise of VPIN into its top part. Integers, so that every implementation agrees to the bit. Meaning: gpu/vpin_grid.py.
#include "block_sum.cuh"
#include "portable.cuh"

namespace {

const int WARP = 32;
const int BLOCK = 256;         // threads of every block here
const int WARPS = BLOCK / WARP;
const int ITEMS = 8;           // trades of a thread
const int TILE = BLOCK * ITEMS;
const unsigned ALL = 0xffffffffu;
const int NONE = 0, BOUGHT = 1, SOLD = 2;

__device__ __forceinline__ int change_side(const long long *prices, long long row, long long price_before) {
    const long long price = prices[row], last = row == 0 ? price_before : prices[row - 1];
    if (last == 0 || price == last) return NONE;
    return price > last ? BOUGHT : SOLD;
}

// The newest known side up to this thread within its block, or what was carried in; ``after`` becomes that of the whole
// block. Calls of one thread alternate between two rows of room, so that one barrier is enough.
__device__ __forceinline__ int newest_side(int side, int carried, int *warp_sides, int *after) {
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const unsigned known = __ballot_sync(ALL, side != NONE);
    const unsigned until = known & (ALL >> (WARP - 1 - lane));
    const int place = until == 0 ? lane : WARP - 1 - __clz((int)until);
    const int last = known == 0 ? lane : WARP - 1 - __clz((int)known);
    int newest = __shfl_sync(ALL, side, place);
    const int of_warp = __shfl_sync(ALL, side, last);
    if (lane == 0) warp_sides[warp] = known == 0 ? NONE : of_warp;
    __syncthreads();
    int before = carried, all = carried;
    for (int other = 0; other < WARPS; ++other) {
        const int theirs = warp_sides[other];
        if (theirs != NONE && other < warp) before = theirs;
        if (theirs != NONE) all = theirs;
    }
    *after = all;
    return until == 0 ? before : newest;
}

}  // namespace

// The side of the last change of price in every tile, 0 without a change. ``price_before``: 0 for none.
extern "C" __global__ void tick_tiles(const long long *prices, long long count, long long price_before, int *lasts) {
    __shared__ int newest;
    if (threadIdx.x == 0) newest = 0;
    __syncthreads();
    const long long start = (long long)blockIdx.x * TILE;
    int mine = 0;
    for (int item = 0; item < ITEMS; ++item) {
        const int place = item * BLOCK + threadIdx.x;
        if (start + place < count) {
            const int side = change_side(prices, start + place, price_before);
            if (side != NONE) mine = 4 * (place + 1) + side;
        }
    }
    atomicMax(&newest, mine);
    __syncthreads();
    if (threadIdx.x == 0) lasts[blockIdx.x] = newest % 4;
}

// The side that every tile starts with, from the tiles' last sides and that before the first. One block.
extern "C" __global__ void tick_carries(const int *lasts, long long tiles, int side_before, int *carries) {
    __shared__ int warp_sides[2][WARPS];
    int carried = side_before, row = 0;
    for (long long first = 0; first < tiles; first += BLOCK) {
        const long long tile = first + threadIdx.x;
        int after;
        // A tile starts with what the one before it ended with.
        const int side = tile > 0 && tile < tiles ? lasts[tile - 1] : NONE;
        const int newest = newest_side(side, carried, warp_sides[row], &after);
        if (tile < tiles) carries[tile] = newest;
        carried = after;
        row ^= 1;
    }
}

// Sides by the tick rule: after a rise bought, after a fall sold; an equal price keeps the side.
extern "C" __global__ void tick_rule(const long long *prices, long long count, long long price_before,
                                     const int *carries, signed char *sides) {
    __shared__ int warp_sides[2][WARPS];
    const long long start = (long long)blockIdx.x * TILE;
    int carried = carries[blockIdx.x];
    for (int item = 0; item < ITEMS; ++item) {
        const long long row = start + item * BLOCK + threadIdx.x;
        const int side = row < count ? change_side(prices, row, price_before) : NONE;
        int after;
        const int newest = newest_side(side, carried, warp_sides[item & 1], &after);
        if (row < count) sides[row] = (signed char)newest;
        carried = after;
    }
}

// What followed rises of VPIN into its top part, added to sums[thresholds, 4]: how often it rose to a threshold, how
// often what followed is known, the sum of what followed, and how often that was at most the usual. grid.y is the
// threshold; VPIN is known from row ``first`` on, and a change below 0 is not known.
extern "C" __global__ void entry_sums(const double *vpin, const long long *changes, long long first, long long count,
                                      const double *thresholds, long long usual, unsigned long long *sums) {
    __shared__ unsigned long long warp_sums[WARPS][4];
    const double threshold = thresholds[blockIdx.y];
    const long long step = (long long)gridDim.x * BLOCK;
    unsigned long long mine[4] = {0, 0, 0, 0};
    for (long long row = first + 1 + (long long)blockIdx.x * BLOCK + threadIdx.x; row < count; row += step) {
        if (vpin[row] < threshold || vpin[row - 1] >= threshold) continue;
        ++mine[0];
        const long long change = changes[row];
        if (change < 0) continue;
        ++mine[1];
        mine[2] += (unsigned long long)change;
        mine[3] += change <= usual;
    }
    add_block_sums(mine, warp_sums, &sums[4 * blockIdx.y]);
}
