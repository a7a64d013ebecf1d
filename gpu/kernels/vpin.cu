// Volume buckets and VPIN over one stream of trades: scan once, then gather per bucket size. Integers up to the last
// division, so that every implementation agrees to the bit. Columns and their meaning: gpu/columns.py and gpu/vpin.py.
#include "portable.cuh"

namespace {

const int WARP = 32;
const int BLOCK = 256;         // threads of every block here
const int WARPS = BLOCK / WARP;
const int ITEMS = 8;           // trades of a thread
const int TILE = BLOCK * ITEMS;
const unsigned ALL = 0xffffffffu;
const signed char UNKNOWN = 0, BOUGHT = 1;

struct __align__(16) Sums {  // read and written by one instruction
    long long volume, bought;
};

// Where a tile's trade stands in shared memory. After the trades of each thread is one place more, for the sums before
// them; so neither a warp that takes neighbours nor one whose threads take their own meets a bank twice.
const int PLACES = TILE + BLOCK;
__device__ __forceinline__ int at(int trade) { return trade + trade / ITEMS; }
__device__ __forceinline__ int sums_before(int trade) { return trade / ITEMS * (ITEMS + 1) + ITEMS; }

__device__ __forceinline__ Sums plus(Sums a, Sums b) {
    Sums sums = {a.volume + b.volume, a.bought + b.bought};
    return sums;
}

// Where rows come from: trades with a side each, or bars of which a part was bought.
template <class Quantity> struct TradeRows {
    const Quantity *quantities;
    const signed char *sides;
    __device__ __forceinline__ Sums at(long long row) const {
        const long long quantity = quantities[row];
        Sums sums = {sides[row] == UNKNOWN ? 0 : quantity, sides[row] == BOUGHT ? quantity : 0};
        return sums;
    }
};

struct BarRows {
    const long long *volumes, *bought;
    __device__ __forceinline__ Sums at(long long row) const {
        Sums sums = {volumes[row], bought[row]};
        return sums;
    }
};

// Sums of this thread and all before it in its block; ``before`` becomes the sums of those before it alone.
__device__ __forceinline__ Sums block_scan(Sums mine, Sums *warp_sums, Sums *before) {
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    Sums sums = mine;
    for (int step = 1; step < WARP; step *= 2) {
        Sums other = {__shfl_up_sync(ALL, sums.volume, step), __shfl_up_sync(ALL, sums.bought, step)};
        if (lane >= step) sums = plus(sums, other);
    }
    if (lane == WARP - 1) warp_sums[warp] = sums;
    __syncthreads();
    Sums carried = {0, 0};
    for (int earlier = 0; earlier < warp; ++earlier) carried = plus(carried, warp_sums[earlier]);
    sums = plus(sums, carried);
    before->volume = sums.volume - mine.volume;
    before->bought = sums.bought - mine.bought;
    return sums;
}

template <class Rows>
__device__ __forceinline__ void totals_of_tile(Rows rows, long long count, long long *totals, Sums *warp_sums) {
    const long long start = (long long)blockIdx.x * TILE;
    Sums sums = {0, 0};
    for (int item = 0; item < ITEMS; ++item) {
        const long long index = start + item * BLOCK + threadIdx.x;
        if (index < count) sums = plus(sums, rows.at(index));
    }
    Sums before;
    sums = block_scan(sums, warp_sums, &before);
    if (threadIdx.x == BLOCK - 1) {
        totals[2 * (long long)blockIdx.x] = sums.volume;
        totals[2 * (long long)blockIdx.x + 1] = sums.bought;
    }
}

template <class Rows>
__device__ __forceinline__ void scan_tile(Rows rows, long long count, const long long *starts, long long *volumes,
                                          long long *bought, Sums *warp_sums, Sums *tile) {
    const long long start = (long long)blockIdx.x * TILE;
    // Read across the threads, so that a warp's loads are neighbours; each then scans eight trades in a row.
    for (int item = 0; item < ITEMS; ++item) {
        const int place = item * BLOCK + threadIdx.x;
        const Sums nothing = {0, 0};
        tile[at(place)] = start + place < count ? rows.at(start + place) : nothing;
    }
    __syncthreads();
    Sums sums = {0, 0}, before;
    // Unrolled no further, so that six blocks have registers on a multiprocessor.
#pragma unroll 2
    for (int item = 0; item < ITEMS; ++item) {
        const int place = at(threadIdx.x * ITEMS + item);
        sums = plus(sums, tile[place]);
        tile[place] = sums;
    }
    block_scan(sums, warp_sums, &before);
    before.volume += starts[2 * (long long)blockIdx.x];
    before.bought += starts[2 * (long long)blockIdx.x + 1];
    tile[sums_before(threadIdx.x * ITEMS)] = before;
    __syncthreads();
#pragma unroll 2
    for (int item = 0; item < ITEMS; ++item) {
        const int place = item * BLOCK + threadIdx.x;
        if (start + place < count) {
            const Sums found = plus(tile[sums_before(place)], tile[at(place)]);
            volumes[start + place] = found.volume;
            bought[start + place] = found.bought;
        }
    }
}

__device__ __forceinline__ long long first_at_least(const long long *values, long long count, long long wanted) {
    long long low = 0, high = count - 1;
    while (low < high) {
        const long long middle = low + (high - low) / 2;
        if (values[middle] < wanted) low = middle + 1;
        else high = middle;
    }
    return low;
}

// floor(part * inside / whole) exactly, for part and inside from 0 to whole.
__device__ __forceinline__ long long share(long long part, long long whole, long long inside) {
    if (whole <= 3037000499LL) return part * inside / whole;  // the product fits
    long long quotient = 0, remainder = 0;
    for (int bit = 61; bit >= 0; --bit) {
        quotient *= 2;
        remainder *= 2;
        if (remainder >= whole) {
            remainder -= whole;
            ++quotient;
        }
        if (inside >> bit & 1) {
            remainder += part;
            if (remainder >= whole) {
                remainder -= whole;
                ++quotient;
            }
        }
    }
    return quotient;
}

}  // namespace

