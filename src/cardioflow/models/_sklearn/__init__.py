"""What the scikit-learn adapter is made of."""
