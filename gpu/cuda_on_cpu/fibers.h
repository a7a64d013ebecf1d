// The fibers behind cuda_on_cpu.h: their stacks, barriers and schedules. One launch at a time per library.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#if !defined(__x86_64__)
#error "the switch between fibers is written for x86-64 only"
#endif

extern "C" void cuda_on_cpu_switch(void **leave, void *enter);
asm(R"(
    .text
    .hidden cuda_on_cpu_switch
    .globl cuda_on_cpu_switch
    .type cuda_on_cpu_switch, @function
cuda_on_cpu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size cuda_on_cpu_switch, . - cuda_on_cpu_switch
)");

extern "C" {
extern char __start_cuda_shared[] __attribute__((weak, visibility("hidden")));
extern char __stop_cuda_shared[] __attribute__((weak, visibility("hidden")));
}

namespace cuda_on_cpu {

constexpr unsigned LANES = 32;
constexpr unsigned ALL = 0xffffffffu;
constexpr std::size_t STACK_BYTES = 64 * 1024;
constexpr std::size_t GUARD_BYTES = 4096;
constexpr int UNWRITTEN = 0x7F;  // what shared memory holds before a block writes it: large as an integer and as a float
constexpr unsigned long long IDLE_ROUNDS = 200'000;  // rounds of nothing but spinning before a launch is given up

template <class T> struct Itself { using type = T; };
template <class T> using Same = typename Itself<T>::type;

struct Shape { unsigned x = 1, y = 1, z = 1; };

// The numbers are those of gpu/cuda_on_cpu/schedule.py.
enum class Order : int { FORWARD, REVERSE, SHUFFLED, GREEDY_WARP, GREEDY_WARP_REVERSE, GREEDY_WARP_SHUFFLED };

struct Barrier {
    unsigned long long generation = 0;
    unsigned mask = ALL;     // lanes that take part (barriers of a warp)
    unsigned arrived = 0;    // lanes that wait (of a warp), or how many threads do (of a block)
    int line = 0;            // where the lanes of a warp meet
};

struct Warp {
    unsigned alive = 0;
    std::vector<std::unique_ptr<Barrier>> barriers;  // one per mask in use
    unsigned char slots[2][LANES][16] = {};
};

struct Block;

struct Fiber {
    void *stack_pointer = nullptr;
    Shape thread;
    unsigned number = 0;
    Block *block = nullptr;
    const Barrier *waits_for = nullptr;
    const char *waits_at = "";
    int waits_in_line = 0;
    unsigned long long generation = 0;
    unsigned phase = 0;
    bool done = false;
};

struct Block {
    Shape index;
    std::vector<Fiber> fibers;
    std::vector<Warp> warps;
    Barrier barrier;
    unsigned alive = 0;
    std::vector<char> shared;   // what its __shared__ variables hold while another block runs
    std::vector<char> dynamic;
};

static Fiber *current = nullptr;
static void *scheduler_stack = nullptr;
static Shape block_shape, grid_shape;
static bool interleaved = false;
static unsigned long long steps = 0;  // barriers released and fibers ended: what a round of spinning does not do
static void (*body)(void **) = nullptr;
static void **arguments = nullptr;
static char failure[512] = "";

static inline unsigned lane() { return current->number % LANES; }
static inline Warp &warp() { return current->block->warps[current->number / LANES]; }
static inline void *dynamic_shared() { return current->block->dynamic.data(); }
static inline unsigned mask_of(unsigned mask = ALL) { return mask; }

static void leave() { cuda_on_cpu_switch(&current->stack_pointer, scheduler_stack); }

// Let others run; for loops that wait for another thread's write.
static __attribute__((unused)) void pass() { leave(); }
static __attribute__((unused)) void pass_if_interleaved() {
    if (interleaved) leave();
}

static void fail(const char *format, const char *what, int line) {
    if (failure[0] == '\0')
        std::snprintf(failure, sizeof failure, format, what, line, current->number, current->block->index.x,
                      current->block->index.y, current->block->index.z);
    current->done = true;
    leave();
    __builtin_unreachable();
}

static void wait_for(const Barrier &barrier, const char *what, int line) {
    current->waits_for = &barrier;
    current->waits_at = what;
    current->waits_in_line = line;
    current->generation = barrier.generation;
    leave();
    current->waits_for = nullptr;
}

static void release(Barrier &barrier) {
    barrier.arrived = 0;
    ++barrier.generation;
    ++steps;
}

static __attribute__((unused)) void block_barrier(int line) {
    Block &block = *current->block;
    if (++block.barrier.arrived == block.alive) release(block.barrier);
    else wait_for(block.barrier, "__syncthreads", line);
}

static Barrier &barrier_of(Warp &warp, unsigned mask) {
    for (auto &barrier : warp.barriers)
        if (barrier->mask == mask) return *barrier;
    warp.barriers.push_back(std::make_unique<Barrier>());
    warp.barriers.back()->mask = mask;
    return *warp.barriers.back();
}

static void warp_barrier(unsigned mask, const char *what, int line) {
    Warp &mine = warp();
    if ((mask >> lane() & 1) == 0) fail("%s in line %d: thread %u of block (%u,%u,%u) is not in its own mask", what, line);
    Barrier &barrier = barrier_of(mine, mask);
    if (barrier.arrived != 0 && barrier.line != line)
        fail("%s in line %d: thread %u of block (%u,%u,%u) meets lanes of its warp that wait in another line", what, line);
    barrier.line = line;
    barrier.arrived |= 1u << lane();
    if ((barrier.arrived & mine.alive) == (mask & mine.alive)) release(barrier);
    else wait_for(barrier, what, line);
}

// Every lane of the mask puts its value down, all meet, then each reads. Two sets of slots: the next exchange may begin
// before the slowest lane has read this one.
template <class T> static const unsigned char (*exchange(unsigned mask, T value, const char *what, int line))[16] {
    static_assert(sizeof(T) <= 16, "a shuffle moves at most 16 bytes");
    unsigned char(*slots)[16] = warp().slots[current->phase++ & 1];
    std::memcpy(slots[lane()], &value, sizeof value);
    warp_barrier(mask, what, line);
    return slots;
}

template <class T> static T shuffle(unsigned mask, T value, unsigned from, int line) {
    auto slots = exchange(mask, value, "a shuffle", line);
    T result;
    std::memcpy(&result, slots[from], sizeof result);
    return result;
}

template <class T> static T shuffle_up(unsigned mask, T value, unsigned delta, int line) {
    return shuffle(mask, value, lane() >= delta ? lane() - delta : lane(), line);
}

template <class T> static T shuffle_down(unsigned mask, T value, unsigned delta, int line) {
    return shuffle(mask, value, lane() + delta < LANES ? lane() + delta : lane(), line);
}

static __attribute__((unused)) unsigned ballot(unsigned mask, bool predicate, int line) {
    auto slots = exchange(mask, predicate, "a vote", line);
    unsigned votes = 0;
    for (unsigned other = 0; other < LANES; ++other)
        if ((mask & warp().alive) >> other & 1) votes |= static_cast<unsigned>(slots[other][0] != 0) << other;
    return votes;
}

static void end_fiber() {
    Block &block = *current->block;
    Warp &mine = warp();
    current->done = true;
    ++steps;
    mine.alive &= ~(1u << lane());
    for (auto &barrier : mine.barriers)
        if (barrier->arrived != 0 && (barrier->arrived & mine.alive) == (barrier->mask & mine.alive)) release(*barrier);
    if (--block.alive != 0 && block.barrier.arrived == block.alive) release(block.barrier);
    leave();
    __builtin_unreachable();
}

static void run_body() {
    body(arguments);
    end_fiber();
}

static bool can_run(const Fiber &fiber) {
    return !fiber.done && (fiber.waits_for == nullptr || fiber.waits_for->generation != fiber.generation);
}

static bool run(Fiber &fiber) {
    if (!can_run(fiber)) return false;
    current = &fiber;
    cuda_on_cpu_switch(&scheduler_stack, fiber.stack_pointer);
    return true;
}

static void *fresh_stack(std::size_t number) {
    static std::vector<char *> stacks;
    while (stacks.size() <= number) {
        void *memory = mmap(nullptr, STACK_BYTES + GUARD_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED || mprotect(memory, GUARD_BYTES, PROT_NONE) != 0) return nullptr;
        stacks.push_back(static_cast<char *>(memory) + GUARD_BYTES + STACK_BYTES);
    }
    // The six saved registers, where the switch returns to, and a place for that function's own return address.
    void **top = reinterpret_cast<void **>(stacks[number]);
    top[-1] = nullptr;
    top[-2] = reinterpret_cast<void *>(&run_body);
    for (int saved = 3; saved <= 8; ++saved) top[-saved] = nullptr;
    return top - 8;
}

static bool prepare(Block &block, Shape index, std::size_t dynamic_bytes, std::size_t first_stack) {
    const unsigned threads = block_shape.x * block_shape.y * block_shape.z;
    block.index = index;
    block.alive = threads;
    block.barrier = Barrier{};
    block.fibers.assign(threads, Fiber{});
    block.warps.clear();
    block.warps.resize((threads + LANES - 1) / LANES);
    block.shared.assign(static_cast<std::size_t>(__stop_cuda_shared - __start_cuda_shared), static_cast<char>(UNWRITTEN));
    block.dynamic.assign(dynamic_bytes, static_cast<char>(UNWRITTEN));
    for (unsigned number = 0; number < threads; ++number) {
        Fiber &fiber = block.fibers[number];
        fiber.number = number;
        fiber.block = &block;
        fiber.thread = {number % block_shape.x, number / block_shape.x % block_shape.y,
                        number / (block_shape.x * block_shape.y)};
        fiber.stack_pointer = fresh_stack(first_stack + number);
        if (fiber.stack_pointer == nullptr) return false;
        block.warps[number / LANES].alive |= 1u << number % LANES;
    }
    return true;
}

// Byte by byte and unchecked, since the sanitizer keeps poisoned gaps between the variables of the section.
__attribute__((no_sanitize_address, optimize("no-tree-loop-distribute-patterns")))
static void copy_unchecked(char *to, const char *from, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; ++at) to[at] = from[at];
}