// Volume and bought volume of every tile of rows: totals is [tiles, 2].
extern "C" __global__ void tile_totals_int32(const int *quantities, const signed char *sides, long long count,
                                          long long *totals) {
    __shared__ Sums warp_sums[WARPS];
    totals_of_tile(TradeRows<int>{quantities, sides}, count, totals, warp_sums);
}

extern "C" __global__ void tile_totals_int64(const long long *quantities, const signed char *sides, long long count,
                                          long long *totals) {
    __shared__ Sums warp_sums[WARPS];
    totals_of_tile(TradeRows<long long>{quantities, sides}, count, totals, warp_sums);
}

extern "C" __global__ void tile_totals_bars(const long long *bar_volumes, const long long *bar_bought, long long count,
                                          long long *totals) {
    __shared__ Sums warp_sums[WARPS];
    totals_of_tile(BarRows{bar_volumes, bar_bought}, count, totals, warp_sums);
}

// Sums before every tile, from the tiles' totals and the sums before the first: [tiles, 2] both, may be the same
// array. One block.
extern "C" __global__ void scan_tiles(const long long *totals, long long tiles, long long volume, long long bought,
                                      long long *starts) {
    __shared__ Sums warp_sums[WARPS];
    __shared__ Sums carried;
    if (threadIdx.x == 0) carried = {volume, bought};
    for (long long first = 0; first < tiles; first += BLOCK) {
        const long long tile = first + threadIdx.x;
        Sums mine = {0, 0}, before;
        if (tile < tiles) mine = {totals[2 * tile], totals[2 * tile + 1]};
        const Sums sums = block_scan(mine, warp_sums, &before);
        before = plus(before, carried);
        if (tile < tiles) {
            starts[2 * tile] = before.volume;
            starts[2 * tile + 1] = before.bought;
        }
        __syncthreads();
        // Read again after the barrier within the next block_scan only.
        if (threadIdx.x == BLOCK - 1) carried = plus(carried, sums);
    }
}

