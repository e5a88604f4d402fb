"""The chapter's own ways, as its examples write them."""
