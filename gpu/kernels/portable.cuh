// What the GPU's compiler lacks beside the CPU's: one spelling for dynamic shared memory.
#pragma once

#ifndef CUDA_ON_CPU
#define DYN_SHARED(T, name) \
    extern __shared__ __align__(16) unsigned char name##_bytes[]; \
    T *name = reinterpret_cast<T *>(name##_bytes)
#endif
