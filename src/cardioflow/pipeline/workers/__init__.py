"""Where the pure steps run: in the caller, in threads, or in processes; what an engine is built from."""
