// A model that stays on the GPU and waits for rows, which with their logits lie in memory that the host writes and reads.
// Of every window that has begun, its LSTMs' states are kept, so that a new row finishes one window with one step and
// then, after its logits are out, takes all others a step further. A block has some units of every LSTM, with all of their
// gates; blocks meet where one needs what others found. Tables and protocol: gpu/live_model.py.
#include "grid_barrier.cuh"
#include "portable.cuh"

namespace {

const int BLOCK = 512;
const int WARPS = BLOCK / 32;
const int WINDOWS = 16;  // windows whose states stand side by side
const int TOGETHER = 4;  // groups that a lane computes together, with the same weights
const float SLOPE = 0.01f;

// A layer of the row part, as gpu/live_layers.py writes it: buffers are rings of rows; ``splits`` lanes share an output;
// at ``older_at`` is what taps before the newest add up to.
struct Layer {
    int is_largest, in_offset, in_depth, in_row, out_offset, out_depth, out_row, out_at, groups, group_stride, channels,
        across, time, outputs, weight, bias, leaky, meets, splits, is_aligned, older_at;
    __device__ __forceinline__ int slot(long long event) const { return (int)((event + in_depth) % in_depth) * in_row; }
};

// Tensors of the LSTMs, whose gates stand unit by unit: [inputs][units][input, forget, cell, output].
struct Lstms {
    const float *recurrent, *inputs, *biases;
    float *states;  // [2][layers][groups][hidden][WINDOWS]: a step reads one and writes the other
    float *cells;   // [layers][groups][hidden][WINDOWS]
    int layers, hidden, groups;
    __device__ __forceinline__ int place(int layer, int group) const {
        return (layer * groups + group) * hidden * WINDOWS;
    }
    __device__ __forceinline__ float *states_of(long long event) const {
        return states + event % 2 * place(layers, 0);
    }
};

__device__ __forceinline__ float sigmoid(float value) { return 0.5f * (tanhf(0.5f * value) + 1.0f); }

// A lane's part of a product: every ``splits``-th of ``count`` factors, from ``split`` on.
__device__ __forceinline__ float part_of_product(const float *weight, int weight_step, const float *values, int value_step,
                                                 int count, int split, int splits) {
    float sum = 0.0f;
#pragma unroll 4
    for (int place = split; place < count; place += splits)
        sum += weight[(long long)place * weight_step] * values[place * value_step];
    return sum;
}

// The sum over the lanes that share an output, which stand 32 / splits apart.
__device__ __forceinline__ float whole_of_parts(float part, int splits) {
    for (int distance = 16; distance >= 32 / splits; distance /= 2)
        part += __shfl_xor_sync(0xffffffffu, part, distance);
    return part;
}

// sums[one] += a lane's part of the product of a column of weight and row values + one * apart, four factors at a time;
// rows beyond the ``rows`` that there are count as the last.
template <int ROWS>
__device__ __forceinline__ void add_rows(const float *weight, int weight_step, const float *values, int apart, int rows,
                                         int count, int split, int splits, bool is_aligned, float *sums) {
    for (int begin = 4 * split; begin < count; begin += 4 * splits) {
        float factors[4];
        for (int place = 0; place < 4; ++place)
            factors[place] = begin + place < count ? weight[(long long)(begin + place) * weight_step] : 0.0f;
        for (int one = 0; one < ROWS; ++one) {
            const float *row = values + (one < rows ? one : rows - 1) * apart + begin;
            if (is_aligned) {
                const float4 four = *reinterpret_cast<const float4 *>(row);
                sums[one] += factors[0] * four.x + factors[1] * four.y + factors[2] * four.z + factors[3] * four.w;
            } else {
                for (int place = 0; place < 4 && begin + place < count; ++place) sums[one] += factors[place] * row[place];
            }
        }
    }
}

__device__ __forceinline__ float largest_of_taps(const Layer &layer, const float *in, long long event, int output) {
    float largest = in[layer.slot(event) + output];
    for (int tap = 1; tap < layer.time; ++tap) largest = fmaxf(largest, in[layer.slot(event - tap) + output]);
    return largest;
}

// The taps of a layer from ``first`` to before ``end``, its outputs spread over all warps of all blocks: the newest makes
// the layer's output of what the older ones add up to.
template <int GROUPS>
__device__ __forceinline__ void run_taps(const Layer &layer, const float *weights, float *buffers, long long event, int first,
                                         int end) {
    const int lane = threadIdx.x % 32, wide = 32 / layer.splits, inner = layer.across * layer.channels;
    const int places = (layer.groups + GROUPS - 1) / GROUPS * layer.outputs, apart = layer.group_stride * layer.channels;
    float *out = buffers + layer.out_offset + (int)(event % layer.out_depth) * layer.out_row + layer.out_at;
    float *older = buffers + layer.older_at;
    for (int begin = (blockIdx.x * WARPS + threadIdx.x / 32) * wide; begin < places; begin += gridDim.x * WARPS * wide) {
        const int place = begin + lane % wide, group = place / layer.outputs * GROUPS, output = place % layer.outputs;
        float sums[GROUPS] = {};
        for (int tap = first; tap < end && place < places; ++tap)
            add_rows<GROUPS>(weights + layer.weight + tap * inner * layer.outputs + output, layer.outputs,
                             buffers + layer.in_offset + layer.slot(event + 1 - layer.time + tap) + group * apart, apart,
                             layer.groups - group, inner, lane / wide, layer.splits, layer.is_aligned, sums);
        for (int one = 0; one < GROUPS; ++one) {
            float value = whole_of_parts(sums[one], layer.splits);
            const int at = (group + one) * layer.outputs + output;
            if (lane >= wide || place >= places || group + one >= layer.groups) continue;
            if (end < layer.time) {
                older[at] = value;
                continue;
            }
            value += weights[layer.bias + output] + (first > 0 ? older[at] : 0.0f);
            out[at] = layer.leaky && value < 0.0f ? value * SLOPE : value;
        }
    }
}

// What a layer's older rows add up to, before the newest is there.
__device__ __forceinline__ void run_older(const Layer &layer, const float *weights, float *buffers, long long event) {
    if (layer.is_largest || layer.time == 1) return;
    if (layer.groups < TOGETHER) run_taps<1>(layer, weights, buffers, event, 0, layer.time - 1);
    else run_taps<TOGETHER>(layer, weights, buffers, event, 0, layer.time - 1);
}

__device__ __forceinline__ void run_layer(const Layer &layer, const float *weights, float *buffers, long long event) {
    if (layer.is_largest) {
        float *out = buffers + layer.out_offset + (int)(event % layer.out_depth) * layer.out_row + layer.out_at;
        for (int place = blockIdx.x * BLOCK + threadIdx.x; place < layer.outputs; place += gridDim.x * BLOCK)
            out[place] = largest_of_taps(layer, buffers + layer.in_offset, event, place);
    } else if (layer.groups < TOGETHER) {
        run_taps<1>(layer, weights, buffers, event, layer.time - 1, layer.time);
    } else {
        run_taps<TOGETHER>(layer, weights, buffers, event, layer.time - 1, layer.time);
    }
}

// sums[window] += the product of a gate's column of weight and the states of a group of windows.
__device__ __forceinline__ void add_product(const float *weight, int gates, const float *states, int inputs, float *sums) {
    for (int input = 0; input < inputs; ++input) {
        const float factor = weight[(long long)input * gates];
        const float4 *four = reinterpret_cast<const float4 *>(states + input * WINDOWS);
        for (int part = 0; part < WINDOWS / 4; ++part) {
            const float4 values = four[part];
            sums[4 * part] += factor * values.x;
            sums[4 * part + 1] += factor * values.y;
            sums[4 * part + 2] += factor * values.z;
            sums[4 * part + 3] += factor * values.w;
        }
    }
}

// A cell and, from it, the output of a unit; gates stand ``apart``.
__device__ __forceinline__ float output_of(const float *gates, int apart, float &cell) {
    cell = sigmoid(gates[apart]) * cell + sigmoid(gates[0]) * tanhf(gates[2 * apart]);
    return sigmoid(gates[3 * apart]) * tanhf(cell);
}

}  // namespace

