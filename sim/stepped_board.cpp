// A board of emitted Verilog that stands still until it is told to go on, so that a run can be
// repeated to the cycle.
//
//   stepped_board CLOCKS_PER_BIT
//
// Standard input: u32 N, N bytes for the board, u32 M; runs until the line has fallen silent after a
// byte to the host, or else for M cycles. Standard output: u32 cycles run, u32 N, N bytes for the
// host. Little endian throughout, as the machine is. Ends when its standard input does.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "serial_board.h"

namespace {

bool get(void* data, size_t size) { return std::fread(data, 1, size, stdin) == size; }

uint32_t run(SerialBoard& board, uint32_t most, int pause) {
    int since = -1;  // cycles since the last byte, if there was one
    for (uint32_t n = 0; n < most; ++n) {
        if (board.cycle()) since = 0;
        else if (since >= 0 && ++since > pause) return n + 1;
    }
    return most;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const int divisor = std::atoi(argv[1]);
    SerialBoard board(divisor, nullptr);
    std::vector<uint8_t> bytes;
    uint32_t count, most;
    while (get(&count, sizeof count)) {
        bytes.resize(count);
        if (!get(bytes.data(), count) || !get(&most, sizeof most)) return 1;
        board.to_board.insert(board.to_board.end(), bytes.begin(), bytes.end());
        const uint32_t cycles = run(board, most, 12 * divisor);
        bytes.assign(board.to_host.begin(), board.to_host.end());
        board.to_host.clear();
        const uint32_t size = bytes.size();
        std::fwrite(&cycles, sizeof cycles, 1, stdout);
        std::fwrite(&size, sizeof size, 1, stdout);
        std::fwrite(bytes.data(), 1, size, stdout);
        std::fflush(stdout);
    }
    return 0;
}
