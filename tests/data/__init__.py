"""Lists copied from the fact sheets, with the section they stand in."""
