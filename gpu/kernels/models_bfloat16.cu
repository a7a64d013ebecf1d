// The LSTM of models.cu with its recurrent product in bfloat16, by matrix instructions: one layer, HIDDEN units, a
// multiple of 16. Sums, cells and what comes in and goes out are float32.
#include "matrix.cuh"
#include "portable.cuh"

#ifndef HIDDEN
#define HIDDEN 64
#endif

namespace {

const int WINDOWS = 16;          // of a block: the rows of a matrix instruction
const int WARPS = HIDDEN / 8;    // each has all gates of eight units
const int DEPTHS = HIDDEN / 16;  // instructions that a gate's product takes
const int ROW = HIDDEN / 2 + 4;  // words of a window's states: a warp's lanes read from different banks

__device__ __forceinline__ float quick_sigmoid(float value) { return 0.5f * (quick_tanh(0.5f * value) + 1.0f); }

// What two windows read at a step, two units' gates each; windows beyond the last read as the last does.
__device__ __forceinline__ void gates_of_step(const float *vectors, long long first, long long windows, int step, int unit,
                                              float (*gates)[4]) {
    for (int half = 0; half < 2; ++half) {
        const long long window = first + half * 8 < windows ? first + half * 8 : windows - 1;
        const float *vector = vectors + (window + step) * 4 * HIDDEN + unit;
        for (int gate = 0; gate < 4; ++gate) {
            const float2 both = *reinterpret_cast<const float2 *>(vector + gate * HIDDEN);
            gates[gate][2 * half] = both.x;
            gates[gate][2 * half + 1] = both.y;
        }
    }
}

}  // namespace

// out[window][unit], the output after every window: window w reads vectors w to w + steps - 1, each [4 HIDDEN] gates before
// the recurrent part. recurrent is [4 HIDDEN][HIDDEN / 2] pairs of bfloat16. A block has HIDDEN / 8 warps.
extern "C" __global__ void __launch_bounds__(HIDDEN * 4)
    last_states_bfloat16(const float *vectors, const unsigned *recurrent, long long windows, int steps, float *out) {
    __shared__ unsigned states[2][WINDOWS][ROW];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, row = lane / 4, pair = lane % 4;
    const int unit = warp * 8 + pair * 2;
    const long long first = (long long)blockIdx.x * WINDOWS;
    unsigned weights[4][DEPTHS][2];
    for (int gate = 0; gate < 4; ++gate)
        for (int depth = 0; depth < DEPTHS; ++depth)
            for (int half = 0; half < 2; ++half)
                weights[gate][depth][half] =
                    recurrent[(gate * HIDDEN + warp * 8 + row) * (HIDDEN / 2) + depth * 8 + half * 4 + pair];
    float cells[4] = {0.0f, 0.0f, 0.0f, 0.0f}, outputs[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    float coming[4][4];
    gates_of_step(vectors, first + row, windows, 0, unit, coming);
    for (int step = 0; step < steps; ++step) {
        float sums[4][4];
        for (int gate = 0; gate < 4; ++gate)
            for (int place = 0; place < 4; ++place) sums[gate][place] = coming[gate][place];
        // On their way while this step is computed.
        if (step + 1 < steps) gates_of_step(vectors, first + row, windows, step + 1, unit, coming);
        if (step > 0) {
            const unsigned(*known)[ROW] = states[step & 1];
            for (int depth = 0; depth < DEPTHS; ++depth) {
                const int word = depth * 8 + pair;
                const unsigned left[4] = {known[row][word], known[row + 8][word], known[row][word + 4],
                                          known[row + 8][word + 4]};
                for (int gate = 0; gate < 4; ++gate) multiply_add(sums[gate], left, weights[gate][depth]);
            }
        }
        for (int place = 0; place < 4; ++place) {
            cells[place] = quick_sigmoid(sums[1][place]) * cells[place] +
                           quick_sigmoid(sums[0][place]) * quick_tanh(sums[2][place]);
            outputs[place] = quick_sigmoid(sums[3][place]) * quick_tanh(cells[place]);
        }
        // The other of the two rooms is read until the barrier of this step: one barrier a step is enough.
        states[step + 1 & 1][row][warp * 4 + pair] = bfloat16_pair(outputs[0], outputs[1]);
        states[step + 1 & 1][row + 8][warp * 4 + pair] = bfloat16_pair(outputs[2], outputs[3]);
        __syncthreads();
    }
    for (int place = 0; place < 4; ++place) {
        const long long window = first + row + place / 2 * 8;
        if (window < windows) out[window * HIDDEN + unit + place % 2] = outputs[place];
    }
}
