// A board of emitted Verilog behind a pseudo-terminal: passes the bytes of the terminal on to its
// serial line and back, and runs the clock in between.
//
//   virtual_board MASTER_FD CLOCKS_PER_BIT [WAVES]
//
// Ends when its standard input is closed, so that it never outlives whoever started it.

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <unistd.h>

#include "serial_board.h"

namespace {

constexpr int kChunk = 4096;           // cycles between two looks at the outside,
constexpr int kWaitingChunk = 256;     // the same while the host may be about to send more;
constexpr int kIdleChunk = 64;         // the same while nothing goes on, and
constexpr int kIdleMs = 10;            // the real time that it takes then unless a byte comes
constexpr int64_t kOwed = 50'000'000;  // cycles at full speed after a byte from the host,
constexpr int64_t kMore = 100'000;     // and after one to the host

class VirtualBoard {
  public:
    VirtualBoard(int master, int divisor, const char* waves)
        : master_(master), board_(divisor, waves) {}

    void run() {
        while (exchange()) {
            const int chunk = !busy() ? kIdleChunk : answered_ ? kWaitingChunk : kChunk;
            for (int n = 0; n < chunk; ++n) {
                const bool last = board_.to_board.size() == 1;
                if (board_.cycle()) owed_ = kMore, answered_ = true, write_terminal();
                if (last && board_.to_board.empty()) read_terminal();
            }
            owed_ = owed_ > chunk ? owed_ - chunk : 0;
        }
    }

  private:
    bool busy() const { return owed_ > 0 || !board_.quiet(); }

    // Looks at the outside; waits a little there while the board has nothing to do.
    bool exchange() {
        pollfd files[] = {{STDIN_FILENO, POLLIN, 0}, {master_, POLLIN, 0}};
        poll(files, 2, busy() ? 0 : kIdleMs);
        if (files[0].revents != 0) return false;
        if (files[1].revents & POLLIN && board_.to_board.empty()) read_terminal();
        write_terminal();
        return true;
    }

    void read_terminal() {
        uint8_t bytes[kChunk];
        const ssize_t count = read(master_, bytes, sizeof bytes);
        if (count < 0 && errno != EAGAIN && errno != EINTR) std::perror("pty"), std::exit(1);
        for (ssize_t n = 0; n < count; ++n) board_.to_board.push_back(bytes[n]);
        if (count > 0) owed_ = kOwed, answered_ = false;
    }

    void write_terminal() {
        while (!board_.to_host.empty()) {
            const uint8_t byte = board_.to_host.front();
            if (write(master_, &byte, 1) != 1) return;  // full: the host does not read now
            board_.to_host.pop_front();
        }
    }

    int master_;
    int64_t owed_ = 0;
    bool answered_ = false;  // since the last byte from the host
    SerialBoard board_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    VirtualBoard(std::atoi(argv[1]), std::atoi(argv[2]), argc > 3 ? argv[3] : nullptr).run();
    return 0;
}
