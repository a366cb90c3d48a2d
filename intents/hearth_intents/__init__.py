"""Text to intent: sentences are data; the same templates make the recogniser's grammar and the matcher."""
