"""Hearth's own small recogniser: phones from a model of a few MB, decoded against the home's grammar."""
