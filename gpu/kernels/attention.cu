// What a transformer has beside dense layers, in float32: attention of every row to the rows before it, and sums that are
// normalised. What is computed: gpu/models/attention.py.
#include "portable.cuh"

#ifndef HEAD
#define HEAD 8
#endif

namespace {

const int BLOCK = 256;           // threads of a block that normalises, a warp for each row
const int ROWS = 128;            // of a block that attends, a thread for each
const float EPSILON = 1e-5f;     // added to the variance of a vector
const float NOTHING = -3.4e38f;  // less than any score

__device__ __forceinline__ float over_warp(float value) {
    for (int bits = 16; bits > 0; bits /= 2) value += __shfl_xor_sync(0xffffffffu, value, bits);
    return value;
}

}  // namespace

// sums = vectors, with ``added`` if ``adds``; out = each vector of the sums less its mean, over its deviation. All are
// [rows][width].
extern "C" __global__ void __launch_bounds__(256) normal_of_sums(const float *vectors, const float *added,
                                                                 long long rows, int width, int adds, float *sums,
                                                                 float *out) {
    const int lane = threadIdx.x % 32;
    const long long row = (long long)blockIdx.x * (BLOCK / 32) + threadIdx.x / 32;
    if (row >= rows) return;
    const long long first = row * width;
    // A lane reads again what it wrote itself.
    float total = 0.0f;
    for (int place = lane; place < width; place += 32) {
        const float value = vectors[first + place] + (adds ? added[first + place] : 0.0f);
        sums[first + place] = value;
        total += value;
    }
    const float mean = over_warp(total) / width;
    float squares = 0.0f;
    for (int place = lane; place < width; place += 32) {
        const float centred = sums[first + place] - mean;
        squares += centred * centred;
    }
    const float deviation = sqrtf(over_warp(squares) / width + EPSILON);
    for (int place = lane; place < width; place += 32) out[first + place] = (sums[first + place] - mean) / deviation;
}

// What every row takes from the values of itself and the ``span - 1`` rows before it, for one head: blockIdx.y of
// gridDim.y. ``made`` is [rows + span - 1][3][heads][HEAD], queries, keys and values; offsets [heads][span], the row
// itself first; out [rows][heads][HEAD]. Powers are of differences from the largest score so far, by which the sums are
// made smaller when a larger one comes (Milakov and Gimelshein 2018, "Online normalizer calculation for softmax").
extern "C" __global__ void __launch_bounds__(128) attended_rows(const float *made, const float *offsets,
                                                                long long rows, int span, float *out) {
    DYN_SHARED(float, shared);
    const int heads = gridDim.y, head = blockIdx.y, width = heads * HEAD, length = ROWS + span - 1;
    float *keys = shared, *values = shared + HEAD * length, *nearness = shared + 2 * HEAD * length;
    const long long first = (long long)blockIdx.x * ROWS, count = rows + span - 1;
    for (int number = threadIdx.x; number < length * HEAD; number += ROWS) {
        const int row = number / HEAD, place = number % HEAD;
        const float *from = made + (first + row) * 3 * width + head * HEAD + place;
        // By value, then by row, so that neighbouring threads read from different banks.
        keys[place * length + row] = first + row < count ? from[width] : 0.0f;
        values[place * length + row] = first + row < count ? from[2 * width] : 0.0f;
    }
    for (int back = threadIdx.x; back < span; back += ROWS) nearness[back] = offsets[head * span + back];
    __syncthreads();
    const long long row = first + threadIdx.x;
    if (row >= rows) return;
    const float root = sqrtf((float)HEAD);
    float query[HEAD], sums[HEAD], total = 0.0f, largest = NOTHING;
    for (int place = 0; place < HEAD; ++place) {
        query[place] = made[(row + span - 1) * 3 * width + head * HEAD + place] / root;
        sums[place] = 0.0f;
    }
    for (int back = 0; back < span; ++back) {
        const int there = threadIdx.x + span - 1 - back;
        float score = nearness[back];
        for (int place = 0; place < HEAD; ++place) score += query[place] * keys[place * length + there];
        const float power = expf(-fabsf(score - largest));
        const bool is_larger = score > largest;
        const float kept = is_larger ? power : 1.0f, share = is_larger ? 1.0f : power;
        largest = is_larger ? score : largest;
        total = total * kept + share;
        for (int place = 0; place < HEAD; ++place)
            sums[place] = sums[place] * kept + share * values[place * length + there];
    }
    for (int place = 0; place < HEAD; ++place) out[row * width + head * HEAD + place] = sums[place] / total;
}
