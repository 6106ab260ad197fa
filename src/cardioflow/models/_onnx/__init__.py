"""What the ONNX adapter is made of."""
