"""What the Keras adapter is made of."""
