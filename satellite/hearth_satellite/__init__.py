"""A satellite: microphone, wake word, speech to the server over Wyoming, and the answer played."""
