// Dense layers and convolutions as in models.cu, with factors in bfloat16 by matrix instructions; what comes in and goes
// out, and all sums, are float32.
#include "matrix.cuh"
#include "portable.cuh"

namespace {

const int WARPS = 8;               // of a block, each has 16 positions
const int POSITIONS = 16 * WARPS;  // of a block
const int TILES = 4;               // of a block, of eight outputs each
const int DEPTH = 64;              // inputs that a warp takes at a time
const int ROW = DEPTH / 2 + 4;     // words of a position's inputs: a warp's lanes read from different banks
const float SLOPE = 0.01f;         // of leaky rectifiers below 0

// The inputs of a product: strides as in models.cu.
struct Inputs {
    const float *values;
    long long positions;
    int width, row_stride, group_stride, tap_stride, channels, depth;
    __device__ __forceinline__ float at(long long position, int place) const {
        if (place >= depth || position >= positions) return 0.0f;
        const long long vector = position / width * row_stride + position % width * group_stride +
                                 (long long)(place / channels) * tap_stride;
        return values[vector * channels + place % channels];
    }
};

}  // namespace

// As ``product`` of models.cu, but that ``weight`` is [tiles of eight outputs][depths of 16 inputs][32 lanes][2 words of
// two bfloat16], as lanes take them, with zeros beyond the inputs and outputs; tiles in fours.
extern "C" __global__ void __launch_bounds__(256) product_bfloat16(
    const float *input, const unsigned *weight, const float *bias, float *out, long long positions, int width,
    int row_stride, int group_stride, int tap_stride, int channels, int taps, int outputs, int out_stride,
    int out_offset, int leaky) {
    __shared__ unsigned rows[WARPS][16][ROW];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, row = lane / 4, pair = lane % 4;
    const long long first = (long long)blockIdx.x * POSITIONS + warp * 16;
    const Inputs inputs = {input, positions, width, row_stride, group_stride, tap_stride, channels, taps * channels};
    const int depths = (inputs.depth + 15) / 16;
    const unsigned *right = weight + (long long)blockIdx.y * TILES * depths * 64 + lane * 2;
    float sums[TILES][4] = {};
    for (int begin = 0; begin < inputs.depth; begin += DEPTH) {
        // A warp has its rows for itself, and its matrix instructions wait for the words of all lanes: no lane gets here
        // while another has yet to read.
        for (int number = lane; number < 16 * (DEPTH / 2); number += 32) {
            const int position = number / (DEPTH / 2), place = begin + number % (DEPTH / 2) * 2;
            rows[warp][position][number % (DEPTH / 2)] =
                bfloat16_pair(inputs.at(first + position, place), inputs.at(first + position, place + 1));
        }
        __syncwarp();
        const int left_over = depths - begin / 16, here = left_over < DEPTH / 16 ? left_over : DEPTH / 16;
        multiply_rows<TILES>(&rows[warp][row][pair], 8 * ROW, right + begin / 16 * 64, depths, here, sums);
    }
    for (int tile = 0; tile < TILES; ++tile)
        for (int place = 0; place < 4; ++place) {
            const long long position = first + row + place / 2 * 8;
            const int output = (blockIdx.y * TILES + tile) * 8 + pair * 2 + place % 2;
            if (position >= positions || output >= outputs) continue;
            float value = sums[tile][place] + bias[output];
            if (leaky && value < 0.0f) value *= SLOPE;
            out[position * out_stride + out_offset + output] = value;
        }
}
