"""The packed store: shards of Arrow IPC, memory-mapped, and an index beside them.

A store is a folder with ``store.json`` and shards. A shard is one Arrow record
batch whose signals are one contiguous buffer of int16 (where the source held
integers: lossless, and half the bytes) or of float32 (read without a copy).
What is the same for all records of a shard stands once, in its schema.
"""
