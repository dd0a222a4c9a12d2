"""Cocotb benches and runners, the stream-rule monitor, the virtual board."""
