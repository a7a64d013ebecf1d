// The soft FPGA behind a C interface: one object per model, many frames or messages per call.
//
// One evaluation is one cycle: the model's registers change at both edges of its clock port, unless
// SOFT_FPGA_RISING_EDGE says that it has a plain clock. All ports are registers, so what is set before an evaluation is
// taken by it, and what is read after it is settled.
#include "Vsoft_fpga.h"
#include "verilated.h"
#ifdef SOFT_FPGA_TRACE
#include "verilated_vcd_c.h"
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

namespace {

using std::int64_t;
using std::size_t;
using std::uint64_t;
using std::uint8_t;

constexpr size_t WORD_BYTES = 8;
constexpr size_t BUS_BYTES = sizeof(Vsoft_fpga::rx_data);
// The idle port is a register behind others: it must hold for so many cycles to mean anything.
constexpr int IDLE_CYCLES = 4;
constexpr int64_t STALLED = -1;
// Of a LogStep message without its payload, which is at most what came in.
constexpr int64_t LOG_STEP_BYTES = 34;

enum Area { OUTPUTS, LOG, SENT, MARKS, SPOILED, AREAS };
enum Mark : int64_t { FIRST_BEAT, LAST_BEAT, EARLY, FIRST_SENT, FRAME_GOOD, FRAME_DROPPED };
enum Value { CYCLE, PARITY, LAST_ID, KILLED, LAST_STEP, OVERRUN };
enum class Source { NONE, FRAMES, CONTROL };

// Messages one after the other: a word with the length, the bytes, zeros up to a whole word.
class Records {
 public:
  void append(const void* bytes, size_t count) {
    if (!open_) {
      start_ = bytes_.size();
      open_ = true;
      bytes_.resize(start_ + WORD_BYTES);
    }
    const uint8_t* from = static_cast<const uint8_t*>(bytes);
    bytes_.insert(bytes_.end(), from, from + count);
  }

  void append(uint8_t byte) { append(&byte, 1); }

  // Ends the open message; returns where its bytes begin.
  const uint8_t* finish() {
    const uint64_t length = bytes_.size() - start_ - WORD_BYTES;
    std::memcpy(&bytes_[start_], &length, WORD_BYTES);
    bytes_.resize((bytes_.size() + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES);
    open_ = false;
    return &bytes_[start_ + WORD_BYTES];
  }

  // Forgets the open message.
  void abandon() {
    bytes_.resize(start_);
    open_ = false;
  }

  const uint8_t* open_data() const { return bytes_.data() + start_ + WORD_BYTES; }
  size_t open_bytes() const { return bytes_.size() - start_ - WORD_BYTES; }

  size_t size() const { return open_ ? start_ : bytes_.size(); }

  // Moves the finished messages out.
  void take(uint8_t* to) {
    const size_t finished = size();
    if (finished) std::memcpy(to, bytes_.data(), finished);
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(finished));
    start_ = 0;
  }

  void drop_finished() {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size()));
    start_ = 0;
  }

 private:
  std::vector<uint8_t> bytes_;
  size_t start_ = 0;
  bool open_ = false;
};

// Bytes of a word or beat, least significant first.
template <typename T>
T word_of(const uint8_t* bytes, size_t count) {
  T word = 0;
  std::memcpy(&word, bytes, count);
  return word;
}

class SoftFpga {
 public:
  // Sizes and addresses are the two ports' bytes, as many as their whole 32-bit words have.
  SoftFpga(const uint8_t* sizes, const uint8_t* addresses, int64_t backlog)
      : model_(prepared(&context_)), backlog_(backlog) {
    model_.eval();
    std::memcpy(&model_.sizes, sizes, sizeof model_.sizes);
    std::memcpy(&model_.addresses, addresses, sizeof model_.addresses);
    model_.configure = 1;
    tick();
    model_.configure = 0;
    settle(1000);
  }

  ~SoftFpga() {
    trace(nullptr);
    model_.final();
  }

  void keep(unsigned areas) { keep_ = areas; }

  // A line that takes so many cycles for so many bytes: a beat comes when the last of its bytes is there. The usual one
  // brings a beat per cycle.
  void pace(int64_t cycles, int64_t bytes) {
    line_cycles_ = cycles;
    line_bytes_ = bytes;
  }

  // Gives frames, `gap` idle cycles behind each.
  int64_t frames(const uint8_t* bytes, const int64_t* offsets, const int64_t* times, int64_t count, int64_t gap) {
    if (!enter(Source::FRAMES)) return STALLED;
    for (int64_t n = 0; n < count; ++n) {
      const int64_t length = offsets[n + 1] - offsets[n];
      if (!make_room(length)) return STALLED;
      model_.time = static_cast<uint64_t>(times[n]);
      give_frame(bytes + offsets[n], static_cast<size_t>(length));
      run(gap);
    }
    return count;
  }

