"""Accelerator and decoder: engines, program, residual stream."""
