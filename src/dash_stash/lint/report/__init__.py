"""What is reported, where, and in which form."""
