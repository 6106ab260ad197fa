"""What the JAX adapter is made of."""