static std::vector<unsigned> permutation(unsigned count, Order order, std::mt19937 &random) {
    std::vector<unsigned> numbers(count);
    for (unsigned at = 0; at < count; ++at) numbers[at] = at;
    if (order == Order::REVERSE || order == Order::GREEDY_WARP_REVERSE) std::reverse(numbers.begin(), numbers.end());
    if (order == Order::SHUFFLED || order == Order::GREEDY_WARP_SHUFFLED)
        for (unsigned at = count; at > 1; --at) std::swap(numbers[at - 1], numbers[random() % at]);
    return numbers;
}

static bool run_warp_greedily(Block &block, unsigned number) {
    const unsigned first = number * LANES;
    const unsigned last = std::min<unsigned>(first + LANES, static_cast<unsigned>(block.fibers.size()));
    bool any = false;
    for (bool moved = true; moved && failure[0] == '\0';) {
        moved = false;
        for (unsigned fiber = first; fiber < last; ++fiber) moved |= run(block.fibers[fiber]);
        any |= moved;
        if (interleaved) break;
    }
    return any;
}

// One turn for every fiber of a block, or for every warp of it as far as it gets alone; false when none could move.
static bool run_round(Block &block, Order order, std::mt19937 &random) {
    bool moved = false;
    copy_unchecked(__start_cuda_shared, block.shared.data(), block.shared.size());
    if (order >= Order::GREEDY_WARP) {
        for (unsigned number : permutation(static_cast<unsigned>(block.warps.size()), order, random))
            moved |= run_warp_greedily(block, number);
    } else {
        for (unsigned number : permutation(static_cast<unsigned>(block.fibers.size()), order, random)) {
            moved |= run(block.fibers[number]);
            if (failure[0] != '\0') break;
        }
    }
    copy_unchecked(block.shared.data(), __start_cuda_shared, block.shared.size());
    return moved;
}

