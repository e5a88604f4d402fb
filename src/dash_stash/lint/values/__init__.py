"""What is known of values, and of the names that they are bound to."""
