"""Timers, alarms and commands for later, kept on disk."""
