"""OGC SensorThings API 1.1 (OGC 18-088): what the city's sensors are and what they observe."""
