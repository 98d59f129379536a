"""What the hardened edition adds for a real party: pool, receipts, prizes, draw night."""
