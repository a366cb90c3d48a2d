"""Entities on an MQTT broker, and Hearth's own topics there."""