  // Gives control messages and host events, each at its time; a message without bytes does not exist on this port.
  int64_t control(const uint8_t* bytes, const int64_t* offsets, const int64_t* times, int64_t count) {
    if (!enter(Source::CONTROL)) return STALLED;
    for (int64_t n = 0; n < count; ++n) {
      const int64_t length = offsets[n + 1] - offsets[n];
      if (!make_room(length) || !wait_for(model_.control_empty)) return STALLED;
      model_.time = static_cast<uint64_t>(times[n]);
      if (!give_message(bytes + offsets[n], length)) return STALLED;
    }
    return count;
  }

  void run(int64_t cycles) {
    for (int64_t n = 0; n < cycles; ++n) tick();
  }

  // Runs until nothing is under way, for so many cycles at most.
  bool settle(int64_t limit) {
    int quiet = 0;
    tick();
    for (int64_t n = 0; n < limit; ++n) {
      tick();
      quiet = model_.idle ? quiet + 1 : 0;
      if (quiet == IDLE_CYCLES) {
        source_ = Source::NONE;
        logged_ = expected_ = 0;
        return true;
      }
    }
    return false;
  }

  void kill(bool level) {
    model_.kill = level;
    run(2);
  }

  void probe(int64_t first, int64_t count, uint64_t* values) {
    for (int64_t n = 0; n < count; ++n) {
      model_.probe_index = static_cast<uint8_t>(first + n);
      run(2);
      values[n] = model_.probe_value;
    }
  }

  int64_t value(int64_t what) const {
    switch (what) {
      case CYCLE: return cycle_;
      case PARITY: return model_.parity;
      case LAST_ID: return static_cast<int64_t>(model_.last_id);
      case KILLED: return model_.killed;
      case LAST_STEP: return last_step_;
      case OVERRUN: return model_.overrun;
      default: return 0;
    }
  }

  Records& area(int64_t number) { return areas_[number]; }

  // Writes a waveform from now on; a null path ends it. Returns whether this build can.
  bool trace(const char* path) {
#ifdef SOFT_FPGA_TRACE
    if (waveform_) waveform_->close();
    waveform_.reset();
    if (path) {
      waveform_ = std::make_unique<VerilatedVcdC>();
      model_.trace(waveform_.get(), 99);
      waveform_->open(path);
    }
    return true;
#else
    return path == nullptr;
#endif
  }

 private:
  static VerilatedContext* prepared(VerilatedContext* context) {
#ifdef SOFT_FPGA_TRACE
    context->traceEverOn(true);
#endif
    return context;
  }

  void tick() {
#ifdef SOFT_FPGA_RISING_EDGE
    model_.clk = 0;
    model_.eval();
    model_.clk = 1;
#else
    model_.clk = !model_.clk;
#endif
    model_.eval();
    ++cycle_;
#ifdef SOFT_FPGA_TRACE
    if (waveform_) waveform_->dump(static_cast<uint64_t>(cycle_));
#endif
    if (model_.word_valid) take_word();
    if (model_.log_valid) take_log();
    if (model_.tx_valid) take_sent();
    if (model_.early) mark(EARLY);
    if (model_.frame_end) mark(model_.drop ? FRAME_DROPPED : FRAME_GOOD);
  }

  bool keeps(Area area) const { return keep_ >> area & 1; }

  void mark(Mark what) {
    if (!keeps(MARKS)) return;
    // an input shows on the core's ports in the cycle after its edge, an output reaches us with the edge behind it
    const bool given = what == FIRST_BEAT || what == LAST_BEAT;
    const int64_t entry[] = {what, given ? cycle_ + 1 : cycle_};
    areas_[MARKS].append(entry, sizeof entry);
    areas_[MARKS].finish();
  }

  void take_word() {
    const uint64_t word = model_.word_data;
    areas_[OUTPUTS].append(&word, WORD_BYTES);
    if (model_.word_last) areas_[OUTPUTS].finish();
  }

  void take_log() {
    ++logged_;
    areas_[LOG].append(model_.log_data);
    if (!model_.log_last) return;
    // a LogStep message: header, then the step's number
    std::memcpy(&last_step_, areas_[LOG].finish() + WORD_BYTES, sizeof last_step_);
    if (!keeps(LOG)) areas_[LOG].drop_finished();
  }

  void take_sent() {
    if (model_.tx_first) mark(FIRST_SENT);
    if (!keeps(SENT)) return;
    areas_[SENT].append(&model_.tx_data, model_.tx_count);
    if (!model_.tx_last) return;
    if (!model_.tx_error) {
      areas_[SENT].finish();
      return;
    }
    if (keeps(SPOILED)) {
      areas_[SPOILED].append(areas_[SENT].open_data(), areas_[SENT].open_bytes());
      areas_[SPOILED].finish();
    }
    areas_[SENT].abandon();
  }

  // Inputs of one kind follow each other freely; before the other kind everything must have been done.
  bool enter(Source source) {
    if (source_ != source && source_ != Source::NONE && !settle(limit_)) return false;
    source_ = source;
    return true;
  }

  // The log leaves the core byte by byte: wait while more than `backlog_` bytes of it may still be inside.
  bool make_room(int64_t length) {
    expected_ += length + LOG_STEP_BYTES;
    if (expected_ - logged_ <= backlog_) return true;
    const Source source = source_;
    if (!settle(limit_)) return false;
    source_ = source;
    expected_ = length + LOG_STEP_BYTES;
    return true;
  }

