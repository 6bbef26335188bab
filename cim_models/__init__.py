"""What a city is: tables, vocabulary, database."""

__version__ = "0.1.0"
