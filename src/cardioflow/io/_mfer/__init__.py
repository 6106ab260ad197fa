"""The parts of the MFER reader: tags, and channels."""
