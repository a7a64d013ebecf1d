// A model that stays on the GPU and waits for rows: one block, rows and logits in memory that the host writes and reads.
// Of every window that has begun, its LSTMs' states are kept, so that a new row finishes one window with one step and
// then, after its logits are out, takes all others a step further. Tables and protocol: gpu/live_model.py.
#include "portable.cuh"

namespace {

const int BLOCK = 256;
const int WINDOWS = 16;  // windows whose states stand side by side
const float SLOPE = 0.01f;

// A layer of the row part, as gpu/live_model.py writes it: buffers are rings of rows.
struct Layer {
    int is_largest, in_offset, in_depth, in_row, out_offset, out_depth, out_row, out_at, groups, group_stride, channels,
        across, time, outputs, weight, bias, leaky;
};

__device__ __forceinline__ float sigmoid(float value) { return 0.5f * (tanhf(0.5f * value) + 1.0f); }

__device__ __forceinline__ float sum_of_taps(const Layer &layer, const float *weights, const float *in, long long event,
                                             int group, int output) {
    float sum = weights[layer.bias + output];
    const float *weight = weights + layer.weight + output;
    for (int tap = 0; tap < layer.time; ++tap) {
        const int slot = (int)((event + 1 - layer.time + tap + layer.in_depth) % layer.in_depth);
        const float *values = in + slot * layer.in_row + group * layer.group_stride * layer.channels;
        for (int place = 0; place < layer.across * layer.channels; ++place) {
            sum += *weight * values[place];
            weight += layer.outputs;
        }
    }
    return layer.leaky && sum < 0.0f ? sum * SLOPE : sum;
}

__device__ __forceinline__ float largest_of_taps(const Layer &layer, const float *in, long long event, int output) {
    float largest = in[(int)(event % layer.in_depth) * layer.in_row + output];
    for (int tap = 1; tap < layer.time; ++tap) {
        const int slot = (int)((event - tap + layer.in_depth) % layer.in_depth);
        largest = fmaxf(largest, in[slot * layer.in_row + output]);
    }
    return largest;
}

struct Lstms {
    const float *recurrent, *inputs, *biases;
    float *states, *cells;  // [layers][groups][hidden][WINDOWS]
    int layers, hidden, groups;
    __device__ __forceinline__ int place(int layer, int group) const {
        return (layer * groups + group) * hidden * WINDOWS;
    }
};

// One step of COUNT windows that stand side by side from ``column`` of a group on, through all layers; the window at
// ``left_out`` keeps its states. ``whole`` has room for [4 hidden][COUNT].
template <int COUNT>
__device__ __forceinline__ void step(const Lstms &lstms, const float *vector, int group, int column, int left_out,
                                     float *whole) {
    const int gates = 4 * lstms.hidden;
    for (int layer = 0; layer < lstms.layers; ++layer) {
        float *states = lstms.states + lstms.place(layer, group) + column;
        float *cells = lstms.cells + lstms.place(layer, group) + column;
        for (int gate = threadIdx.x; gate < gates; gate += BLOCK) {
            float sums[COUNT];
            const float start = layer == 0 ? vector[gate] : lstms.biases[(layer - 1) * gates + gate];
            for (int window = 0; window < COUNT; ++window) sums[window] = start;
            const float *weight = lstms.recurrent + (long long)layer * lstms.hidden * gates + gate;
            for (int input = 0; input < lstms.hidden; ++input)
                for (int window = 0; window < COUNT; ++window)
                    sums[window] += weight[(long long)input * gates] * states[input * WINDOWS + window];
            if (layer > 0) {
                const float *below = lstms.states + lstms.place(layer - 1, group) + column;
                weight = lstms.inputs + (long long)(layer - 1) * lstms.hidden * gates + gate;
                for (int input = 0; input < lstms.hidden; ++input)
                    for (int window = 0; window < COUNT; ++window)
                        sums[window] += weight[(long long)input * gates] * below[input * WINDOWS + window];
            }
            for (int window = 0; window < COUNT; ++window) whole[gate * COUNT + window] = sums[window];
        }
        __syncthreads();
        for (int number = threadIdx.x; number < lstms.hidden * COUNT; number += BLOCK) {
            const int unit = number / COUNT, window = number % COUNT, place = unit * WINDOWS + window;
            if (window == left_out) continue;
            const int size = lstms.hidden * COUNT;
            const float admitted = sigmoid(whole[number]), kept = sigmoid(whole[size + number]);
            const float cell = kept * cells[place] + admitted * tanhf(whole[2 * size + number]);
            cells[place] = cell;
            states[place] = sigmoid(whole[3 * size + number]) * tanhf(cell);
        }
        __syncthreads();
    }
}

}  // namespace

