"""What a config may say: typed, checked, and named by digests."""
