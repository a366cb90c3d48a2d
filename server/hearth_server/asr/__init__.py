"""Recogniser engines, one module each, behind the protocols in `engine`."""