// Take rows as they are published until ``stop_at`` rows have been taken. control is [published, stop_at], written by the
// host; finished[0] counts the rows whose logits are out. rows and logits are rings of ``ring`` entries. One block.
extern "C" __global__ void __launch_bounds__(256) run_live(
    const float *rows, const long long *control, float *logits, long long *finished, const int *layer_table, int layers,
    const float *weights, float *buffers, int vector_at, const float *recurrent, const float *inputs,
    const float *biases, float *states, float *cells, int lstm_layers, int hidden, int steps, const float *dense,
    const float *dense_bias, int features, int classes, int ring) {
    DYN_SHARED(float, whole);
    __shared__ int has_row;
    const Layer *table = reinterpret_cast<const Layer *>(layer_table);
    const Lstms lstms = {recurrent, inputs, biases, states, cells, lstm_layers, hidden, (steps + WINDOWS - 1) / WINDOWS};
    const int lane = threadIdx.x % 32;
    for (long long event = *finished;; ++event) {
        if (threadIdx.x == 0) {
            const volatile long long *words = control;
            has_row = 0;
            while (event < words[1] && has_row == 0) {
                if (words[0] > event) has_row = 1;
                else __nanosleep(20);
            }
            __threadfence_system();
        }
        __syncthreads();
        if (has_row == 0) return;
        const volatile float *row = rows + event % ring * features;
        for (int feature = threadIdx.x; feature < features; feature += BLOCK) buffers[feature] = row[feature];
        __syncthreads();
        for (int number = 0; number < layers; ++number) {
            const Layer layer = table[number];
            const float *in = buffers + layer.in_offset;
            float *out = buffers + layer.out_offset + (int)(event % layer.out_depth) * layer.out_row + layer.out_at;
            for (int place = threadIdx.x; place < layer.groups * layer.outputs; place += BLOCK) {
                const int group = place / layer.outputs, output = place % layer.outputs;
                out[place] = layer.is_largest ? largest_of_taps(layer, in, event, output)
                                              : sum_of_taps(layer, weights, in, event, group, output);
            }
            __syncthreads();
        }
        const float *vector = buffers + vector_at;
        // The window that began ``steps`` rows ago ends now, and its place is the next one's.
        const int ending = (int)((event + 1) % steps), group = ending / WINDOWS, column = ending % WINDOWS;
        step<1>(lstms, vector, group, column, -1, whole);
        if (threadIdx.x < 32) {
            const float *last = lstms.states + lstms.place(lstm_layers - 1, group) + column;
            for (int kind = 0; kind < classes; ++kind) {
                float sum = 0.0f;
                for (int unit = lane; unit < hidden; unit += 32) sum += dense[kind * hidden + unit] * last[unit * WINDOWS];
                for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_down_sync(0xffffffffu, sum, distance);
                if (lane == 0) logits[event % ring * classes + kind] = sum + dense_bias[kind];
            }
            if (lane == 0) {
                __threadfence_system();
                *reinterpret_cast<volatile long long *>(finished) = event + 1;
            }
        }
        for (int other = 0; other < lstms.groups; ++other)
            step<WINDOWS>(lstms, vector, other, 0, other == group ? column : -1, whole);
        for (int number = threadIdx.x; number < lstm_layers * hidden; number += BLOCK) {
            const int place = lstms.place(number / hidden, group) + number % hidden * WINDOWS + column;
            lstms.states[place] = 0.0f;
            lstms.cells[place] = 0.0f;
        }
    }
}
