"""Telling people and programs what happens: what is due, and a courier who carries it out."""
