"""What functions do to objects that outlive a call."""
