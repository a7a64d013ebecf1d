// CUDA C++ for a plain C++17 compiler: every CUDA thread is a fiber, every barrier a place to switch fibers.
// A test instrument for kernels without a GPU; never a production path. x86-64 only.
//
// What it has: grids and blocks of up to three dimensions, __shared__ arrays, DYN_SHARED, block and warp barriers,
// shuffles, votes, atomics, grid barriers by spinning on atomics (with interleaved blocks).
// What it lacks: a weak memory model, cooperative groups, clusters, textures, inline PTX.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "fibers.h"

#define CUDA_ON_CPU 1

#define __global__ __attribute__((visibility("default")))
#define __device__ __attribute__((unused))
#define __host__
#define __forceinline__ inline __attribute__((always_inline, unused))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __constant__ static
#define __shared__ static __attribute__((section("cuda_shared")))
#define DYN_SHARED(T, name) T *name = reinterpret_cast<T *>(cuda_on_cpu::dynamic_shared())

#define threadIdx (cuda_on_cpu::current->thread)
#define blockIdx (cuda_on_cpu::current->block->index)
#define blockDim (cuda_on_cpu::block_shape)
#define gridDim (cuda_on_cpu::grid_shape)
#define warpSize 32

using dim3 = cuda_on_cpu::Shape;

#define CUDA_VECTOR2(name, type, bytes) struct alignas(bytes) name { type x, y; }; \
    static inline __attribute__((unused)) name make_##name(type x, type y) { return {x, y}; }
#define CUDA_VECTOR4(name, type, bytes) struct alignas(bytes) name { type x, y, z, w; }; \
    static inline __attribute__((unused)) name make_##name(type x, type y, type z, type w) { return {x, y, z, w}; }
CUDA_VECTOR2(int2, int, 8)
CUDA_VECTOR2(uint2, unsigned, 8)
CUDA_VECTOR2(float2, float, 8)
CUDA_VECTOR2(double2, double, 16)
CUDA_VECTOR2(longlong2, long long, 16)
CUDA_VECTOR4(char4, signed char, 4)
CUDA_VECTOR4(uchar4, unsigned char, 4)
CUDA_VECTOR4(int4, int, 16)
CUDA_VECTOR4(uint4, unsigned, 16)
CUDA_VECTOR4(float4, float, 16)
#undef CUDA_VECTOR2
#undef CUDA_VECTOR4

// Barriers and exchanges. The line is where the kernel's source has them, for the message of a divergent barrier.
#define __syncthreads() cuda_on_cpu::block_barrier(__LINE__)
#define __syncwarp(...) cuda_on_cpu::warp_barrier(cuda_on_cpu::mask_of(__VA_ARGS__), "__syncwarp", __LINE__)
#define __shfl_sync(mask, value, lane) cuda_on_cpu::shuffle(mask, value, (lane) & 31, __LINE__)
#define __shfl_up_sync(mask, value, delta) cuda_on_cpu::shuffle_up(mask, value, delta, __LINE__)
#define __shfl_down_sync(mask, value, delta) cuda_on_cpu::shuffle_down(mask, value, delta, __LINE__)
#define __shfl_xor_sync(mask, value, bits) cuda_on_cpu::shuffle(mask, value, cuda_on_cpu::lane() ^ (bits), __LINE__)
#define __ballot_sync(mask, predicate) cuda_on_cpu::ballot(mask, predicate, __LINE__)
#define __any_sync(mask, predicate) (cuda_on_cpu::ballot(mask, predicate, __LINE__) != 0)
#define __all_sync(mask, predicate) (cuda_on_cpu::ballot(mask, !(predicate), __LINE__) == 0)

static inline void __threadfence() {}
static inline void __threadfence_block() {}
static inline void __threadfence_system() {}
static inline void __nanosleep(unsigned) { cuda_on_cpu::pass(); }

static inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
static inline int __popcll(unsigned long long bits) { return __builtin_popcountll(bits); }
static inline int __clz(int bits) { return bits == 0 ? 32 : __builtin_clz(static_cast<unsigned>(bits)); }
static inline int __clzll(long long bits) {
    return bits == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(bits));
}
static inline int __ffs(int bits) { return __builtin_ffs(bits); }
static inline int __ffsll(long long bits) { return __builtin_ffsll(bits); }
template <class T> static inline T __ldg(const T *address) { return *address; }

template <class To, class From> static inline To bits_as(From value) {
    static_assert(sizeof(To) == sizeof(From), "same size");
    To result;
    std::memcpy(&result, &value, sizeof result);
    return result;
}
static inline float __int_as_float(int bits) { return bits_as<float>(bits); }
static inline int __float_as_int(float value) { return bits_as<int>(value); }
static inline double __longlong_as_double(long long bits) { return bits_as<double>(bits); }
static inline long long __double_as_longlong(double value) { return bits_as<long long>(value); }

template <class T> static inline T min(T a, T b) { return b < a ? b : a; }
template <class T> static inline T max(T a, T b) { return a < b ? b : a; }
#define __expf(x) std::exp(static_cast<float>(x))
static inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
static inline double normcdf(double x) { return 0.5 * std::erfc(-x * 0.70710678118654752440); }

// Atomics: fibers are switched at known places only, so that plain code is atomic. With interleaved blocks each lets
// others run first, so that what is published between blocks is seen in many orders.
#define CUDA_ATOMIC(name, expression) \
    template <class T> static inline T name(T *address, cuda_on_cpu::Same<T> value) { \
        cuda_on_cpu::pass_if_interleaved(); \
        const T old = *address; \
        *address = (expression); \
        return old; \
    }
CUDA_ATOMIC(atomicAdd, old + value)
CUDA_ATOMIC(atomicSub, old - value)
CUDA_ATOMIC(atomicExch, value)
CUDA_ATOMIC(atomicMin, value < old ? value : old)
CUDA_ATOMIC(atomicMax, old < value ? value : old)
CUDA_ATOMIC(atomicAnd, old & value)
CUDA_ATOMIC(atomicOr, old | value)
#undef CUDA_ATOMIC
template <class T>
static inline T atomicCAS(T *address, cuda_on_cpu::Same<T> expected, cuda_on_cpu::Same<T> value) {
    cuda_on_cpu::pass_if_interleaved();
    const T old = *address;
    if (old == expected) *address = value;
    return old;
}
