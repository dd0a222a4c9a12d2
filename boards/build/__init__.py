"""From Verilog to a bitstream: wrapper, synthesis, place and route, timing, packing."""
