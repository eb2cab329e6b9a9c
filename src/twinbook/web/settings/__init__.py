"""Changing the settings in the browser: the form, what is not saved yet, and what a change would do."""
