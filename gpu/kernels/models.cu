// Models of the order book in float32: dense layers and convolutions as one product, pooling over rows, and LSTMs over
// windows that share the vectors of their rows. Shapes and their meaning: gpu/models/architecture.py.
#include "portable.cuh"

#ifndef WINDOWS
#define WINDOWS 16
#endif

namespace {

const int BLOCK = 256;      // threads of every block here
const int POSITIONS = 128;  // of a tile of a product
const int OUTPUTS = 32;
const int DEPTH = 16;       // inputs that are multiplied between two barriers
const int PER_THREAD = 4;   // positions, and outputs, of a thread
const float SLOPE = 0.01f;  // of leaky rectifiers below 0

__device__ __forceinline__ float sigmoid(float value) { return 0.5f * (tanhf(0.5f * value) + 1.0f); }

// gates[gate][window] += the product of weight[inputs][4 hidden] and state[inputs][window], for one gate of this thread.
__device__ __forceinline__ void add_product(const float *weight, const float *state, int inputs, int gates, int gate,
                                            float *sums) {
    for (int input = 0; input < inputs; ++input) {
        const float factor = weight[(long long)input * gates + gate];
        for (int window = 0; window < WINDOWS; ++window) sums[window] += factor * state[input * WINDOWS + window];
    }
}

}  // namespace

// out[p][offset + o] = bias[o] + sum over taps and channels of input times weight[tap * channels + channel][o], with a
// leaky rectifier if asked for. A position p is (row, group), ``width`` groups in a row; its input at a tap begins at
// vector row * row_stride + group * group_stride + tap * tap_stride, each of ``channels`` values.
extern "C" __global__ void __launch_bounds__(256) product(
    const float *input, const float *weight, const float *bias, float *out, long long positions, int width,
    int row_stride, int group_stride, int tap_stride, int channels, int taps, int outputs, int out_stride,
    int out_offset, int leaky) {
    __shared__ float inputs[DEPTH][POSITIONS + 1];  // one more, so that neighbouring threads write to other banks
    __shared__ float weights[DEPTH][OUTPUTS];
    const long long first = (long long)blockIdx.x * POSITIONS;
    const int first_output = blockIdx.y * OUTPUTS, depth = taps * channels;
    const int across = threadIdx.x % (OUTPUTS / PER_THREAD), down = threadIdx.x / (OUTPUTS / PER_THREAD);
    float sums[PER_THREAD][PER_THREAD] = {};
    for (int begin = 0; begin < depth; begin += DEPTH) {
        for (int number = threadIdx.x; number < DEPTH * POSITIONS; number += BLOCK) {
            const int place = begin + number % DEPTH;
            const long long position = first + number / DEPTH;
            float value = 0.0f;
            if (place < depth && position < positions) {
                const long long vector = position / width * row_stride + position % width * group_stride +
                                         (long long)(place / channels) * tap_stride;
                value = input[vector * channels + place % channels];
            }
            inputs[number % DEPTH][number / DEPTH] = value;
        }
        for (int number = threadIdx.x; number < DEPTH * OUTPUTS; number += BLOCK) {
            const int place = begin + number / OUTPUTS, output = first_output + number % OUTPUTS;
            weights[number / OUTPUTS][number % OUTPUTS] =
                place < depth && output < outputs ? weight[(long long)place * outputs + output] : 0.0f;
        }
        __syncthreads();
        for (int place = 0; place < DEPTH; ++place) {
            float ours[PER_THREAD], theirs[PER_THREAD];
            for (int one = 0; one < PER_THREAD; ++one) {
                ours[one] = inputs[place][down * PER_THREAD + one];
                theirs[one] = weights[place][across * PER_THREAD + one];
            }
            for (int one = 0; one < PER_THREAD; ++one)
                for (int other = 0; other < PER_THREAD; ++other) sums[one][other] += ours[one] * theirs[other];
        }
        __syncthreads();
    }
    for (int one = 0; one < PER_THREAD; ++one) {
        const long long position = first + down * PER_THREAD + one;
        for (int other = 0; other < PER_THREAD; ++other) {
            const int output = first_output + across * PER_THREAD + other;
            if (position >= positions || output >= outputs) continue;
            float value = sums[one][other] + bias[output];
            if (leaky && value < 0.0f) value *= SLOPE;
            out[position * out_stride + out_offset + output] = value;
        }
    }
}

// The largest of ``taps`` rows that follow one another, value by value: out is [rows, width].
extern "C" __global__ void largest_of_rows(const float *input, long long rows, int width, int taps, float *out) {
    const long long number = (long long)blockIdx.x * BLOCK + threadIdx.x;
    if (number >= rows * width) return;
    float largest = input[number];
    for (int tap = 1; tap < taps; ++tap) largest = fmaxf(largest, input[number + (long long)tap * width]);
    out[number] = largest;
}

// The output of the last LSTM after every window: window w reads vectors w to w + steps - 1, each the gates of the first
// layer before the recurrent part, [4 hidden] in the order input, forget, cell, output. recurrent is [layers][hidden][4
// hidden], inputs [layers - 1][hidden][4 hidden], biases [layers - 1][4 hidden]: inputs before gates. A block takes
// WINDOWS windows.
extern "C" __global__ void __launch_bounds__(256) last_states(const float *vectors, const float *recurrent,
                                                              const float *inputs, const float *biases,
                                                              long long windows, int steps, int layers, int hidden,
                                                              float *out) {
    DYN_SHARED(float, shared);
    const int gates = 4 * hidden, states = hidden * WINDOWS;
    float *outputs = shared, *cells = shared + layers * states, *whole = shared + 2 * layers * states;
    const long long first = (long long)blockIdx.x * WINDOWS;
    for (int number = threadIdx.x; number < 2 * layers * states; number += BLOCK) shared[number] = 0.0f;
    __syncthreads();
    for (int step = 0; step < steps; ++step) {
        for (int layer = 0; layer < layers; ++layer) {
            for (int gate = threadIdx.x; gate < gates; gate += BLOCK) {
                float sums[WINDOWS];
                for (int window = 0; window < WINDOWS; ++window) {
                    const bool is_there = layer == 0 && first + window < windows;
                    sums[window] = is_there ? vectors[(first + window + step) * gates + gate] : 0.0f;
                    if (layer > 0) sums[window] = biases[(layer - 1) * gates + gate];
                }
                const long long matrix = (long long)hidden * gates;
                add_product(recurrent + layer * matrix, outputs + layer * states, hidden, gates, gate, sums);
                if (layer > 0)
                    add_product(inputs + (layer - 1) * matrix, outputs + (layer - 1) * states, hidden, gates, gate, sums);
                for (int window = 0; window < WINDOWS; ++window) whole[gate * WINDOWS + window] = sums[window];
            }
            __syncthreads();
            for (int number = threadIdx.x; number < states; number += BLOCK) {
                const float admitted = sigmoid(whole[number]), kept = sigmoid(whole[states + number]);
                const float candidate = tanhf(whole[2 * states + number]);
                const float cell = kept * cells[layer * states + number] + admitted * candidate;
                cells[layer * states + number] = cell;
                outputs[layer * states + number] = sigmoid(whole[3 * states + number]) * tanhf(cell);
            }
            __syncthreads();
        }
    }
    for (int number = threadIdx.x; number < states; number += BLOCK) {
        const long long window = first + number / hidden;
        const int place = (layers - 1) * states + number % hidden * WINDOWS + number / hidden;
        if (window < windows) out[window * hidden + number % hidden] = outputs[place];
    }
}