// Volume and bought volume up to every row, itself included.
extern "C" __global__ void tile_scan_int32(const int *quantities, const signed char *sides, long long count,
                                        const long long *starts, long long *volumes, long long *bought) {
    __shared__ Sums warp_sums[WARPS];
    __shared__ Sums tile[PLACES];
    scan_tile(TradeRows<int>{quantities, sides}, count, starts, volumes, bought, warp_sums, tile);
}

extern "C" __global__ void tile_scan_int64(const long long *quantities, const signed char *sides, long long count,
                                        const long long *starts, long long *volumes, long long *bought) {
    __shared__ Sums warp_sums[WARPS];
    __shared__ Sums tile[PLACES];
    scan_tile(TradeRows<long long>{quantities, sides}, count, starts, volumes, bought, warp_sums, tile);
}

extern "C" __global__ void tile_scan_bars(const long long *bar_volumes, const long long *bar_bought, long long count,
                                        const long long *starts, long long *volumes, long long *bought) {
    __shared__ Sums warp_sums[WARPS];
    __shared__ Sums tile[PLACES];
    scan_tile(BarRows{bar_volumes, bar_bought}, count, starts, volumes, bought, warp_sums, tile);
}

// Bought volume at every bucket edge, and the row that reaches it: edges is [rows, 2]. A size's rows begin at its
// first_row, with the edge at its first_edge buckets; grid.y is the size. A row is split at the edge: of its bought
// lots, the share of its lots before the edge counts, rounded down (all or nothing of a trade has a side).
extern "C" __global__ void bucket_edges(const long long *volumes, const long long *bought, long long count,
                                        long long volume_before, long long bought_before, const long long *sizes,
                                        const long long *first_edges, const long long *first_rows, long long *edges) {
    const long long first = first_rows[blockIdx.y];
    const long long place = first + (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (place >= first_rows[blockIdx.y + 1]) return;
    const long long edge = (first_edges[blockIdx.y] + place - first) * sizes[blockIdx.y];
    const long long row = first_at_least(volumes, count, edge);
    const long long volume = row == 0 ? volume_before : volumes[row - 1];
    const long long known = row == 0 ? bought_before : bought[row - 1];
    edges[2 * place] = known + share(bought[row] - known, volumes[row] - volume, edge - volume);
    edges[2 * place + 1] = row;
}

// |bought - sold| of every bucket, from the bought volume at its edges.
extern "C" __global__ void bucket_imbalances(const long long *edges, const long long *sizes,
                                             const long long *first_rows, long long *imbalances) {
    const long long first = first_rows[blockIdx.y];
    const long long row = first + (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= first_rows[blockIdx.y + 1]) return;
    const long long before = row == first ? 0 : edges[2 * (row - 1)];
    const long long imbalance = 2 * (edges[2 * row] - before) - sizes[blockIdx.y];
    imbalances[row] = imbalance < 0 ? -imbalance : imbalance;
}

// Mean imbalance of the last ``window`` buckets as a share of their volume; NaN where there are fewer.
extern "C" __global__ void window_means(const long long *imbalances, const long long *sizes,
                                        const long long *first_rows, long long window, double *vpin) {
    const long long first = first_rows[blockIdx.y];
    const long long row = first + (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= first_rows[blockIdx.y + 1]) return;
    if (row - first + 1 < window) {
        vpin[row] = __longlong_as_double(0x7ff8000000000000LL);
        return;
    }
    long long total = 0;
    for (long long other = row - window + 1; other <= row; ++other) total += imbalances[other];
    vpin[row] = (double)total / (double)(window * sizes[blockIdx.y]);
}
