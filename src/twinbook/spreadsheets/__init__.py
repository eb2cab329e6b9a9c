"""Lists as CSV files that a spreadsheet may open, edit and save: how they are written, and how they are read back."""
