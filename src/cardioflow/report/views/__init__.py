"""What a batch can be asked to show; a file is a method of ``EcgBatch``."""
