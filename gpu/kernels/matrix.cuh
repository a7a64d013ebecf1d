// A matrix instruction of a warp, and what goes with it; for the CPU's runner the same sums, number by number.
#pragma once

// One of the two bfloat16 of a word, the first in its lower half.
__device__ __forceinline__ float of_bfloat16(unsigned word, int half) {
    return __int_as_float((int)(half ? word & 0xffff0000u : word << 16));
}

#ifdef CUDA_ON_CPU

// float32 to the nearest bfloat16, ties to even; two of them in one word.
static inline unsigned bfloat16_bits(float value) {
    const unsigned bits = (unsigned)__float_as_int(value);
    return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}
static inline __attribute__((unused)) unsigned bfloat16_pair(float first, float second) {
    return bfloat16_bits(first) | bfloat16_bits(second) << 16;
}

// sums[16 x 8] += left[16 x 16] * right[16 x 8] in bfloat16 with float32 sums, spread over the lanes as the instruction has
// it: PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type". Lanes put down what they have and meet, twice.
static __attribute__((unused)) void multiply_add(float *sums, const unsigned *left, const unsigned *right) {
    struct Left { unsigned words[4]; } lefts[4], mine = {{left[0], left[1], left[2], left[3]}};
    struct Right { unsigned words[2]; } rights[2][4], other = {{right[0], right[1]}};
    const int lane = threadIdx.x % 32, row = lane / 4, column = lane % 4 * 2;
    std::memcpy(lefts, cuda_on_cpu::exchange(0xffffffffu, mine, "a matrix instruction", __LINE__)[row * 4], sizeof lefts);
    const unsigned char(*slots)[16] = cuda_on_cpu::exchange(0xffffffffu, other, "a matrix instruction", __LINE__);
    for (int one = 0; one < 2; ++one)
        for (int part = 0; part < 4; ++part)
            std::memcpy(&rights[one][part], slots[(column + one) * 4 + part], sizeof other);
    for (int depth = 0; depth < 16; ++depth) {
        const int part = depth % 8 / 2, half = depth % 2, upper = depth / 8;
        for (int place = 0; place < 4; ++place) {
            const unsigned ours = lefts[part].words[2 * upper + place / 2];
            const unsigned theirs = rights[place % 2][part].words[upper];
            sums[place] += of_bfloat16(ours, half) * of_bfloat16(theirs, half);
        }
    }
}

static inline __attribute__((unused)) float quick_tanh(float value) { return std::tanh(value); }

#else

__device__ __forceinline__ unsigned bfloat16_pair(float first, float second) {
    unsigned word;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
    return word;
}

__device__ __forceinline__ void multiply_add(float *sums, const unsigned *left, const unsigned *right) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right[0]), "r"(right[1]));
}

// Off by at most 2^-11 of the value.
__device__ __forceinline__ float quick_tanh(float value) {
    float result;
    asm("tanh.approx.f32 %0, %1;" : "=f"(result) : "f"(value));
    return result;
}

#endif

// sums[TILES] of 16 rows and eight columns each += left * right, over ``depths`` instructions. ``left`` is this lane's
// first word of a row of pairs in shared memory, ``below`` the words from there to the row eight further down. ``right``
// is [tiles][tile_depths][32 lanes][2 words], what every lane takes at every depth, from this lane's first word on.
template <int TILES>
__device__ __forceinline__ void multiply_rows(const unsigned *left, int below, const unsigned *right, int tile_depths,
                                              int depths, float (*sums)[4]) {
    for (int depth = 0; depth < depths; ++depth) {
        const unsigned *word = left + depth * 8;
        const unsigned ours[4] = {word[0], word[below], word[4], word[below + 4]};
        for (int tile = 0; tile < TILES; ++tile) {
            const uint2 theirs = *reinterpret_cast<const uint2 *>(right + (tile * tile_depths + depth) * 64);
            const unsigned pair[2] = {theirs.x, theirs.y};
            multiply_add(sums[tile], ours, pair);
        }
    }
}