// Take rows as they are published until ``stop_at`` rows have been taken. control is [published, stop_at], written by the
// host; finished[0] counts the rows whose logits are out. rows and logits are rings of ``ring`` entries. A block has
// ``units`` units, ``together`` of which it takes a step further at a time; agreed is [arrivals at barriers, the row's place
// in the ring; ``ring`` when none comes]. answers is [LSTMs][hidden], the outputs of the window that ends.
extern "C" __global__ void __launch_bounds__(512) run_live(
    const float *rows, const long long *control, float *logits, long long *finished, const int *layer_table, int layers,
    const float *weights, float *buffers, const float *recurrent, const float *inputs, const float *biases, float *states,
    float *cells, float *answers, unsigned long long *agreed, int lstm_layers, int hidden, int steps, int units,
    int together, int splits, const float *dense, const float *dense_bias, int features, int classes, int ring) {
    DYN_SHARED(float, shared);
    const Layer *table = reinterpret_cast<const Layer *>(layer_table);
    const Lstms lstms = {recurrent, inputs, biases, states, cells, lstm_layers, hidden, (steps + WINDOWS - 1) / WINDOWS};
    const int lane = threadIdx.x % 32, first_unit = blockIdx.x * units, all = 4 * hidden, wide = 32 / splits;
    const int mine = hidden - first_unit < units ? hidden - first_unit : units, gates = 4 * mine;
    float *prepared = shared, *vector = prepared + 4 * units * lstm_layers, *whole = vector + 4 * units;
    const int first_place = threadIdx.x / 32 * wide + lane % wide, split = lane / wide;
    for (long long event = *finished;; ++event) {
        const float *known = lstms.states_of(event);
        float *fresh = lstms.states_of(event + 1);
        // The window that began ``steps`` rows ago ends with this row, and its place is the next one's.
        const int ending = (int)((event + 1) % steps), group = ending / WINDOWS, column = ending % WINDOWS;
        // What needs no more than the rows before: of the convolutions, and of the last step.
        for (int number = 0; number + 1 < layers; ++number) run_older(table[number], weights, buffers, event);
        for (int layer = 0; layer < lstm_layers; ++layer)
            for (int place = first_place; place - lane % wide < gates; place += WARPS * wide) {
                const float *weight = recurrent + (long long)layer * hidden * all + 4 * first_unit + place;
                const float *values = known + lstms.place(layer, group) + column;
                float part = 0.0f;
                if (place < gates) part = part_of_product(weight, all, values, WINDOWS, hidden, split, splits);
                const float sum = whole_of_parts(part, splits);
                if (place < gates && split == 0) prepared[layer * 4 * units + place] = sum;
            }
        if (blockIdx.x == 0) {
            if (threadIdx.x == 0) {
                const volatile long long *words = control;
                // Both words are on their way over the bus at the same time.
                long long published = words[0], stop_at = words[1];
                while (event < stop_at && published <= event) {
                    __nanosleep(20);
                    published = words[0], stop_at = words[1];
                }
                agreed[1] = event < stop_at ? event % ring : ring;
                __threadfence_system();
            }
            __syncthreads();
            const int slot = (int)agreed[1];
            const volatile float *row = rows + slot * features;
            for (int feature = threadIdx.x; feature < features && slot < ring; feature += BLOCK)
                buffers[feature] = row[feature];
        }
        grid_barrier(agreed);
        if ((int)agreed[1] == ring) return;
        for (int number = 0; number + 1 < layers; ++number) {
            run_layer(table[number], weights, buffers, event);
            if (table[number].meets) grid_barrier(agreed);
        }
        const Layer last = table[layers - 1];
        for (int layer = 0; layer < lstm_layers; ++layer) {
            for (int place = first_place; place - lane % wide < gates; place += WARPS * wide) {
                const int gate = 4 * first_unit + place;
                float part = 0.0f;
                if (place < gates && layer == 0)
                    add_rows<1>(weights + last.weight + gate, all, buffers + last.in_offset, 0, 1, last.channels, split,
                                splits, last.is_aligned, &part);
                if (place < gates && layer > 0)
                    add_rows<1>(inputs + (long long)(layer - 1) * hidden * all + gate, all, answers + (layer - 1) * hidden,
                                0, 1, hidden, split, splits, hidden % 4 == 0, &part);
                float sum = whole_of_parts(part, splits);
                if (place >= gates || split != 0) continue;
                sum += layer == 0 ? weights[last.bias + gate] : biases[(layer - 1) * all + gate];
                if (layer == 0) vector[place] = sum;
                whole[place] = sum + prepared[layer * 4 * units + place];
            }
            __syncthreads();
            for (int unit = threadIdx.x; unit < mine; unit += BLOCK) {
                float cell = cells[lstms.place(layer, group) + (first_unit + unit) * WINDOWS + column];
                answers[layer * hidden + first_unit + unit] = output_of(whole + 4 * unit, 1, cell);
            }
            grid_barrier(agreed);
        }
        if (blockIdx.x == 0 && threadIdx.x < 32) {
            const float *found = answers + (lstm_layers - 1) * hidden;
            for (int kind = 0; kind < classes; ++kind) {
                const float part = part_of_product(dense + kind * hidden, 1, found, 1, hidden, lane, 32);
                const float sum = whole_of_parts(part, 32);
                if (lane == 0) logits[event % ring * classes + kind] = sum + dense_bias[kind];
            }
            if (lane == 0) {
                __threadfence_system();
                *reinterpret_cast<volatile long long *>(finished) = event + 1;
            }
        }
        for (int layer = 0; layer < lstm_layers; ++layer) {
            for (int begin = 0; begin < mine; begin += together) {
                const int here = mine - begin < together ? mine - begin : together;
                for (int task = threadIdx.x; task < 4 * here * lstms.groups; task += BLOCK) {
                    const int other = task / (4 * here), place = 4 * begin + task % (4 * here);
                    const int gate = 4 * first_unit + place;
                    const float start = layer == 0 ? vector[place] : biases[(layer - 1) * all + gate];
                    float sums[WINDOWS];
                    for (int window = 0; window < WINDOWS; ++window) sums[window] = start;
                    add_product(recurrent + (long long)layer * hidden * all + gate, all,
                                known + lstms.place(layer, other), hidden, sums);
                    if (layer > 0)
                        add_product(inputs + (long long)(layer - 1) * hidden * all + gate, all,
                                    fresh + lstms.place(layer - 1, other), hidden, sums);
                    for (int window = 0; window < WINDOWS; ++window) whole[task * WINDOWS + window] = sums[window];
                }
                __syncthreads();
                for (int number = threadIdx.x; number < here * lstms.groups * WINDOWS; number += BLOCK) {
                    const int window = number % WINDOWS, other = number / WINDOWS % lstms.groups;
                    const int unit = number / WINDOWS / lstms.groups;
                    const int at = lstms.place(layer, other) + (first_unit + begin + unit) * WINDOWS + window;
                    float cell = cells[at];
                    const float state = output_of(whole + (other * 4 * here + 4 * unit) * WINDOWS + window, WINDOWS, cell);
                    const bool begins = other == group && window == column;
                    cells[at] = begins ? 0.0f : cell;
                    fresh[at] = begins ? 0.0f : state;
                }
                __syncthreads();
            }
            grid_barrier(agreed);
        }
    }
}
