"""Engines: they run the pure steps ahead of the consumer, and nothing else; one file each."""
