"""What pages and API show, as dataclasses read from the store: one module for each subject. Nothing here writes."""
