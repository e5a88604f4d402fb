"""What mutants showed that no other test noticed."""
