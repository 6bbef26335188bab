"""The flow on a graphics card, by the same formulas as on the processor."""
