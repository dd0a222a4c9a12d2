// A board of emitted Verilog behind a pseudo-terminal: turns the bytes of the terminal into the
// waveform of the serial line and back, and runs the clock in between.
//
//   virtual_board MASTER_FD CLOCKS_PER_BIT [WAVES]
//
// Ends when its standard input is closed, so that it never outlives whoever started it.

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <poll.h>
#include <unistd.h>

#include "Vboard.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

namespace {

constexpr int kResetCycles = 16;
constexpr int kChunk = 4096;           // cycles between two looks at the outside
constexpr int kIdleChunk = 64;         // the same while nothing goes on, and
constexpr int kIdleMs = 10;            // the real time that it takes then unless a byte comes
constexpr int64_t kOwed = 50'000'000;  // cycles at full speed after a byte from the host,
constexpr int64_t kMore = 1'000'000;   // and after one to the host

// One frame of start bit, eight data bits and stop bit, least significant bit first.
uint32_t frame_of(uint8_t byte) { return 1u << 9 | uint32_t{byte} << 1; }

// Host to board: holds the line for each bit; high between the frames.
class Sender {
  public:
    explicit Sender(int divisor) : divisor_(divisor) {}
    bool idle() const { return left_ == 0; }
    void send(uint8_t byte) { frame_ = frame_of(byte), left_ = 10 * divisor_, timer_ = divisor_; }
    bool next() {
        if (left_ == 0) return true;
        const bool bit = frame_ & 1;
        --left_;
        if (--timer_ == 0) frame_ >>= 1, timer_ = divisor_;
        return bit;
    }

  private:
    int divisor_, timer_ = 0, left_ = 0;
    uint32_t frame_ = 1;
};

// Board to host: samples each bit in its middle.
class Receiver {
  public:
    explicit Receiver(int divisor) : divisor_(divisor) {}
    bool idle() const { return bits_ == 0; }
    // Returns the byte that this sample completes, or -1.
    int take(bool line) {
        if (bits_ == 0) {
            if (line) return -1;
            bits_ = 10, timer_ = divisor_ / 2;
        }
        if (timer_-- > 0) return -1;
        timer_ = divisor_ - 1;
        frame_ = frame_ >> 1 | uint32_t{line} << 9;
        if (--bits_ > 0) return -1;
        if (!line) std::fprintf(stderr, "virtual board: tx has no stop bit\n"), std::exit(1);
        return frame_ >> 1 & 0xff;
    }

  private:
    int divisor_, timer_ = 0, bits_ = 0;
    uint32_t frame_ = 0;
};

class VirtualBoard {
  public:
    VirtualBoard(int master, int divisor, const char* waves)
        : master_(master), sender_(divisor), receiver_(divisor), board_(&context_) {
#if VM_TRACE
        if (waves != nullptr) {
            context_.traceEverOn(true);
            trace_ = std::make_unique<VerilatedVcdC>();
            board_.trace(trace_.get(), 99);
            trace_->open(waves);
        }
#else
        (void)waves;
#endif
        board_.rst = 1, board_.rx = 1;
        for (int n = 0; n < kResetCycles; ++n) cycle();
        board_.rst = 0;
    }

    ~VirtualBoard() {
#if VM_TRACE
        if (trace_) trace_->close();
#endif
        board_.final();
    }

    void run() {
        while (exchange()) {
            const int chunk = busy() ? kChunk : kIdleChunk;
            for (int n = 0; n < chunk; ++n) {
                if (sender_.idle() && !to_board_.empty()) {
                    sender_.send(to_board_.front());
                    to_board_.pop_front();
                    if (to_board_.empty()) read_terminal();
                }
                board_.rx = sender_.next();
                cycle();
                const int byte = receiver_.take(board_.tx);
                if (byte >= 0) {
                    to_host_.push_back(byte);
                    owed_ = kMore;
                    write_terminal();
                }
            }
            owed_ = owed_ > chunk ? owed_ - chunk : 0;
        }
    }

  private:
    void cycle() {
        edge(1);
        edge(0);
    }

    void edge(int level) {
        board_.clk = level;
        board_.eval();
        context_.timeInc(1);
#if VM_TRACE
        if (trace_) trace_->dump(context_.time());
#endif
    }

    bool busy() const {
        return owed_ > 0 || !sender_.idle() || !receiver_.idle() || !to_board_.empty();
    }

    // Looks at the outside; waits a little there while the board has nothing to do.
    bool exchange() {
        pollfd files[] = {{STDIN_FILENO, POLLIN, 0}, {master_, POLLIN, 0}};
        poll(files, 2, busy() ? 0 : kIdleMs);
        if (files[0].revents != 0) return false;
        if (files[1].revents & POLLIN && to_board_.empty()) read_terminal();
        write_terminal();
        return true;
    }

    void read_terminal() {
        uint8_t bytes[kChunk];
        const ssize_t count = read(master_, bytes, sizeof bytes);
        if (count < 0 && errno != EAGAIN && errno != EINTR) std::perror("pty"), std::exit(1);
        for (ssize_t n = 0; n < count; ++n) to_board_.push_back(bytes[n]);
        if (count > 0) owed_ = kOwed;
    }

    void write_terminal() {
        while (!to_host_.empty()) {
            const uint8_t byte = to_host_.front();
            if (write(master_, &byte, 1) != 1) return;  // full: the host does not read now
            to_host_.pop_front();
        }
    }

    int master_;
    int64_t owed_ = 0;
    std::deque<uint8_t> to_board_, to_host_;
    Sender sender_;
    Receiver receiver_;
    VerilatedContext context_;
    Vboard board_;
#if VM_TRACE
    std::unique_ptr<VerilatedVcdC> trace_;
#endif
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    VirtualBoard(std::atoi(argv[1]), std::atoi(argv[2]), argc > 3 ? argv[3] : nullptr).run();
    return 0;
}
