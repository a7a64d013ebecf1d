// DeepLOB's row part in one launch: rows of a book to the gates of its LSTM before the recurrent part. A block takes TILE
// rows through all layers; what is between layers is bfloat16 and stays in shared memory. Factors are bfloat16 but for the
// first layer's, which come as they are; sums are float32. Layers: gpu/models/architecture.py.
#include "matrix.cuh"
#include "portable.cuh"

// Filters of the tower and of a branch of the inception, both filled up with zeros to a multiple of 16.
#ifndef FILTERS
#define FILTERS 16
#endif
#ifndef INCEPTION
#define INCEPTION 16
#endif
#ifndef LEVELS
#define LEVELS 2
#endif
#ifndef HIDDEN
#define HIDDEN 16
#endif

namespace {

const int WARPS = 8;
const int TILE = 16 * WARPS;            // rows of a block
const int VECTORS = TILE - 22;          // of them have all the rows that they look back on
const int SLACK = 16;                   // vectors beyond the last: matrix instructions take 16 at a time
const int GATES = 4 * HIDDEN;
const int NARROW = FILTERS / 2 + 4;     // words of a vector; four more, so that lanes read from different banks
const int WIDE = INCEPTION / 2 + 4;
const int SIDE = 3 * INCEPTION / 2 + 4;
const int TOWER_WORDS = (2 * TILE + SLACK) * NARROW;
const int INNER_WORDS = (TILE + SLACK) * WIDE;
const int ROOM = TOWER_WORDS > INNER_WORDS ? TOWER_WORDS : INNER_WORDS;
const float SLOPE = 0.01f;  // of leaky rectifiers below 0

__device__ __forceinline__ float leaky(float value) { return value < 0.0f ? value * SLOPE : value; }

// Vectors in shared memory, ``words`` of pairs each: of a position's ``taps``, the first is number position * step.
struct Vectors {
    const unsigned *first;
    int words, step, tap_step;
};

// sums[tile] of 16 positions and eight outputs each, from ``position`` and ``column`` (in tiles) on: bias and all taps.
template <int CHANNELS, int TAPS, int TILES>
__device__ __forceinline__ void products(const Vectors &in, const unsigned *weight, const float *bias, int position,
                                         int column, float (*sums)[4]) {
    const int lane = threadIdx.x % 32, row = lane / 4, pair = lane % 4, depths = TAPS * CHANNELS / 16;
    for (int tile = 0; tile < TILES; ++tile)
        for (int place = 0; place < 4; ++place)
            sums[tile][place] = bias[(column + tile) * 8 + pair * 2 + place % 2];
    const unsigned *left = in.first + (position + row) * in.step * in.words + pair;
    const unsigned *right = weight + column * depths * 64 + lane * 2;
#pragma unroll 1
    for (int tap = 0; tap < TAPS; ++tap)
        multiply_rows<TILES>(left + tap * in.tap_step * in.words, 8 * in.step * in.words, right + tap * (CHANNELS * 4),
                             depths, CHANNELS / 16, sums);
}

// A layer between vectors in shared memory: out[position][output] for all positions, and some beyond them up to a multiple
// of 16, which nobody uses.
template <int CHANNELS, int TAPS, int OUTPUTS>
__device__ __forceinline__ void layer(const Vectors &in, const unsigned *weight, const float *bias, int positions,
                                      unsigned *out, int out_words) {
    const int tiles = OUTPUTS % 32 == 0 ? 4 : 2, across = OUTPUTS / (8 * tiles);
    const int lane = threadIdx.x % 32, row = lane / 4, pair = lane % 4;
#pragma unroll 1
    for (int number = threadIdx.x / 32; number < (positions + 15) / 16 * across; number += WARPS) {
        const int position = number / across * 16, column = number % across * tiles;
        float sums[tiles][4];
        products<CHANNELS, TAPS, tiles>(in, weight, bias, position, column, sums);
        for (int tile = 0; tile < tiles; ++tile)
            for (int half = 0; half < 2; ++half)
                out[(position + row + half * 8) * out_words + (column + tile) * 4 + pair] =
                    bfloat16_pair(leaky(sums[tile][2 * half]), leaky(sums[tile][2 * half + 1]));
    }
    __syncthreads();
}

// Price and quantity of both sides of a level to two vectors of a row: out[row * 2 + side].
__device__ __forceinline__ void pairs_of_level(const float *rows, long long first, long long count, int level,
                                               const float *weight, const float *bias, unsigned *out) {
    for (int number = threadIdx.x; number < 2 * TILE * (FILTERS / 2); number += WARPS * 32) {
        const int vector = number / (FILTERS / 2), word = number % (FILTERS / 2);
        // Rows beyond the last give vectors beyond the last, which are not written.
        const long long row = first + vector / 2 < count ? first + vector / 2 : count - 1;
        const float *values = rows + (row * LEVELS + level) * 4 + vector % 2 * 2;
        float sums[2];
        for (int one = 0; one < 2; ++one) {
            const int output = word * 2 + one;
            sums[one] = leaky(bias[output] + weight[output] * values[0] + weight[FILTERS + output] * values[1]);
        }
        out[vector * NARROW + word] = bfloat16_pair(sums[0], sums[1]);
    }
}

// The largest of three vectors that follow one another, number by number.
__device__ __forceinline__ void largest_of_three(const unsigned *in, unsigned *out) {
    for (int number = threadIdx.x; number < (VECTORS + 15) / 16 * 16 * (FILTERS / 2); number += WARPS * 32) {
        const int place = number / (FILTERS / 2) * NARROW + number % (FILTERS / 2);
        float largest[2];
        for (int half = 0; half < 2; ++half) {
            const float next = fmaxf(of_bfloat16(in[place + NARROW], half), of_bfloat16(in[place + 2 * NARROW], half));
            largest[half] = fmaxf(of_bfloat16(in[place], half), next);
        }
        out[place] = bfloat16_pair(largest[0], largest[1]);
    }
}

}  // namespace

