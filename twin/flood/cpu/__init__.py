"""The loops of the flood engine, compiled for the processor by numba."""
