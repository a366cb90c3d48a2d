"""A real Home Assistant on this machine's loopback."""
