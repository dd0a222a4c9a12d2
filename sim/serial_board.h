// A board of emitted Verilog: its clock, its serial line as bytes, its waveform.

#ifndef LUTFORMER_SERIAL_BOARD_H
#define LUTFORMER_SERIAL_BOARD_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>

#include "Vboard.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
using Waves = VerilatedFstC;
#elif VM_TRACE
#include "verilated_vcd_c.h"
using Waves = VerilatedVcdC;
#endif

// Host to board: holds the line for each bit; high between the frames of start bit, eight data bits
// and stop bit, least significant bit first.
class Sender {
  public:
    explicit Sender(int divisor) : divisor_(divisor) {}
    bool idle() const { return left_ == 0; }
    void send(uint8_t byte) {
        frame_ = 1u << 9 | uint32_t{byte} << 1, left_ = 10 * divisor_, timer_ = divisor_;
    }
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

class SerialBoard {
  public:
    SerialBoard(int divisor, const char* waves)
        : sender_(divisor), receiver_(divisor), board_(&context_) {
#if VM_TRACE
        if (waves != nullptr) {
            context_.traceEverOn(true);
            waves_ = std::make_unique<Waves>();
            board_.trace(waves_.get(), 99);
            waves_->open(waves);
        }
#else
        (void)waves;
#endif
        board_.rst = 1, board_.rx = 1;
        for (int n = 0; n < kResetCycles; ++n) edge(1), edge(0);
        board_.rst = 0;
    }

    ~SerialBoard() {
#if VM_TRACE
        if (waves_) waves_->close();
#endif
        board_.final();
    }

    // Whether nothing is on the line, or about to be.
    bool quiet() const { return sender_.idle() && receiver_.idle() && to_board.empty(); }

    // One clock cycle; returns whether a byte has come.
    bool cycle() {
        if (sender_.idle() && !to_board.empty()) {
            sender_.send(to_board.front());
            to_board.pop_front();
        }
        board_.rx = sender_.next();
        edge(1);
        edge(0);
        const int byte = receiver_.take(board_.tx);
        if (byte >= 0) to_host.push_back(byte);
        return byte >= 0;
    }

    std::deque<uint8_t> to_board, to_host;

  private:
    static constexpr int kResetCycles = 16;

    void edge(int level) {
        board_.clk = level;
        board_.eval();
        context_.timeInc(1);
#if VM_TRACE
        if (waves_) waves_->dump(context_.time());
#endif
    }

    Sender sender_;
    Receiver receiver_;
    VerilatedContext context_;
    Vboard board_;
#if VM_TRACE
    std::unique_ptr<Waves> waves_;
#endif
};

#endif
