"""Actions that leave time for frequency or scale, and come back."""
