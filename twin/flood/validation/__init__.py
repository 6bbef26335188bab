"""How far the flood engine may be trusted: cases with an outside answer, run and written up."""
