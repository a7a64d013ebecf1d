// The detector's indicators over many parameters: statistics of the last samples before each second, and how often and how
// long a value lay above its limit. Meaning and units: gpu/indicator_sweep.py.
#include "block_sum.cuh"
#include "portable.cuh"

namespace {

const int BLOCK = 256;  // threads of every block here
const int WARPS = BLOCK / 32;

// A sum in two parts, by Knuth's error-free addition, as market/detector/window.py keeps it.
struct Sum {
    double high, low;
    __device__ __forceinline__ void add(double value) {
        const double total = high + value, back = total - high;
        const double error = (high - (total - back)) + (value - back);
        const double rest = low + error;
        high = total + rest;
        low = rest - (high - total);
    }
};

__device__ __forceinline__ double nothing() { return __longlong_as_double(0x7ff8000000000000LL); }

}  // namespace

// For every number of samples from ``first`` to ``last``: mean or deviation of the last ``length`` of them; NaN below
// ``least`` samples. out is [last - first + 1]; samples[0] is sample number ``start``.
extern "C" __global__ void window_statistics(const double *samples, long long start, long long first, long long last,
                                             long long length, long long least, int deviation, double floor,
                                             double *out) {
    const long long count = first + (long long)blockIdx.x * BLOCK + threadIdx.x;
    if (count > last) return;
    double found = nothing();
    if (count >= least && count > 0) {
        const long long begin = count > length ? count - length : 0;
        Sum sum = {0.0, 0.0}, squares = {0.0, 0.0};
        for (long long sample = begin; sample < count; ++sample) {
            const double value = samples[sample - start];
            sum.add(value);
            if (deviation) squares.add(value * value);
        }
        const double number = (double)(count - begin), centre = sum.high / number;
        found = centre;
        if (deviation) {
            const double variance = squares.high / number - centre * centre;
            found = sqrt(variance > 0.0 ? variance : 0.0);
        }
        if (!(found > floor)) found = nothing();
    }
    out[count - first] = found;
}

// How often a value lay above factor * base, how often it rose above it, and for how long it stayed there: added to
// sums[factors, 3]. grid.y is the factor. Row 0 is what held before row 1. base[counters[row] - first] is the base of a
// row; NaN fires nothing, and neither does a limit that is not above 0.
extern "C" __global__ void count_fires(const double *values, const int *counters, const long long *times_ns,
                                       long long count, const double *base, long long first, const double *factors,
                                       unsigned long long *sums) {
    __shared__ unsigned long long room[WARPS][3];
    const double factor = factors[blockIdx.y];
    const long long step = (long long)gridDim.x * BLOCK;
    unsigned long long mine[3] = {0, 0, 0};
    for (long long row = 1 + (long long)blockIdx.x * BLOCK + threadIdx.x; row < count; row += step) {
        const double limit = factor * base[counters[row] - first], before = factor * base[counters[row - 1] - first];
        const bool fires = limit > 0.0 && values[row] > limit, fired = before > 0.0 && values[row - 1] > before;
        mine[0] += fires;
        mine[1] += fires && !fired;
        if (fired) mine[2] += (unsigned long long)(times_ns[row] - times_ns[row - 1]);
    }
    add_block_sums(mine, room, &sums[3 * blockIdx.y]);
}