  void give_frame(const uint8_t* bytes, size_t length) {
    size_t at = 0;
    model_.rx_first = 1;
    while (length - at > BUS_BYTES) {
      await_line(at, at + BUS_BYTES);
      give_beat(bytes + at, BUS_BYTES, false);
      if (at == 0) mark(FIRST_BEAT);
      at += BUS_BYTES;
      model_.rx_first = 0;
    }
    await_line(at, length);
    give_beat(bytes + at, length - at, true);
    if (at == 0) mark(FIRST_BEAT);
    mark(LAST_BEAT);
  }

  // The cycles, rounded up, in which the line brings a frame's first `count` bytes.
  int64_t line_cycles(size_t count) const {
    return (static_cast<int64_t>(count) * line_cycles_ + line_bytes_ - 1) / line_bytes_;
  }

  // Idle until the cycle in which the line has brought a beat's last byte.
  void await_line(size_t begin, size_t end) { run(line_cycles(end) - line_cycles(begin) - 1); }

  void give_beat(const uint8_t* bytes, size_t count, bool is_last) {
    model_.rx_data = word_of<std::remove_reference_t<decltype(model_.rx_data)>>(bytes, count);
    model_.rx_count = static_cast<uint8_t>(count);
    model_.rx_last = is_last;
    model_.rx_valid = 1;
    tick();
    model_.rx_valid = 0;
  }

  bool give_message(const uint8_t* bytes, int64_t length) {
    for (int64_t at = 0; at < length; at += WORD_BYTES) {
      if (!wait_for(model_.control_free)) return false;
      const int64_t count = std::min<int64_t>(length - at, WORD_BYTES);
      model_.control_data = word_of<uint64_t>(bytes + at, static_cast<size_t>(count));
      model_.control_count = static_cast<uint8_t>(count);
      model_.control_last = at + count == length;
      model_.control_valid = 1;
      tick();
      model_.control_valid = 0;
    }
    return true;
  }

  bool wait_for(const CData& port) {
    for (int64_t n = 0; !port; ++n) {
      if (n == limit_) return false;
      tick();
    }
    return true;
  }

  VerilatedContext context_;
  Vsoft_fpga model_;
#ifdef SOFT_FPGA_TRACE
  std::unique_ptr<VerilatedVcdC> waveform_;
#endif
  Records areas_[AREAS];
  unsigned keep_ = 1u << OUTPUTS;
  Source source_ = Source::NONE;
  int64_t cycle_ = 0;
  int64_t last_step_ = 0;
  int64_t logged_ = 0;
  int64_t expected_ = 0;
  int64_t backlog_;
  int64_t line_cycles_ = 1;
  int64_t line_bytes_ = BUS_BYTES;
  int64_t limit_ = 1'000'000;
};

SoftFpga* of(void* soft) { return static_cast<SoftFpga*>(soft); }

}  // namespace

extern "C" {

void* soft_fpga_new(const uint8_t* sizes, const uint8_t* addresses, int64_t backlog) {
  return new SoftFpga(sizes, addresses, backlog);
}
int64_t soft_fpga_port_bytes(int64_t port) { return port ? sizeof(Vsoft_fpga::addresses) : sizeof(Vsoft_fpga::sizes); }
void soft_fpga_free(void* soft) { delete of(soft); }
void soft_fpga_keep(void* soft, int64_t areas) { of(soft)->keep(static_cast<unsigned>(areas)); }
void soft_fpga_pace(void* soft, int64_t cycles, int64_t bytes) { of(soft)->pace(cycles, bytes); }

int64_t soft_fpga_frames(void* soft, const uint8_t* bytes, const int64_t* offsets, const int64_t* times, int64_t count,
                         int64_t gap) {
  return of(soft)->frames(bytes, offsets, times, count, gap);
}
int64_t soft_fpga_control(void* soft, const uint8_t* bytes, const int64_t* offsets, const int64_t* times,
                          int64_t count) {
  return of(soft)->control(bytes, offsets, times, count);
}
int64_t soft_fpga_settle(void* soft, int64_t limit) { return of(soft)->settle(limit) ? 0 : STALLED; }
void soft_fpga_run(void* soft, int64_t cycles) { of(soft)->run(cycles); }
void soft_fpga_kill(void* soft, int64_t level) { of(soft)->kill(level != 0); }
void soft_fpga_probe(void* soft, int64_t first, int64_t count, uint64_t* values) {
  of(soft)->probe(first, count, values);
}
int64_t soft_fpga_value(void* soft, int64_t what) { return of(soft)->value(what); }
int64_t soft_fpga_size(void* soft, int64_t area) { return static_cast<int64_t>(of(soft)->area(area).size()); }
void soft_fpga_take(void* soft, int64_t area, uint8_t* to) { of(soft)->area(area).take(to); }
int64_t soft_fpga_trace(void* soft, const char* path) { return of(soft)->trace(path) ? 0 : STALLED; }

}  // extern "C"
