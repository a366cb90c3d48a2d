"""The server: audio to text to intent to action to answer."""
