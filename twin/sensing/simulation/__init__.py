"""Made-up readings of a city's sensors: an ordinary day, or one with a typhoon. Nothing in them is real."""
