"""The embedded recogniser: a small speech model of our own, decoded against the home's grammar as the audio arrives."""