static void describe_deadlock(const Block &block) {
    const Fiber *stuck = nullptr;
    unsigned waiting = 0;
    for (const Fiber &fiber : block.fibers)
        if (!fiber.done && !can_run(fiber)) {
            if (stuck == nullptr) stuck = &fiber;
            ++waiting;
        }
    if (stuck == nullptr) return;
    std::snprintf(failure, sizeof failure,
                  "divergent barrier in block (%u,%u,%u): %u threads wait for others for ever, thread %u at %s in line %d",
                  block.index.x, block.index.y, block.index.z, waiting, stuck->number, stuck->waits_at,
                  stuck->waits_in_line);
}

// Rounds that a block gets before the next one. Seeded orders let blocks get apart, so that one finds what another has yet
// to write; in the others they stay within a round of each other.
static unsigned rounds_of_turn(Order order, std::mt19937 &random) {
    const bool is_seeded = order == Order::SHUFFLED || order == Order::GREEDY_WARP_SHUFFLED;
    return interleaved && is_seeded ? 1 + random() % 6 : 1;
}

static void run_together(std::vector<Block> &blocks, Order order, std::mt19937 &random) {
    unsigned long long idle = 0;
    for (;;) {
        const unsigned long long before = steps;
        bool moved = false, alive = false;
        for (unsigned number : permutation(static_cast<unsigned>(blocks.size()), order, random)) {
            Block &block = blocks[number];
            if (block.alive == 0) continue;
            alive = true;
            for (unsigned round = rounds_of_turn(order, random); round > 0 && block.alive != 0; --round) {
                moved |= run_round(block, order, random);
                if (failure[0] != '\0') return;
            }
        }
        if (!alive) return;
        if (!moved) {
            for (const Block &block : blocks)
                if (block.alive != 0 && failure[0] == '\0') describe_deadlock(block);
            return;
        }
        idle = steps == before ? idle + 1 : 0;
        if (idle > IDLE_ROUNDS) {
            std::snprintf(failure, sizeof failure, "threads spin for ever: %llu rounds without a barrier or an end", idle);
            return;
        }
    }
}

