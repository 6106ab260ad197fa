"""CardioFlow: from any ECG file to a trained model and back, in one lazy, reproducible pipeline."""
