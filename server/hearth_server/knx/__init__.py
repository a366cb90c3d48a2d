"""Entities on a KNX bus, without anything between."""