// Runs a whole grid. Returns what went wrong, null if nothing did.
static __attribute__((unused)) const char *launch(void (*kernel)(void **), void **values, Shape grid, Shape block,
                                                  std::size_t dynamic_bytes, int order_number, unsigned seed,
                                                  bool blocks_interleaved) {
    const Order order = static_cast<Order>(order_number);
    std::mt19937 random(seed);
    body = kernel;
    arguments = values;
    grid_shape = grid;
    block_shape = block;
    interleaved = blocks_interleaved;
    failure[0] = '\0';
    const unsigned threads = block.x * block.y * block.z;
    const unsigned blocks = grid.x * grid.y * grid.z;
    const unsigned together = blocks_interleaved ? blocks : 1;
    std::vector<Block> running(together);
    for (unsigned number : permutation(blocks, order, random)) {
        const unsigned place = blocks_interleaved ? number : 0;
        const Shape index{number % grid.x, number / grid.x % grid.y, number / (grid.x * grid.y)};
        if (!prepare(running[place], index, dynamic_bytes, std::size_t{place} * threads)) return "no memory for stacks";
        if (!blocks_interleaved) run_together(running, order, random);
        if (failure[0] != '\0') return failure;
    }
    if (blocks_interleaved) run_together(running, order, random);
    return failure[0] == '\0' ? nullptr : failure;
}

}  // namespace cuda_on_cpu
