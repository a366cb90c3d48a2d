"""A connection to an MQTT broker, for the server and for satellites."""
