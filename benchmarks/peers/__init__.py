"""What a user would write instead, over the same table."""