// out[vector][gate] of ``vectors`` vectors, the first of the first 23 rows; rows is [vectors + 22][LEVELS][4]. ``pair`` is
// the first layer's weight, [2][FILTERS]. ``weights`` holds the other layers' one after another, each [tiles of eight
// outputs][depths of 16 inputs][32 lanes][2 words of two bfloat16], and ``biases`` those of all layers in the order of the
// calls below; gates are filled up to a multiple of 32.
extern "C" __global__ void __launch_bounds__(256, 2)
    deeplob_rows(const float *rows, const float *pair, const unsigned *weights, const float *biases, long long vectors,
                 float *out) {
    DYN_SHARED(unsigned, shared);
    unsigned *ones = shared, *others = shared + ROOM, *side = shared + 2 * ROOM;
    const long long first = (long long)blockIdx.x * VECTORS;
    const int square = FILTERS * FILTERS / 2, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const unsigned *pair1 = weights, *pair2 = pair1 + 4 * square, *level0 = pair2 + 4 * square;
    const unsigned *level1 = level0 + 2 * square, *level2 = level1 + 4 * square, *book0 = level2 + 4 * square;
    const unsigned *book1 = book0 + LEVELS * square, *book2 = book1 + 4 * square, *point1 = book2 + 4 * square;
    const int narrow = FILTERS * INCEPTION / 2, wide = INCEPTION * INCEPTION / 2;
    const unsigned *time1 = point1 + narrow, *point2 = time1 + 3 * wide, *time2 = point2 + narrow;
    const unsigned *point3 = time2 + 5 * wide, *gates = point3 + narrow;
    const float *inner = biases + 9 * FILTERS;
    float book[FILTERS / 8][4] = {};
    for (int level = 0; level < LEVELS; ++level) {
        pairs_of_level(rows, first, vectors + 22, level, pair, biases, ones);
        __syncthreads();
        layer<FILTERS, 4, FILTERS>({ones, NARROW, 1, 2}, pair1, biases + FILTERS, 2 * (TILE - 3), others, NARROW);
        layer<FILTERS, 4, FILTERS>({others, NARROW, 1, 2}, pair2, biases + 2 * FILTERS, 2 * (TILE - 6), ones, NARROW);
        layer<FILTERS, 2, FILTERS>({ones, NARROW, 2, 1}, level0, biases + 3 * FILTERS, TILE - 6, others, NARROW);
        layer<FILTERS, 4, FILTERS>({others, NARROW, 1, 1}, level1, biases + 4 * FILTERS, TILE - 9, ones, NARROW);
        layer<FILTERS, 4, FILTERS>({ones, NARROW, 1, 1}, level2, biases + 5 * FILTERS, TILE - 12, others, NARROW);
        // A warp has 16 rows' sums over all levels in registers.
        multiply_rows<FILTERS / 8>(others + (warp * 16 + lane / 4) * NARROW + lane % 4, 8 * NARROW,
                                   book0 + level * FILTERS * 4 + lane * 2, LEVELS * FILTERS / 16, FILTERS / 16, book);
    }
    for (int tile = 0; tile < FILTERS / 8; ++tile)
        for (int half = 0; half < 2; ++half) {
            const float *bias = biases + 6 * FILTERS + tile * 8 + lane % 4 * 2;
            ones[(warp * 16 + lane / 4 + half * 8) * NARROW + tile * 4 + lane % 4] =
                bfloat16_pair(leaky(book[tile][2 * half] + bias[0]), leaky(book[tile][2 * half + 1] + bias[1]));
        }
    __syncthreads();
    layer<FILTERS, 4, FILTERS>({ones, NARROW, 1, 1}, book1, biases + 7 * FILTERS, TILE - 15, others, NARROW);
    layer<FILTERS, 4, FILTERS>({others, NARROW, 1, 1}, book2, biases + 8 * FILTERS, VECTORS + 4, ones, NARROW);
    const unsigned *last = ones + 2 * NARROW;  // what the shorter branches see ends where the longest does
    layer<FILTERS, 1, INCEPTION>({last, NARROW, 1, 0}, point1, inner, VECTORS + 2, others, WIDE);
    layer<INCEPTION, 3, INCEPTION>({others, WIDE, 1, 1}, time1, inner + INCEPTION, VECTORS, side, SIDE);
    layer<FILTERS, 1, INCEPTION>({ones, NARROW, 1, 0}, point2, inner + 2 * INCEPTION, VECTORS + 4, others, WIDE);
    layer<INCEPTION, 5, INCEPTION>({others, WIDE, 1, 1}, time2, inner + 3 * INCEPTION, VECTORS, side + INCEPTION / 2, SIDE);
    largest_of_three(last, others);
    __syncthreads();
    layer<FILTERS, 1, INCEPTION>({others, NARROW, 1, 0}, point3, inner + 4 * INCEPTION, VECTORS, side + INCEPTION, SIDE);
    const float *bias = inner + 5 * INCEPTION;
    const int across = (GATES + 31) / 32;
    for (int number = warp; number < (VECTORS + 15) / 16 * across; number += WARPS) {
        const int position = number / across * 16, column = number % across * 4;
        float sums[4][4];
        products<3 * INCEPTION, 1, 4>({side, SIDE, 1, 0}, gates, bias, position, column, sums);
        for (int tile = 0; tile < 4; ++tile)
            for (int half = 0; half < 2; ++half) {
                const int vector = position + lane / 4 + half * 8, gate = (column + tile) * 8 + lane % 4 * 2;
                if (vector >= VECTORS || first + vector >= vectors || gate >= GATES) continue;
                *reinterpret_cast<float2 *>(out + (first + vector) * GATES + gate) =
                    make_float2(sums[tile][2 * half], sums[tile][2 * half + 1]);
            }
    }
}
