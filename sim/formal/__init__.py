"""Formal proofs: tables, Verilog and netlists."""
