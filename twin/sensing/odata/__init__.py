"""The query language of SensorThings (OGC 18-088, 9.3): read from text, and made into SQL with bound values."""
