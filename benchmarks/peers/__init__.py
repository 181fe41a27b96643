"""Lists over the same table, as somebody without this package would write them."""
