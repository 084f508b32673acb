"""Music streaming."""
