"""Where entries live: bytes and what is known of them, never what the values mean."""
