"""What the TensorFlow adapter is made of."""
