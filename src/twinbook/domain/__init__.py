"""The pure core: decides what happens to a contact. No I/O, no clock, no randomness."""
